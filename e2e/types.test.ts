import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bin, ended, Project } from "./project.ts";

let project: Project;
beforeAll(async () => {
  project = await Project.create();
  for (const extension of ["ts", "mts", "cts"]) await project.write(`use.${extension}`, program);
});
afterAll(() => project.remove());

const program = `
  import { Server, capabilities, closeCodes, connect, isCloseCode, type Capabilities, type Message } from "hybi";
  import { Decoder } from "hybi/codec";
  import { Inflater, deflate, permessageDeflate } from "hybi/deflate";
  import { makeServer } from "hybi/driver";
  import { StreamsTransport } from "hybi/streams";
  import { WebSocket, type CloseEvent, type WebSocketInit, type WebSocketOptions } from "hybi/websocket";
  import { WebSocketError, WebSocketStream } from "hybi/websocketstream";
  const server = new Server({ port: 0, maxLength: 1000, extensions: [permessageDeflate({ level: 1 })] });
  server.on("connection", (ws, request) => {
    ws.on("message", (message) => void ws.send(message satisfies Message));
    ws.on("close", (code, reason) => console.log(code.toFixed(), reason.trim(), request.path.trim()));
  });
  export const first: Promise<string | Uint8Array | undefined> = connect("ws://x").then((ws) => ws.read());
  export const bytes: Uint8Array = new Inflater({ maxLength: 10 }).write(deflate(new Uint8Array(5)));
  export { Decoder, StreamsTransport, makeServer };
  const options: WebSocketOptions = { maxLength: 1000 };
  const standard = new WebSocket("ws://x", ["a"], options);
  const init: WebSocketInit = { ...options, protocols: "a", headers: new Headers() };
  export const others = [new WebSocket("ws://x", init), new WebSocket("ws://x", { protocols: new Set(["a"]) })];
  standard.addEventListener("message", ({ data, origin }) => standard.send(data + origin.trim()), { once: true });
  standard.onclose = ({ code, reason, wasClean }: CloseEvent) => console.log(code.toFixed(), reason.trim(), wasClean);
  export const state: 0 | 1 | 2 | 3 = standard.readyState;
  export const echo = new WebSocketStream("ws://x", { protocols: ["a"], tls: {} }).opened.then(async ({ readable, writable }) => {
    const { value } = await readable.getReader().read();
    await writable.getWriter().write(value satisfies Message | undefined ?? new Uint8Array(1));
    return new WebSocketError("x", { closeCode: 1000 }).closeCode?.toFixed();
  });
  export const meaning: string | undefined = isCloseCode(4000) ? closeCodes[4000] : closeCodes[1006]?.trim();
  server.on("connection", (ws) => void ws.readable.pipeTo(ws.writable));
  export const can: Capabilities = capabilities;
  if (capabilities.ping) void connect("ws://x").then((ws) => ws.sendPing());
  // @ts-expect-error not every code has a name
  closeCodes[4000].trim();
  // @ts-expect-error it is there to be read
  capabilities.tls = true;
  // @ts-expect-error the standard has other places for that
  new WebSocket("ws://x", [], { acceptProtocols: ["a"] });
  // @ts-expect-error there is no such option beside the subprotocols
  new WebSocket("ws://x", { protocols: ["a"], maxLenght: 1 });
  // @ts-expect-error there is no such event
  server.on("conection", () => undefined);
  // @ts-expect-error there is no such option
  new Server({ prot: 5000 });
`;

describe("a strict project's types hold, and catch mistakes", () => {
  const strict = ["--strict", "--noEmit", "--skipDefaultLibCheck", "--target", "es2022", "--lib", "es2023,dom"];

  test.each([
    ["nodenext, as a module", "use.mts", ["--module", "nodenext"]],
    ["nodenext, as CommonJS", "use.cts", ["--module", "nodenext"]],
    ["bundler", "use.ts", ["--module", "esnext", "--moduleResolution", "bundler"]],
    ["node10", "use.ts", ["--module", "esnext", "--moduleResolution", "node10", "--ignoreDeprecations", "6.0"]],
  ])("under the resolution %s", async (_name, file, resolution) => {
    const tsc = resolve("node_modules/typescript/bin/tsc");
    expect(await project.run(process.execPath, tsc, ...strict, ...resolution, file)).toEqual(ended(""));
  });

  test("in Deno", async () => {
    const { code, stderr } = await project.run(bin("deno"), "check", "--no-remote", "use.ts");
    expect(code, stderr).toBe(0);
  });
});

describe("the tarball is in order", () => {
  test("says @arethetypeswrong/core, for every entry under every resolution", async () => {
    const result = await checkPackage(createPackageFromTarballData(await readFile(project.tarball)));
    expect(result.types && result.problems).toEqual([]);
    // What it has looked at.
    expect(result.types && Object.keys(result.entrypoints)).toEqual([
      ".",
      "./driver",
      "./codec",
      "./deflate",
      "./websocket",
      "./websocketstream",
      "./streams",
      "./package.json",
    ]);
  });

  test("says publint", async () => {
    const { buffer } = new Uint8Array(await readFile(project.tarball));
    const { messages } = await publint({ pack: { tarball: buffer }, strict: true });
    expect(messages).toEqual([]);
  });
});
