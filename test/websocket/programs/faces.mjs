/**
 * The standard's faces as the built package has them, on whatever runtime runs this: prints what happens, which is the
 * same on all of them.
 *
 * @module
 */
import { Server } from "hybi";
import { CloseEvent, WebSocket } from "hybi/websocket";
import { WebSocketError, WebSocketStream } from "hybi/websocketstream";

const say = (...things) => console.log(...things.map((thing) => JSON.stringify(thing) ?? "undefined"));

const nameOf = (work) => {
  try {
    work();
    return "nothing";
  } catch (error) {
    return error instanceof DOMException || !error.code ? error.name : error.code;
  }
};

const event = (target, type) => new Promise((resolve) => target.addEventListener(type, resolve, { once: true }));

/** Waits for the runtime to do what it can. */
const turns = async (count) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 0));
};

const server = new Server({ port: 0, host: "127.0.0.1", acceptProtocols: ["chat"], highWaterMark: 65_536 });
server.on("connection", (ws, { path }) => {
  if (path === "/echo") ws.on("message", (message) => ws.send(message));
  else if (path === "/pipe") void ws.readable.pipeTo(ws.writable);
  else if (path === "/three") for (const text of ["1", "2", "3"]) ws.send(text);
  else if (path === "/bye") void ws.close(4001, "bye");
  else if (path === "/gone") ws.on("message", () => ws.terminate());
  else if (path === "/flood") void flood(ws);
  else if (path === "/deaf") ws.pause();
});

let flooded = 0;
async function flood(ws) {
  const writer = ws.writable.getWriter();
  for (; flooded < 256; flooded++) await writer.write(new Uint8Array(1 << 18));
  await writer.close();
}

const { port } = await server.listen();
const base = `ws://127.0.0.1:${port}`;

// --- WebSocket

say("throws", [
  nameOf(() => new WebSocket()),
  nameOf(() => new WebSocket("/x")),
  nameOf(() => new WebSocket(`${base}/#`)),
  nameOf(() => new WebSocket(base, ["a", "A"])),
  nameOf(() => new WebSocket(base, [], { prot: 1 })),
  nameOf(() => new WebSocket(base, { prot: 1 })),
]);

const ws = new WebSocket(`http://127.0.0.1:${port}/echo`, { protocols: "chat", maxLength: 1_000_000 });
say("made", ws.url === `${base}/echo`, ws.readyState, String(ws), ws instanceof EventTarget, ws.binaryType);
say(
  "connecting",
  nameOf(() => ws.send("x")),
);
const open = await event(ws, "open");
say("open", open.type, ws.readyState, ws.protocol, ws.extensions);
ws.binaryType = "arraybuffer";
ws.send("ü\ud800");
ws.send(new Blob(["blob"]));
ws.send(Uint8Array.of(1, 2, 3).subarray(1));
ws.send(new DataView(new ArrayBuffer(3)));
ws.send({});
say("bufferedAmount", ws.bufferedAmount);
for (let i = 0; i < 5; i++) {
  // Each comes in a task of its own, so none is missed between two of these.
  const { data, origin } = await new Promise((resolve) => (ws.onmessage = resolve));
  ws.onmessage = null;
  say("message", typeof data === "string" ? data : [...new Uint8Array(data)], origin === base);
}
say("bufferedAmount", ws.bufferedAmount);
ws.binaryType = "blob";
ws.send(Uint8Array.of(7));
say("blob", await (await event(ws, "message")).data.text());
say("close throws", [nameOf(() => ws.close(999)), nameOf(() => ws.close(1000, "x".repeat(124)))]);
ws.close(3000, "done");
const close = await event(ws, "close");
say("close", close instanceof CloseEvent, close.code, close.reason, close.wasClean, ws.readyState);
ws.send("late");
say("bufferedAmount", ws.bufferedAmount);

for (const path of ["/bye", "/gone", "/three"]) {
  const log = [];
  const other = new WebSocket(base + path);
  for (const type of ["open", "message", "error", "close"])
    other.addEventListener(type, ({ data, code, reason, wasClean }) =>
      log.push([type, data ?? code, reason, wasClean]),
    );
  other.onopen = () => other.send("x");
  other.onmessage = ({ data }) => data === "3" && other.close();
  await event(other, "close");
  say(path, log);
}

// They came in one chunk.
const three = new WebSocket(`${base}/three`);
for (let i = 0; i < 3; i++) {
  const { data } = await new Promise((resolve) => (three.onmessage = resolve));
  three.onmessage = null;
  for (let hop = 0; hop < 20; hop++) await undefined;
  say("one by one", data);
}
three.close();
await event(three, "close");

const refused = new WebSocket(base, "chess");
const [failed, over] = await Promise.all([event(refused, "error"), event(refused, "close")]);
say("refused", failed.constructor === Event, failed.error.code, over.code, over.wasClean);

// --- WebSocketStream

const stream = new WebSocketStream(`${base}/pipe`, { protocols: ["chat"] });
const { readable, writable, protocol } = await stream.opened;
const reader = readable.getReader();
const writer = writable.getWriter();
for (const message of ["text", Uint8Array.of(1, 2), "x".repeat(100_000)]) {
  await writer.write(message);
  const { value } = await reader.read();
  say("stream", protocol, value.length, typeof value);
}
stream.close({ closeCode: 4000, reason: "bye" });
say("closed", await stream.closed, await reader.read());
say("written late", (await writer.write("x").catch((error) => error)).name);

const slow = new WebSocketStream(`${base}/flood`);
const slowReader = (await slow.opened).readable.getReader();
const first = await slowReader.read();
let before = -1;
while (before !== flooded) {
  before = flooded;
  await turns(50);
}
say("held back", first.value.length, flooded < 256);
let bytes = first.value.length;
for (let next = await slowReader.read(); !next.done; next = await slowReader.read()) bytes += next.value.length;
say("all of it", bytes, flooded, await slow.closed);

const deaf = new WebSocketStream(`${base}/deaf`);
const deafWriter = (await deaf.opened).writable.getWriter();
let done = 0;
const writing = (async () => {
  for (;;) {
    await deafWriter.write(new Uint8Array(1 << 18));
    done++;
  }
})().catch((error) => error);
before = -1;
while (before !== done) {
  before = done;
  await turns(50);
}
say("waits", done < 256);
for (const connection of server.connections) connection.terminate();
const lost = await writing;
say(
  "lost",
  lost instanceof WebSocketError,
  lost.name,
  lost.closeCode,
  lost === (await deafWriter.closed.catch((e) => e)),
);
await deaf.closed.catch(() => undefined);

const aborted = new WebSocketStream(base, { signal: AbortSignal.abort() });
say("aborted", (await aborted.opened.catch((error) => error)).name);
await server.close();
say("end");
