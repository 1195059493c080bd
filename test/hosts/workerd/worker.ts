/**
 * What the tests run inside workerd: a server whose connections do what their path says, and an HTTP handler that dials,
 * or tells what happened here.
 *
 * @module
 */
import { sharedCodec } from "../../../src/codec/codec.ts";
import { connect, Server, type ClientOptions, type HybiError, type ServerConnection } from "../../../src/index.ts";
import { WebSocket, type CloseEvent } from "../../../src/websocket.ts";
import { WebSocketStream } from "../../../src/websocketstream.ts";

/** What happened here so far. */
const log: string[] = [];

/** workerd allows neither random values nor timers yet, where this runs. */
const server = new Server({ closeTimeout: 500 });

const large = new Uint8Array(1 << 20).fill(7);

/** By path. */
const behaviours: Record<string, (ws: ServerConnection) => void> = {
  "/echo": (ws) => {
    ws.on("message", (message) => {
      if (!ws.send(message)) ws.pause();
    });
    ws.on("drain", () => ws.resume());
  },
  "/about": (ws) => {
    const { remoteAddress, remotePort, secure, raw } = ws.socket!;
    ws.send(JSON.stringify({ remoteAddress, remotePort, secure, raw: String(raw), build: sharedCodec().build }));
  },
  "/large": (ws) => void ws.send(large),
  "/terminate": (ws) => ws.on("message", () => ws.terminate()),
  "/flood": (ws) => {
    while (ws.bufferedAmount < 1 << 24) ws.send(large);
    ws.on("message", () => ws.terminate());
  },
  "/throw": (ws) =>
    ws.on("message", () => {
      throw new Error("a listener threw");
    }),
  "/broadcast": (ws) =>
    ws.on("message", (message) => {
      for (const each of server.connections) each.send(message);
    }),
  "/pipe": (ws) => void ws.readable.pipeTo(ws.writable),
  "/pause": (ws) => {
    ws.pause();
    ws.on("message", (message) => ws.send(message));
  },
  "/resume": (ws) =>
    ws.on("message", () => {
      for (const each of server.connections) each.resume();
    }),
};

server.on("connection", (ws, { path }) => {
  log.push(`${path} open`);
  ws.on("error", (error) => void log.push(`${path} error ${(error as HybiError).code}`));
  ws.on("close", (code) => void log.push(`${path} close ${code}`));
  behaviours[path]?.(ws);
});
server.on("refused", ({ status }) => void log.push(`refused ${status}`));

interface Dialing {
  readonly url: string;
  readonly options?: ClientOptions;
  /** Milliseconds until the signal is raised. */
  readonly abortAfter?: number;
  /** What to do with the connection once "Hi" was sent, and answered. */
  readonly then?: "close" | "terminate" | "flood" | "leave";
  /** Milliseconds that the handler goes on behind it. */
  readonly linger?: number;
}

const plain = (error: unknown): unknown => {
  const { name, message, code, cause } = error as HybiError;
  return { name, message, code, ...(cause !== undefined && { cause: plain(cause) }) };
};

async function dial({ url, options, abortAfter, then = "close", linger = 0 }: Dialing): Promise<unknown> {
  let signal: AbortSignal | undefined;
  if (abortAfter !== undefined) signal = abortAfter === 0 ? AbortSignal.abort() : AbortSignal.timeout(abortAfter);
  let outcome: unknown;
  try {
    const ws = await connect(url, { ...options, ...(signal && { signal }) });
    ws.send("Hi");
    const answer = await ws.read();
    const { remoteAddress, remotePort, secure } = ws.socket!;
    if (then === "flood") for (let i = 0; i < 64; i++) ws.send(large);
    if (then === "close") await ws.close();
    if (then === "terminate" || then === "flood") ws.terminate();
    outcome = { answer, remoteAddress, remotePort, secure };
  } catch (error) {
    outcome = { error: plain(error) };
  }
  log.push("dialed");
  if (linger > 0) await new Promise((resolve) => setTimeout(resolve, linger));
  return outcome;
}

/** What the standard's `WebSocket` dispatches here. */
async function standard(url: string): Promise<unknown> {
  const events: unknown[] = [];
  const ws = new WebSocket(url);
  ws.binaryType = "arraybuffer";
  const closed = new Promise((resolve) => ws.addEventListener("close", resolve));
  ws.addEventListener("open", () => events.push("first", typeof ws.onopen));
  ws.onopen = ({ type }) => {
    events.push([type, ws.readyState]);
    for (const data of ["text", new Blob(["blob"]), Uint8Array.of(1), "end"]) ws.send(data);
    events.push(ws.bufferedAmount);
  };
  ws.onmessage = ({ data }: { data: string | ArrayBuffer }) => {
    events.push(typeof data === "string" ? data : [...new Uint8Array(data)]);
    if (data === "end") ws.close(4000, "done");
  };
  ws.onerror = ({ type, error }) => events.push([type, plain(error)]);
  // A handler has its place among the listeners.
  ws.addEventListener("open", () => (ws.onopen = null));
  ws.onclose = ({ type, code, reason, wasClean }: CloseEvent) => events.push([type, code, reason, wasClean]);
  await closed;
  return events;
}

async function streamed(url: string): Promise<unknown> {
  const stream = new WebSocketStream(url);
  const { readable, writable } = await stream.opened;
  const writer = writable.getWriter();
  const reader = readable.getReader();
  const lengths: unknown[] = [];
  for (const message of ["text", large, ""]) {
    await writer.write(message);
    lengths.push((await reader.read()).value?.length);
  }
  await writer.close();
  return [lengths, await stream.closed, await reader.read()];
}

export default {
  async connect(socket: unknown): Promise<void> {
    await server.accept(socket);
    log.push("accepted to the end");
  },

  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const body: unknown = await request.json();
    switch (pathname) {
      case "/dial":
        return Response.json(await dial(body as Dialing));
      case "/standard":
        return Response.json(await standard(body as string));
      case "/streamed":
        return Response.json(await streamed(body as string));
      case "/broadcast":
        for (const ws of server.connections) ws.send(body as string);
        return Response.json(server.connections.size);
      case "/close":
        await Promise.all([...server.connections].map((ws) => ws.close(4001, "from elsewhere")));
        return Response.json(server.connections.size);
      case "/terminate":
        for (const ws of server.connections) ws.terminate();
        return Response.json(server.connections.size);
      case "/listen":
        return Response.json(await new Server({ port: 0 }).listen().catch(plain));
      case "/connections":
        return Response.json(server.connections.size);
      default:
        return Response.json(log);
    }
  },
};

/** Goes on for long behind the end of the connection. */
export const lingering = {
  async connect(socket: unknown): Promise<void> {
    await server.accept(socket);
    await new Promise((resolve) => setTimeout(resolve, 600_000));
  },
};

/** Is over while the connection is open: as soon as the handler of a message says so. */
export const leaving = {
  async connect(socket: unknown): Promise<void> {
    const [ws] = await new Promise<[ServerConnection]>((resolve) => {
      server.once("connection", (connection) => resolve([connection]));
      void server.accept(socket);
    });
    await new Promise((resolve) => ws.once("message", resolve));
  },
};

/** Throws while the connection is open. */
export const throwing = {
  async connect(socket: unknown): Promise<void> {
    await leaving.connect(socket);
    throw new Error("the handler threw");
  },
};
