import { once } from "node:events";
import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect as connectTcp, type AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { connect, Server } from "hybi";
import { freePort, Program } from "./run.ts";

const running: Program[] = [];

/** Serves one of the examples, as its first lines say. */
async function serve(config: string, socket: string): Promise<number> {
  const port = await freePort();
  const workerd = resolve("node_modules/.bin/workerd");
  const args = ["serve", `examples/workerd/${config}`, "--socket-addr", `${socket}=127.0.0.1:${port}`];
  const program = new Program(workerd, args, process.cwd());
  running.push(program);
  const over = program.ended.then(({ stderr }) => {
    throw new Error(`workerd did not start: ${stderr}`);
  });
  over.catch(() => undefined);
  for (;;) {
    const probe = connectTcp(port, "127.0.0.1");
    const isThere = new Promise<boolean>((yes) =>
      probe.once("connect", () => yes(true)).once("error", () => yes(false)),
    );
    if (await Promise.race([isThere, over])) {
      probe.destroy();
      return port;
    }
  }
}

afterAll(async () => {
  for (const { child } of running) child.kill("SIGKILL");
  await Promise.all(running.map(({ ended }) => ended));
});

describe("examples/workerd/echo.mjs", () => {
  let url: string;
  beforeAll(async () => {
    url = `ws://127.0.0.1:${await serve("config.capnp", "echo")}/echo`;
  });

  test("echoes text as text and binary as binary", async () => {
    const ws = new WebSocket(url);
    await once(ws, "open");
    for (const [sent, isBinary] of [
      ["Grüße", false],
      [Buffer.from([0, 255, 128]), true],
      [Buffer.alloc(1 << 24, "16 MiB"), true],
    ] as const) {
      ws.send(sent);
      const [data, binary] = (await once(ws, "message")) as [Buffer, boolean];
      expect([data.equals(Buffer.from(sent)), binary]).toEqual([true, isBinary]);
    }
    ws.close(4000, "done");
    expect(await once(ws, "close")).toEqual([4000, Buffer.from("done")]);
  });

  test("serves several clients at once, which are hybi's", async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(url)));
    for (const [i, client] of clients.entries()) for (let j = 0; j < 100; j++) client.send(`${i}.${j}`);
    for (const [i, client] of clients.entries())
      for (let j = 0; j < 100; j++) expect(await client.read()).toBe(`${i}.${j}`);
    for (const client of clients) expect(await client.close(1000)).toMatchObject({ code: 1000, wasClean: true });
  });
});

describe("examples/workerd/dial.mjs", () => {
  let url: string;
  beforeAll(async () => {
    url = `http://127.0.0.1:${await serve("dial.capnp", "dial")}/`;
  });
  const ask = (target: string): Promise<Response> => fetch(`${url}?url=${encodeURIComponent(target)}`);

  test("says Hi to a server of ws, and answers with what came back", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    const closed = once(server, "connection").then(([ws]) => once(ws as WebSocket, "close"));
    server.on("connection", (ws) => {
      ws.on("message", (data: Buffer, isBinary) => ws.send(`${data.toString()} to you, ${isBinary}`));
    });
    const response = await ask(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    expect([response.status, await response.text()]).toEqual([200, "Hi to you, false\n"]);
    expect((await closed)[0]).toBe(1000);
    server.close();
  });

  test("says Hi to a server of hybi's", async () => {
    await using server = new Server({ port: 0, host: "127.0.0.1" });
    server.on("connection", (ws) => ws.on("message", (message) => ws.send(message)));
    const { port } = (await server.listen()) as { port: number };
    expect(await (await ask(`ws://127.0.0.1:${port}/`)).text()).toBe("Hi\n");
  });

  test("says what went wrong", async () => {
    const response = await ask(`ws://127.0.0.1:${await freePort()}/`);
    expect(response.status).toBe(502);
    expect(await response.text()).toMatch(/could not be reached/);
  });
});
