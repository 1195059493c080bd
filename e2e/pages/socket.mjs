// The browser's own WebSocket, for the tests to speak by: in a shared worker, for the reason in calls.mjs.
import { answerBy } from "./calls.mjs";

const opened = [];

const next = (target, event) =>
  new Promise((resolve, reject) => {
    target.addEventListener(event, resolve, { once: true });
    if (event === "close") return;
    target.addEventListener("close", ({ code }) => reject(new Error(`closed with ${code}`)), { once: true });
  });

/** Bytes at random. */
function noise(length) {
  const bytes = new Uint8Array(length);
  // So many are to be had at a time.
  for (let at = 0; at < length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
}

answerBy({
  /** Answers the number of the connection, and what was agreed on. */
  async open(url, subprotocols = []) {
    const ws = new WebSocket(url, subprotocols);
    ws.binaryType = "arraybuffer";
    await next(ws, "open");
    return { number: opened.push(ws) - 1, protocol: ws.protocol, extensions: ws.extensions };
  },

  /** What comes back for text, or for bytes given as an array. */
  async echo(number, message) {
    const ws = opened[number];
    ws.send(typeof message === "string" ? message : Uint8Array.from(message));
    const { data } = await next(ws, "message");
    return typeof data === "string" ? data : Array.from(new Uint8Array(data));
  },

  /** Sends `length` bytes of noise, or text of as many characters; answers whether they came back as they were. */
  async echoMany(number, length, isText) {
    const ws = opened[number];
    const bytes = noise(length);
    const sent = isText ? new TextDecoder("latin1").decode(bytes) : bytes;
    ws.send(sent);
    const { data } = await next(ws, "message");
    if (isText) return data === sent;
    const received = new Uint8Array(data);
    return received.length === length && received.every((byte, i) => byte === bytes[i]);
  },

  /** Has `count` texts come, by sending each or by one that asks for all; answers whether they came in order. */
  async burst(number, count, isAsked) {
    const ws = opened[number];
    const received = [];
    const all = new Promise((resolve) => {
      ws.onmessage = ({ data }) => received.push(data) === count && resolve();
    });
    if (isAsked) ws.send(`/burst ${count}`);
    else for (let i = 0; i < count; i++) ws.send(`message ${i}`);
    await all;
    ws.onmessage = null;
    return received.every((text, i) => text === `message ${i}`);
  },

  /** Closes, or sends what makes the server close; answers how it went. */
  async close(number, code, reason, message) {
    const ws = opened[number];
    const closed = next(ws, "close");
    if (message) ws.send(message);
    else ws.close(code, reason);
    const { code: closeCode, reason: closeReason, wasClean } = await closed;
    return [closeCode, closeReason, wasClean];
  },

  /** The code that a connection is closed with which never opens. */
  async refused(url, subprotocols = []) {
    const { code } = await next(new WebSocket(url, subprotocols), "close");
    return code;
  },
});
