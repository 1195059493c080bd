import { describe, expect, expectTypeOf, it } from "vitest";
import * as page from "../../src/browser.ts";
import * as node from "../../src/index.ts";

/** The names of all that an object of that class has, but for what comes with every object. */
function face(Class: { readonly prototype: object }): string[] {
  const names = new Set<string>();
  let { prototype } = Class;
  while (prototype !== Object.prototype) {
    for (const name of Reflect.ownKeys(prototype)) names.add(String(name));
    prototype = Object.getPrototypeOf(prototype) as object;
  }
  return [...names].sort();
}

/** What stands on the object itself, before it is connected. */
const fields = (client: object): string[] => Object.keys(client).sort();

describe("hybi in a page", () => {
  it("exports what it does elsewhere", () => {
    expect(Object.keys(page).sort()).toEqual(Object.keys(node).sort());
  });

  it("has a Client with the same methods and properties", async () => {
    expect(face(page.Client)).toEqual(face(node.Client));
    expect(face(page.Client)).toContain("readable");
    const signal = AbortSignal.abort();
    const clients = [new page.Client("ws://localhost:9", { signal }), new node.Client("ws://localhost:9", { signal })];
    expect(fields(clients[0]!)).toEqual(fields(clients[1]!));
    for (const client of clients) await client.close();
  });

  it("is of the same types", () => {
    expectTypeOf<keyof page.Client>().toEqualTypeOf<keyof node.Client>();
    expectTypeOf<Pick<page.Client, "send" | "close" | "read" | "readable" | "writable">>().toEqualTypeOf<
      Pick<node.Client, "send" | "close" | "read" | "readable" | "writable">
    >();
    expectTypeOf(page.connect).parameters.toEqualTypeOf<Parameters<typeof node.connect>>();
  });
});
