/**
 * What a user of hybi should not do, as data, and what has to come of it on every runtime: an error before a byte leaves,
 * or exactly the bytes that the view covers.
 *
 * @module
 */
import { Client, Server } from "hybi";
import { said } from "./word.mjs";

const notData = ["TypeError", "ERR_DATA_TYPE"];
const tooLong = ["RangeError", "ERR_CONTROL_TOO_LONG"];
const noCode = ["RangeError", "ERR_CLOSE_CODE"];
const outside = ["RangeError", "ERR_OPTION_RANGE"];
const notOfType = ["TypeError", "ERR_OPTION_TYPE"];
const unknown = ["TypeError", "ERR_OPTION_UNKNOWN"];
const disorder = ["TypeError", "ERR_FRAME_ORDER"];
/** A getter's own, as whoever wrote it expects. */
const gottenFrom = ["Error", "ERR_GETTER"];

function fail() {
  throw Object.assign(new Error("from a getter"), { code: "ERR_GETTER" });
}

const withGetter = (object, key, get = fail) => Object.defineProperty(object, key, { get });
const bytes = () => Uint8Array.of(1, 2, 3, 4);

/** The middle of a buffer, of which nothing around it may leave. */
const middle = () => new Uint8Array(Uint8Array.from({ length: 64 }, (_, i) => 65 + i).buffer, 16, 4);
const MIDDLE = "QRST";

function detached() {
  const view = bytes();
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
}

/** A view of memory that may grow and shrink. */
function resizable(length, ...range) {
  const buffer = new ArrayBuffer(length, { maxByteLength: 64 });
  new Uint8Array(buffer).forEach((_, i, all) => (all[i] = 65 + i));
  return new Uint8Array(buffer, ...range);
}

function shared(options) {
  const buffer = new SharedArrayBuffer(8, options);
  const all = new Uint8Array(buffer);
  all.forEach((_, i) => (all[i] = 65 + i));
  return all;
}

const throws = (name, error, run) => ({ name, run, throws: error });
/** `sent` is the opcode and the payload, as text of one character for each byte. */
const sends = (name, sent, run) => ({ name, run, sent });

const noMessages = [null, undefined, 0, 12, 1n, true, {}, [], [1, 2], () => 1, new Date(0), new Map(), new String("x")];
const nameOf = (value) => (typeof value === "bigint" ? `${value}n` : (value?.constructor?.name ?? String(value)));

