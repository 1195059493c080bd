// Holds all of hybi that has no sockets of its own, in a page or a worker, to the bytes that vectors.ts writes down.
import { Codec, acceptKey, defaultCodec, encodeFrameHeader, mask, validateUtf8 } from "hybi/codec";
import { DeflateModule, deflate, inflate, permessageDeflate } from "hybi/deflate";
import { base64, bytesOf, cuts, latin1, same } from "./bytes.mjs";
import { decoded } from "./decoding.mjs";
import { protocol } from "./protocol.mjs";
import { requests } from "./requests.mjs";

/** The messages of a connection with permessage-deflate, as far as they are whole and valid. */
function inflated(codec, module, { limits }, { parts }) {
  const parameters = [];
  const extension = permessageDeflate({ peerWindowBits: 15, module });
  const { session } = extension.accept([{ name: "permessage-deflate", parameters }]);
  const messages = [];
  let open = "";
  let rsv = 0;
  try {
    for (const { opcode, first, last, data, ...part } of parts) {
      if (opcode >= 8) continue;
      if (first) [open, rsv] = ["", part.rsv];
      open += data;
      if (!last) continue;
      let bytes = Uint8Array.from(open, (character) => character.charCodeAt(0));
      if (rsv) bytes = session.decode(opcode, bytes, limits.maxLength);
      if (opcode === 1 && !validateUtf8(bytes, codec)) return { messages, closeCode: 1007 };
      messages.push([
        opcode === 1 ? "text" : "binary",
        opcode === 1 ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) : latin1(bytes),
      ]);
    }
  } catch ({ code }) {
    return { messages, closeCode: code === "ERR_TOO_LONG" ? 1009 : 1007 };
  } finally {
    session.close();
  }
  return { messages };
}

const checks = {
  decoding(codec, _, { bytes, limits, expected }) {
    for (const chunks of cuts(bytesOf(bytes))) same(decoded(codec, limits, chunks), expected);
  },
  inflating(codec, module, vector) {
    const { violation, ...rest } = decoded(codec, vector.limits, [bytesOf(vector.bytes)]);
    const { messages, closeCode } = inflated(codec, module, vector, rest);
    same({ messages, closeCode: closeCode ?? violation?.closeCode }, vector.expected);
  },
  masking: (codec, _, { bytes, key, phase, expected }) =>
    same(base64(mask(bytesOf(bytes), Uint8Array.from(key), phase, codec)), expected),
  utf8: (codec, _, { bytes, expected }) => same(validateUtf8(bytesOf(bytes), codec), expected),
  accepting: (codec, _, { key, expected }) => same(acceptKey(key, codec), expected),
  headers: (codec, _, { fields, length, expected }) => {
    const maskingKey = fields.key && Uint8Array.from(fields.key);
    same(base64(encodeFrameHeader({ ...fields, maskingKey }, length, codec)), expected);
  },
  deflating(_, module, { bytes, level, expected }) {
    const deflated = deflate(bytesOf(bytes), { level, module });
    same(base64(deflated), expected);
    same(base64(inflate(deflated, { module })), bytes);
  },
  zlib: (_, module, { stream, expected }) => same(base64(inflate(bytesOf(stream), { module })), expected),
  requests,
  protocol,
};

/** Which builds run here if nobody says which. */
export const builds = () => [defaultCodec.build, new DeflateModule().build];

/** The code of the error that a build is refused with; undefined if it runs. */
export function refusal(build) {
  try {
    new Codec(build);
    return undefined;
  } catch ({ code }) {
    return code;
  }
}

/** Checks all vectors of a kind by some build, or the one that is chosen; answers how many there are, and what failed. */
export async function check(kind, build) {
  const vectors = await (await fetch(new URL(`/vectors/${kind}.json`, location.href))).json();
  const codec = build ? new Codec(build) : defaultCodec;
  const module = new DeflateModule(build && (build === "javascript" ? "javascript" : "wasm"));
  const failures = [];
  for (const vector of vectors) {
    try {
      await checks[kind](codec, module, vector);
    } catch (error) {
      failures.push(`${vector.name}: ${error.message}`);
    }
  }
  return { builds: [codec.build, module.build], count: vectors.length, failures };
}
