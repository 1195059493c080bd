import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { freePort, run, runtimes, type Program, type Runtime } from "./run.ts";

async function echoServer(runtime: Runtime, ...args: string[]): Promise<{ program: Program; url: string }> {
  const program = run(runtime, "examples/echo-server.mjs", String(await freePort()), ...args);
  const [, url] = await program.printed(/^Echoing at (\S+)\n/);
  return { program, url: url! };
}

describe.each(runtimes)("examples/echo-server.mjs on %s", (runtime) => {
  test("echoes text as text and binary as binary, and closes with 1001 at SIGINT", async () => {
    const { program, url } = await echoServer(runtime);
    const ws = new WebSocket(url);
    await once(ws, "open");
    for (const [sent, isBinary] of [
      ["Grüße", false],
      [Buffer.from([0, 255, 128]), true],
    ] as const) {
      ws.send(sent);
      const [data, binary] = (await once(ws, "message")) as [Buffer, boolean];
      expect([data.equals(Buffer.from(sent)), binary]).toEqual([true, isBinary]);
    }
    program.child.kill("SIGINT");
    const [code] = (await once(ws, "close")) as [number];
    expect(code).toBe(1001);
    expect((await program.ended).code).toBe(0);
  });

  test("--max-length is honoured", async () => {
    const { program, url } = await echoServer(runtime, "--max-length", "10");
    const ws = new WebSocket(url);
    await once(ws, "open");
    ws.send("0123456789");
    await once(ws, "message");
    ws.send("0123456789X");
    const [code] = (await once(ws, "close")) as [number];
    expect(code).toBe(1009);
    program.child.kill("SIGTERM");
    expect((await program.ended).code).toBe(0);
  });
});

const text = "Again and again, and over again. ".repeat(100);

/** Bytes that came in. */
const received = (ws: WebSocket): number => (ws as unknown as { _socket: Socket })._socket.bytesRead;

describe.each(runtimes)("--deflate on %s", (runtime) => {
  test("examples/echo-server.mjs compresses for who offers it, and not for others", async () => {
    const { program, url } = await echoServer(runtime, "--deflate");
    for (const [perMessageDeflate, extensions, most] of [
      [true, "permessage-deflate", 500],
      [false, "", Infinity],
    ] as const) {
      const ws = new WebSocket(url, { perMessageDeflate });
      await once(ws, "open");
      expect(ws.extensions).toBe(extensions);
      ws.send(text);
      const [data] = (await once(ws, "message")) as [Buffer];
      expect(data.toString()).toBe(text);
      expect(received(ws)).toBeLessThan(most);
      ws.close();
      await once(ws, "close");
    }
    program.child.kill("SIGTERM");
    expect((await program.ended).code).toBe(0);
  });

  test("examples/echo-client.mjs offers it, and compresses if the server agrees", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: true });
    await once(server, "listening");
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const program = run(runtime, "examples/echo-client.mjs", url, "--deflate");
    const [ws] = (await once(server, "connection")) as [WebSocket];
    expect(ws.extensions).toBe("permessage-deflate");
    ws.send(text);
    const [data] = (await once(ws, "message")) as [Buffer];
    expect(data.toString()).toBe(text);
    expect(received(ws)).toBeLessThan(1000);
    ws.close(1000);
    expect(await program.ended).toEqual({ code: 0, stdout: "", stderr: "" });
    server.close();
  });
});

describe("examples/guarded-server.mjs", () => {
  const what = "on %s lets in who says a name, and at SIGTERM closes with 1001, turns newcomers away and ends in time";
  // At once, since each waits for its deadline.
  test.concurrent.each(runtimes)(what, async (runtime) => {
    const program = run(runtime, "examples/guarded-server.mjs", String(await freePort()));
    const [, url] = await program.printed(/^Chatting at (\S+)\n/);
    const refused = async (to: string, headers: Record<string, string>): Promise<number> => {
      const ws = new WebSocket(to, { headers });
      ws.on("error", () => undefined);
      const [, response] = (await once(ws, "unexpected-response")) as [unknown, IncomingMessage];
      response.resume();
      return response.statusCode!;
    };
    const enter = async (name: string): Promise<WebSocket> => {
      const ws = new WebSocket(url!, { headers: { Authorization: `Bearer ${name}` } });
      await once(ws, "open");
      return ws;
    };
    expect(await refused(url!, {})).toBe(401);
    expect(await refused(url!, { Authorization: "Bearer ann", Origin: "https://evil.example" })).toBe(403);
    expect(await refused(`${url!}s`, { Authorization: "Bearer ann" })).toBe(404);
    const [ann, bob] = await Promise.all([enter("ann"), enter("bob")]);
    ann.send("hello");
    const [heard] = (await once(bob, "message")) as [Buffer];
    expect(heard.toString()).toBe("ann: hello");

    // One that does not answer the Close frame holds it up until the deadline, so there is time for a newcomer.
    bob.pause();
    const told = once(ann, "close") as Promise<[number]>;
    program.child.kill("SIGTERM");
    expect((await told)[0]).toBe(1001);
    expect(await refused(url!, { Authorization: "Bearer eve" })).toBe(503);
    expect(await program.ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/Closed\.\n$/) as string });
    bob.terminate();
  });
});

describe.each(runtimes)("examples/echo-client.mjs on %s", (runtime) => {
  async function peer(): Promise<{ server: WebSocketServer; url: string }> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/` };
  }

  test("echoes until the peer closes, and exits with 0", async () => {
    const { server, url } = await peer();
    const program = run(runtime, "examples/echo-client.mjs", url);
    const [ws] = (await once(server, "connection")) as [WebSocket];
    ws.send("one");
    ws.send(Buffer.alloc(200_000, 7));
    const [first] = (await once(ws, "message")) as [Buffer];
    const [second] = (await once(ws, "message")) as [Buffer];
    expect(first.toString()).toBe("one");
    expect(second.equals(Buffer.alloc(200_000, 7))).toBe(true);
    ws.close(1000);
    expect(await program.ended).toEqual({ code: 0, stdout: "", stderr: "" });
    server.close();
  });

  test("exits with 1 and the reason when the connection breaks", async () => {
    const { server, url } = await peer();
    const program = run(runtime, "examples/echo-client.mjs", url);
    const [ws] = (await once(server, "connection")) as [WebSocket];
    ws.terminate();
    const { code, stderr } = await program.ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/1006/);
    server.close();
  });

  test("exits with 1 and the reason when nobody is there", async () => {
    const { code, stderr } = await run(runtime, "examples/echo-client.mjs", `ws://127.0.0.1:${await freePort()}/`)
      .ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^127\.0\.0\.1:\d+ could not be reached: .+\n$/);
  });
});