/** Done with an open connection. */
export const misuses = [
  throws("close(1000, Float32Array)", notData, (ws) => ws.close(1000, new Float32Array(20))),
  throws("close(1000, 12)", notData, (ws) => ws.close(1000, 12)),
  throws("close(1000, null)", notData, (ws) => ws.close(1000, null)),
  throws("close(1000, an object with a text of its own)", notData, (ws) => ws.close(1000, { toString: () => "x" })),
  throws("close with a reason of 124 bytes", tooLong, (ws) => ws.close(1000, "x".repeat(124))),
  throws("close with a reason of 62 characters that are 124 bytes", tooLong, (ws) => ws.close(1000, "é".repeat(62))),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535, 1000.5, -1, NaN, Infinity, 66536, "1000", null, {}].map(
    (code) => throws(`close(${typeof code} ${String(code)})`, noCode, (ws) => ws.close(code)),
  ),
  ...["sendPing", "sendPong"].flatMap((method) => [
    throws(`${method}(12)`, notData, (ws) => ws[method](12)),
    throws(`${method}(null)`, notData, (ws) => ws[method](null)),
    throws(`${method} of 126 bytes`, tooLong, (ws) => ws[method](new Uint8Array(126))),
    throws(`${method} of 125 characters that are 126 bytes`, tooLong, (ws) => ws[method](`${"x".repeat(124)}é`)),
    throws(`${method} of a detached buffer`, notData, (ws) => ws[method](detached())),
    sends(`${method} of the middle of a buffer`, [method === "sendPing" ? 9 : 10, MIDDLE], (ws) =>
      ws[method](middle()),
    ),
  ]),
  ...noMessages.map((value, i) => throws(`send of ${nameOf(value)}, ${i}`, notData, (ws) => ws.send(value))),
  throws("send of a detached array", notData, (ws) => ws.send(detached())),
  throws("send of a detached buffer", notData, (ws) => ws.send(detached().buffer)),
  throws("send of a detached array as text", notData, (ws) => ws.sendText(detached())),
  throws("send of a part of a detached array", notData, (ws) => ws.send(detached(), { start: 0, end: 1 })),
  throws("sendText of bytes that are not UTF-8", notData, (ws) => ws.sendText(Uint8Array.of(0xff))),
  throws("send of an array whose length throws", notData, (ws) => ws.send(withGetter(bytes(), "length"))),
  throws("send of what only says it is an array", notData, (ws) => ws.send(Object.create(Uint8Array.prototype))),
  throws("send of a proxy of an array", notData, (ws) => ws.send(new Proxy(bytes(), {}))),
  throws("send of an object with the fields of a view", notData, (ws) => {
    ws.send({ buffer: new ArrayBuffer(4), byteOffset: 0, byteLength: 4, length: 4 });
  }),
  throws("options whose getter throws", gottenFrom, (ws) => {
    ws.send("x", { get type() {
      return fail();
    } }); // prettier-ignore
  }),
  throws("an option that there is not", unknown, (ws) => ws.send("x", { binary: true })),
  throws("a type that there is not", notOfType, (ws) => ws.send("x", { type: "blob" })),
  throws("a callback that is none", notOfType, (ws) => ws.send("x", { callback: {} })),
  throws("fin that is no boolean", notOfType, (ws) => ws.send("x", { fin: 1 })),
  throws("start behind the end", outside, (ws) => ws.send("xyz", { start: 2, end: 1 })),
  throws("end behind what there is", outside, (ws) => ws.send(bytes(), { end: 5 })),
  throws("start below 0", outside, (ws) => ws.send(bytes(), { start: -1 })),
  throws("start that is not whole", outside, (ws) => ws.send(bytes(), { start: 0.5 })),
  throws("a continuation of nothing", disorder, (ws) => ws.send("x", { type: "continuation" })),
  sends("send of the middle of a buffer", [2, MIDDLE], (ws) => ws.send(middle())),
  sends("send of a DataView of the middle", [2, MIDDLE], (ws) => {
    const { buffer, byteOffset, byteLength } = middle();
    ws.send(new DataView(buffer, byteOffset, byteLength));
  }),
  sends("send of a Uint16Array of the middle", [2, MIDDLE], (ws) => ws.send(new Uint16Array(middle().buffer, 16, 2))),
  sends("send of a Float32Array", [2, "\0\0\x80\x3f"], (ws) => ws.send(Float32Array.of(1))),
  sends("send of an array that says it is longer", [2, MIDDLE], (ws) => {
    ws.send(withGetter(middle(), "length", () => 40));
  }),
  sends("send of an array that says it has more bytes", [2, MIDDLE], (ws) => {
    const liar = withGetter(middle(), "byteLength", () => 40);
    ws.send(withGetter(liar, "length", () => 40));
  }),
  sends("send of an array that says it lies elsewhere", [2, MIDDLE], (ws) => {
    const liar = withGetter(middle(), "byteOffset", () => 0);
    ws.send(withGetter(liar, "length", () => 40));
  }),
  sends("send of a DataView that says it has more bytes", [2, MIDDLE], (ws) => {
    const { buffer, byteOffset, byteLength } = middle();
    ws.send(withGetter(new DataView(buffer, byteOffset, byteLength), "byteLength", () => 40));
  }),
  sends("send of an array of a class of its own", [2, MIDDLE], (ws) => {
    class Own extends Uint8Array {
      get byteLength() {
        return 40;
      }
      get length() {
        return 40;
      }
    }
    ws.send(new Own(middle().buffer, 16, 4));
  }),
  sends("send of a view whose buffer throws", [2, "\0\0\0\0"], (ws) =>
    ws.send(withGetter(new Uint16Array(2), "buffer")),
  ),
  sends("send of bytes that change behind it", [2, MIDDLE], (ws) => {
    const data = middle();
    ws.send(data);
    data.fill(0);
  }),
  sends("send of a view of resizable memory, which shrinks behind it", [2, "ABCDEFGH"], (ws) => {
    const data = resizable(8);
    ws.send(data);
    data.buffer.resize(2);
  }),
  sends("send of a view of resizable memory that has grown", [2, "ABCD\0\0"], (ws) => {
    const data = resizable(4);
    data.buffer.resize(6);
    ws.send(data);
  }),
  sends("send of a view that resizable memory no longer covers", [2, ""], (ws) => {
    const data = resizable(8, 4, 4);
    data.buffer.resize(2);
    ws.send(data);
  }),
  sends("send of a large view of resizable memory, which shrinks behind it", [2, "\0".repeat(40_000)], (ws) => {
    const buffer = new ArrayBuffer(40_000, { maxByteLength: 50_000 });
    ws.send(new Uint8Array(buffer));
    buffer.resize(1);
  }),
  sends("send of shared memory, which changes behind it", [2, "ABCDEFGH"], (ws) => {
    const data = shared();
    ws.send(data.buffer);
    data.fill(0);
  }),
  sends("send of a view of shared memory", [2, "CDE"], (ws) => ws.send(shared().subarray(2, 5))),
  sends("send of shared memory as text", [1, "ABCDEFGH"], (ws) => ws.sendText(shared())),
  sends("send of lone surrogates", [1, "\xef\xbf\xbdx\xef\xbf\xbd"], (ws) => ws.send("\ud800x\udc00")),
];

export function attempt(ws, name) {
  return [name, ...thrownBy(() => misuses.find((one) => one.name === name).run(ws))];
}

function thrownBy(work) {
  try {
    work();
    return [];
  } catch (error) {
    return [error.name, error.code];
  }
}

