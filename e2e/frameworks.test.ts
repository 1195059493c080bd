import { once } from "node:events";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket, type RawData } from "ws";
import { HandshakeError, connect, type Client, type ClientOptions } from "hybi";
import { run, runtimes, type Program } from "./run.ts";

const programs: Program[] = [];
afterEach(async () => {
  for (const program of programs.splice(0)) {
    program.child.kill("SIGKILL");
    await program.ended;
  }
});

const large = new Uint8Array(1 << 20).map((_, i) => i * 31);
const messages = ["Grüße", new Uint8Array([0, 255, 128]), "x".repeat(1 << 20), large];

/** An example under a runtime, that listens at `origin`; the clients that are connected to it are closed by its end. */
class Example {
  readonly program: Program;
  readonly origin: string;
  readonly #clients: Client[] = [];
  readonly #sockets: WebSocket[] = [];

  private constructor(program: Program, origin: string) {
    this.program = program;
    this.origin = origin;
  }

  static async start(...args: Parameters<typeof run>): Promise<Example> {
    const program = run(...args, "0");
    programs.push(program);
    const [, origin] = await program.printed(/^.* at (http:\/\/127\.0\.0\.1:\d+)\/\w*\n/);
    return new Example(program, origin!);
  }

  url(path: string): string {
    return this.origin.replace("http", "ws") + path;
  }

  /** A client of hybi's. */
  async client(path: string, options?: ClientOptions): Promise<Client> {
    const client = await connect(this.url(path), options);
    this.#clients.push(client);
    return client;
  }

  /** A client of `ws`, and what it receives. */
  async socket(path: string, headers: Record<string, string> = {}): Promise<{ ws: WebSocket; read: Read }> {
    const ws = new WebSocket(this.url(path), { headers, perMessageDeflate: false });
    const received: (string | Uint8Array)[] = [];
    ws.on("message", (data: RawData, isBinary) => {
      received.push(isBinary ? new Uint8Array(data as Buffer) : (data as Buffer).toString());
    });
    await once(ws, "open");
    this.#sockets.push(ws);
    const read = async (): Promise<string | Uint8Array> => {
      while (received.length === 0) await once(ws, "message");
      return received.shift()!;
    };
    return { ws, read };
  }

  /** The status that an opening handshake is refused with. */
  async refusal(path: string, options?: ClientOptions): Promise<number> {
    try {
      await connect(this.url(path), options);
    } catch (error) {
      if (error instanceof HandshakeError) return error.status;
      throw error;
    }
    throw new Error("It was not refused.");
  }

  /** Asks the program to end, which closes every connection with 1001. */
  async end(): Promise<void> {
    const codes = Promise.all([
      ...this.#clients.map((client) => new Promise<number>((resolve) => client.once("close", resolve))),
      ...this.#sockets.map((ws) => once(ws, "close").then(([code]) => code as number)),
    ]);
    this.program.child.kill("SIGTERM");
    expect(new Set(await codes)).toEqual(new Set([1001]));
    const { code, stderr, stdout } = await this.program.ended;
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^.*\n$/);
    // A runtime may warn of what a framework does, but nothing was thrown.
    expect(stderr).not.toMatch(/error/i);
  }
}

type Read = () => Promise<string | Uint8Array | undefined>;

/** What one side sends, the other gets as it was. */
async function carries(send: (message: string | Uint8Array) => unknown, read: Read): Promise<void> {
  for (const message of messages) {
    send(message);
    const got = await read();
    // As one value: vitest compares bytes one by one.
    if (typeof got === "string" || typeof message === "string") expect(got === message).toBe(true);
    else expect(Buffer.compare(got!, message)).toBe(0);
  }
}

describe.each(runtimes)("on %s,", (runtime) => {
  test("Express serves a page, and a chat that all hear", async () => {
    const example = await Example.start(runtime, "examples/express.mjs");
    const page = await fetch(example.origin);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await page.text()).toMatch(/^<!doctype html>\n<title>Chat<\/title>/);
    const [one, other] = [await example.client("/chat"), await example.socket("/chat")];
    await carries(
      (message) => one.send(message),
      () => other.read(),
    );
    for (const message of messages) expect((await one.read())!.length).toBe(message.length);
    await carries(
      (message) => other.ws.send(message),
      () => one.read(),
    );
    expect(await example.refusal("/")).toBe(404);
    await example.end();
  });

  test("Fastify echoes, counts connections, and closes them when it closes", async () => {
    const example = await Example.start(runtime, "examples/fastify.mjs");
    const status = async (): Promise<unknown> => (await fetch(`${example.origin}/status`)).json();
    expect(await status()).toEqual({ connections: 0 });
    const [one, other] = [await example.client("/echo"), await example.socket("/echo")];
    await carries(
      (message) => one.send(message),
      () => one.read(),
    );
    await carries(
      (message) => other.ws.send(message),
      () => other.read(),
    );
    expect(await status()).toEqual({ connections: 2 });
    expect(await example.refusal("/status")).toBe(404);
    await example.end();
  });

  test("Koa lets those in who have its signed cookie", async () => {
    const example = await Example.start(runtime, "examples/koa.mjs");
    const login = await fetch(`${example.origin}/login?name=J%C3%B8rgen`);
    expect(await login.text()).toBe("Welcome.\n");
    const cookies = login.headers.getSetCookie();
    expect(cookies.every((cookie) => /; samesite=strict\b/.test(cookie))).toBe(true);
    const cookie = cookies.map((one) => one.split(";")[0]!).join("; ");

    const member = await example.client("/members", { additionalHeaders: { Cookie: cookie, "X-Name": "Mallory" } });
    expect(await member.read()).toBe("Hello, Jørgen");
    const other = await example.socket("/members", { Cookie: cookie });
    expect(await other.read()).toBe("Hello, Jørgen");
    await carries(
      (message) => member.send(message),
      () => member.read(),
    );
    await carries(
      (message) => other.ws.send(message),
      () => other.read(),
    );
    expect(await example.refusal("/members")).toBe(401);
    const forged = cookie.replace("name=J", "name=T");
    expect(await example.refusal("/members", { additionalHeaders: { Cookie: forged } })).toBe(401);
    expect(await example.refusal("/elsewhere", { additionalHeaders: { Cookie: cookie } })).toBe(404);
    await example.end();
  });

  test("Hono hands on what is posted, beside an echo on a path of its own", async () => {
    const example = await Example.start(runtime, "examples/hono.mjs");
    const [one, other] = [await example.client("/news"), await example.socket("/news")];
    const post = await fetch(`${example.origin}/news`, { method: "POST", body: "It rains." });
    expect(await post.json()).toEqual({ listeners: 2 });
    expect([await one.read(), await other.read()]).toEqual(["It rains.", "It rains."]);
    const [mine, theirs] = [await example.client("/echo"), await example.socket("/echo")];
    await carries(
      (message) => mine.send(message),
      () => mine.read(),
    );
    await carries(
      (message) => theirs.ws.send(message),
      () => theirs.read(),
    );
    expect(await example.refusal("/")).toBe(404);
    await example.end();
  });
});
