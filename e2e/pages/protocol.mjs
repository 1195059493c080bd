// Plays the conformance cases to `hybi/driver`, over sockets in memory.
import { acceptKey } from "hybi/codec";
import { permessageDeflate } from "hybi/deflate";
import { makeClient, makeServer } from "hybi/driver";
import { joined } from "../../test/conformance/agent/data.mjs";
import { reversing } from "../../test/conformance/agent/reversing.mjs";
import { bytesOf, bytesOfLatin1, cuts, latin1, same } from "./bytes.mjs";
import { decoded } from "./decoding.mjs";
import { MemoryStreams, MemoryTransport } from "./sockets.mjs";

const key = "dGhlIHNhbXBsZSBub25jZQ==";
const upgrade = { Connection: "Upgrade", Upgrade: "websocket" };

/** The fields of a request, or of a response, that opens a connection with this extension. */
const fields = (own, extension) => ({
  ...upgrade,
  ...own,
  ...(extension && { "Sec-WebSocket-Extensions": extension }),
});

/**
 * How a connection of each role begins: over a transport, with the peer's half of the handshake on its own; or over web
 * streams, together with all that comes behind it.
 */
const openings = {
  server(options, extension, chunks, isTogether, worked) {
    const socket = isTogether ? new MemoryStreams(() => [], worked) : new MemoryTransport(() => chunks, worked);
    const headers = fields({ Host: "localhost", "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13" }, extension);
    const head = isTogether ? joined(chunks) : undefined;
    return { socket, connection: makeServer({ headers, httpVersion: "1.1", socket, head }, options) };
  },
  client(options, extension, chunks, isTogether, worked) {
    const answer = (request) => {
      const [, nonce] = /^Sec-WebSocket-Key: (.*)\r$/im.exec(request);
      const lines = Object.entries(fields({ "Sec-WebSocket-Accept": acceptKey(nonce) }, extension));
      const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
      const response = bytesOfLatin1(`HTTP/1.1 101 Switching Protocols\r\n${text}\r\n`);
      return isTogether ? [joined([response, ...chunks])] : [response, ...chunks];
    };
    const socket = isTogether ? new MemoryStreams(answer, worked) : new MemoryTransport(answer, worked);
    return { socket, connection: makeClient("ws://localhost/", { ...options, dial: () => socket }) };
  },
};

const extensionsOf = {
  "x-reversing": () => [reversing],
  "permessage-deflate": (module) => [permessageDeflate({ peerWindowBits: 15, module })],
};

/** The frames that were sent, which are Pongs and at most one Close. */
function sentBy(role, codec, bytes, errors) {
  const limits = { role: role === "server" ? "client" : "server" };
  const { parts, violation } = decoded(codec, limits, [bytes]);
  if (violation) throw new Error(`a frame was sent that ${violation.code} forbids`);
  return parts.map(({ opcode, rsv, data }) => {
    if (opcode !== 8) return [0x80 | rsv | opcode, data];
    if (data === "") return ["close", undefined, ""];
    const payload = bytesOfLatin1(data);
    const reason = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload.subarray(2));
    const isWhy = reason !== "" && errors.some(({ message }) => message.includes(reason));
    return ["close", payload[0] * 256 + payload[1], isWhy ? "(why)" : reason];
  });
}

/** What a connection comes to that is sent these chunks. */
async function played(codec, module, { role, limits, extension }, chunks, isTogether) {
  const extensions = extension ? extensionsOf[extension](module) : [];
  const options = { codec, ...limits, extensions };
  const events = [];
  const errors = [];
  let readyState;
  const worked = () => (readyState = connection.readyState);
  const { socket, connection } = openings[role](options, extension, chunks, isTogether, worked);
  connection.on("message", (data) => events.push(typeof data === "string" ? ["text", data] : ["binary", latin1(data)]));
  for (const event of ["ping", "pong"]) connection.on(event, (payload) => events.push([event, latin1(payload)]));
  connection.on("error", (error) => {
    errors.push(error);
    events.push(["failed", error.closeCode, error.code]);
  });
  const closed = new Promise((resolve) => connection.on("close", (...args) => resolve(args)));
  connection.startConnection();
  const [closeCode, closeReason] = await closed;
  const { received } = socket;
  const frames = bytesOfLatin1(received.slice(received.indexOf("\r\n\r\n") + 4));
  const sent = sentBy(role, codec, frames, errors);
  return { events, sent, readyState, closeCode, closeReason, wasClean: connection.wasClean };
}

export async function protocol(codec, module, vector) {
  const bytes = bytesOf(vector.bytes);
  for (const chunks of cuts(bytes)) same(await played(codec, module, vector, chunks, false), vector.expected);
  same(await played(codec, module, vector, [bytes], true), vector.expected);
}