const limits = ["maxLength", "maxFragments", "highWaterMark"];
const makers = { Server: (options) => new Server(options), Client: (options, url) => new Client(url, options) };

const refused = (name, error, run) => ({ name, throws: error, run: (url) => thrownBy(() => run(url)) });

/** Done when something is made: it throws, and nobody is dialed. The URL is that of a server that sees it if one is. */
export const refusals = [
  ...Object.entries(makers).flatMap(([maker, make]) => [
    ...limits.flatMap((limit) => [
      ...[-1, 0.5, NaN, Infinity, -Infinity, 2 ** 53 + 2].map((value) =>
        refused(`${maker}: ${limit} of ${value}`, outside, (url) => make({ [limit]: value }, url)),
      ),
      ...["1", null, true, 1n, {}].map((value) =>
        refused(`${maker}: ${limit} of ${typeof value} ${String(value)}`, notOfType, (url) =>
          make({ [limit]: value }, url),
        ),
      ),
    ]),
    ...["handshakeTimeout", "closeTimeout"].flatMap((limit) =>
      [-1, 0.5, NaN, Infinity, 2 ** 53 + 2].map((value) =>
        refused(`${maker}: ${limit} of ${value}`, outside, (url) => make({ [limit]: value }, url)),
      ),
    ),
    ...["maxPayload", "__proto__x", "constructor", "toString"].map((name) =>
      refused(`${maker}: an option ${name}`, unknown, (url) => make({ [name]: 1 }, url)),
    ),
    refused(`${maker}: options whose getter throws`, gottenFrom, (url) => make({ get maxLength() {
      return fail();
    } }, url)), // prettier-ignore
    ...["\r", "\n", "\0", "\r\nX-Injected: 1", "\x7f", "\u0100"].flatMap((text) => [
      refused(`${maker}: ${JSON.stringify(text)} in the value of a header`, ["TypeError", "ERR_HEADER"], (url) =>
        make({ additionalHeaders: { "X-A": `a${text}b` } }, url),
      ),
      refused(`${maker}: ${JSON.stringify(text)} in the name of a header`, ["TypeError", "ERR_HEADER"], (url) =>
        make({ additionalHeaders: [[`X-A${text}`, "b"]] }, url),
      ),
      refused(`${maker}: ${JSON.stringify(text)} in a subprotocol`, ["TypeError", "ERR_SUBPROTOCOL"], (url) =>
        make({ acceptProtocols: [`v1${text}`] }, url),
      ),
    ]),
  ]),
  ...["\r", "\n", "\0", "\t", " ", "\r\nX-Injected: 1", "\x7f"].flatMap((text) => [
    refused(
      `Client: ${JSON.stringify(text)} in the URL`,
      ["TypeError", "ERR_URL"],
      (url) => new Client(`${url}${text}x`),
    ),
    refused(
      `Client: ${JSON.stringify(text)} in front of the URL`,
      ["TypeError", "ERR_URL"],
      (url) => new Client(text + url),
    ),
    refused(
      `Client: ${JSON.stringify(text)} behind the URL`,
      ["TypeError", "ERR_URL"],
      (url) => new Client(url + text),
    ),
    refused(
      `Client: ${JSON.stringify(text)} in the URL of an object`,
      ["TypeError", "ERR_URL"],
      (url) => new Client({ href: `${url}${text}` }),
    ),
  ]),
  refused(
    "Client: %0D%0A in the credentials of the URL",
    ["TypeError", "ERR_URL"],
    (url) => new Client(url.replace("//", "//ann:a%0D%0AX-Injected:1@")),
  ),
  refused("Client: a fragment in the URL", ["TypeError", "ERR_URL"], (url) => new Client(`${url}#x`)),
  refused("Client: a URL of another scheme", ["TypeError", "ERR_URL"], (url) => new Client(url.replace("ws:", "ftp:"))),
];

/** What a listener may do, in the words of the step `upon`. */
const deeds = {
  throw() {
    throw new Error("thrown on purpose");
  },
  // What is thrown need not be an error, nor have a text.
  "throw null": () => {
    throw null;
  },
  "throw an object without a text": () => {
    throw Object.create(null);
  },
  reject: () => Promise.reject(new Error("rejected on purpose")),
  "reject later": async () => {
    await Promise.resolve();
    throw new Error("rejected later, on purpose");
  },
  send: (ws) => void ws.send("from inside"),
  sendPing: (ws) => void ws.sendPing("from inside"),
  sendPong: (ws) => void ws.sendPong("from inside"),
  close: (ws) => void ws.close(4000, "from inside"),
  terminate: (ws) => ws.terminate(),
  fill(ws) {
    while (ws.send(new Uint8Array(16_384)));
  },
  async hold(ws) {
    ws.pause();
    await said("resume");
    ws.resume();
  },
  pause(ws) {
    ws.pause();
    setTimeout(() => ws.resume(), 1);
  },
};

/** Has `ws` do a deed the first time that it emits `event`. */
export function upon(ws, event, what) {
  ws.once(event, () => deeds[what](ws));
}
