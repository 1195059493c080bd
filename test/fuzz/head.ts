import * as fc from "fast-check";
import { HybiError } from "../../src/errors.ts";
import { readResponse } from "../../src/protocol/client-handshake.ts";
import { HandshakeError, HeadError } from "../../src/protocol/errors.ts";
import { HeadReader } from "../../src/protocol/head.ts";
import { RefusalError } from "../../src/protocol/refusal.ts";
import { readRequest } from "../../src/protocol/server-handshake.ts";
import { same } from "../helpers/decoding.ts";
import { bytesOf, concat, latin1 } from "../helpers/wire.ts";
import { property } from "./property.ts";
import { anyCuts, anyMutations, cutAt, mutate } from "./streams.ts";

type Kind = "request" | "response";
const kinds: readonly Kind[] = ["request", "response"];
type Limits = Readonly<Record<"maxHeadLength" | "maxHeaders" | "maxTargetLength", number>>;

interface Input {
  readonly kind: Kind;
  readonly limits: Limits;
  readonly bytes: Uint8Array;
  readonly cuts: readonly number[];
}

// RFC 6455 §1.3
const key = "dGhlIHNhbXBsZSBub25jZQ==";
const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const necessary: Record<Kind, readonly string[]> = {
  request: ["Host: localhost", "Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", `Sec-WebSocket-Key: ${key}`], // prettier-ignore
  response: ["Upgrade: WebSocket", "Connection: upgrade", `Sec-WebSocket-Accept: ${accept}`],
};
const others = [
  ..."Host: b|Connection: close|Upgrade: h2c/1, websocket|Content-Length: 0|Content-Length: 5|Origin: http://a".split(
    "|",
  ),
  ...'Sec-WebSocket-Protocol: a, b|Sec-WebSocket-Protocol: a,a|Sec-WebSocket-Extensions: foo; a="b", foo'.split("|"),
  ..."Transfer-Encoding: chunked|Sec-WebSocket-Version: 8|X:|X: \xff|X : y| folded|Cookie: \t a \t".split("|"),
];
const startLines: Record<Kind, readonly string[]> = {
  request: ["GET / HTTP/1.1", "GET /a?b HTTP/1.1", "POST / HTTP/1.1", "GET / HTTP/1.0", "GET //a HTTP/1.1"],
  response: [
    "HTTP/1.1 101 Switching Protocols",
    "HTTP/1.1 101 ",
    "HTTP/1.1 200 OK",
    "HTTP/1.0 101 a",
    "HTTP/1.1 302 \xff",
  ],
};

const limits: readonly Limits[] = [
  { maxHeadLength: 16_384, maxHeaders: 100, maxTargetLength: 8192 },
  { maxHeadLength: 200, maxHeaders: 6, maxTargetLength: 3 },
  { maxHeadLength: 300, maxHeaders: 100, maxTargetLength: 8192 },
];

const inputs: fc.Arbitrary<Input> = fc.constantFrom(...kinds).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    limits: fc.constantFrom(...limits),
    bytes: fc
      .tuple(
        fc.oneof(fc.constant(startLines[kind][0]!), fc.constantFrom(...startLines[kind])),
        fc.shuffledSubarray([...necessary[kind]], { minLength: necessary[kind].length - 1 }),
        fc.oneof(fc.constant<string[]>([]), fc.array(fc.constantFrom(...others), { maxLength: 4 })),
        fc.uint8Array({ maxLength: 5 }),
        anyMutations,
      )
      .map(([start, fields, more, rest, mutations]) => {
        const head = Buffer.from([start, ...fields, ...more, "", ""].join("\r\n"), "latin1");
        return mutate(Uint8Array.from([...head, ...rest]), mutations);
      }),
    cuts: anyCuts,
  }),
);

interface Head {
  readonly startLine: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly rest: string;
}

/** RFC 9112 §2 to §5 for heads that are whole, as one expression; undefined for all others. */
function modelOf({ kind, bytes, limits }: Input): Head | undefined {
  const text = latin1(bytes);
  const content = kind === "request" ? "[\\t -~\\x80-\\xff]" : "[\\t -~]";
  const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]";
  const requestLine = `${token}{1,32} [!-~]{1,${limits.maxTargetLength}} HTTP/1\\.1`;
  const statusLine = `HTTP/1\\.[01] [0-9]{3} ${content}*`;
  const field = `${token}+:${content}*\\r\\n`;
  const start = kind === "request" ? requestLine : statusLine;
  const found = new RegExp(`^(${start})\\r\\n((?:${field}){0,${limits.maxHeaders}})\\r\\n`).exec(text);
  if (!found || found[0].length > limits.maxHeadLength) return undefined;
  const fields = found[2]!.split("\r\n").slice(0, -1);
  return {
    startLine: found[1]!,
    fields: fields.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "")];
    }),
    rest: text.slice(found[0].length),
  };
}

interface Outcome {
  readonly head: Head | undefined;
  /** What came of it, in the end. */
  readonly verdict: unknown;
}

function outcomeOf({ kind, limits }: Input, chunks: readonly Uint8Array[]): Outcome {
  let head: Head | undefined;
  try {
    const reader = new HeadReader(kind, limits);
    let rest: Uint8Array | undefined;
    let behind = "";
    for (const chunk of chunks) {
      if (rest) behind += latin1(chunk);
      else rest = reader.push(chunk);
    }
    if (!rest) return { head, verdict: "goes on" };
    const { headers } = reader.head;
    const startLine =
      "status" in reader.head
        ? `HTTP/${reader.head.version} ${String(reader.head.status).padStart(3, "0")} ${reader.head.reason}`
        : `${reader.head.method} ${reader.head.target} HTTP/1.1`;
    head = { startLine, fields: [...headers], rest: latin1(rest) + behind };
    if ("status" in reader.head) return { head, verdict: readResponse(reader.head, { accept }).status };
    const { path, query, key, host, subprotocols, extensions } = readRequest(reader.head);
    return { head, verdict: { path, query, key, host, subprotocols, extensions } };
  } catch (error) {
    return { head, verdict: refused(kind, error) };
  }
}

function refused(kind: Kind, error: unknown): unknown {
  if (!(error instanceof HybiError)) throw error;
  const { code, message } = error;
  if (error instanceof HeadError) {
    if (kind === "request" ? ![400, 405, 414, 426, 431, 505].includes(error.status) : error.status !== 0) throw error;
  } else if (!(kind === "request" ? error instanceof RefusalError : error instanceof HandshakeError)) throw error;
  return { code, message, status: (error as HeadError | RefusalError | HandshakeError).status };
}

function check(input: Input): void {
  const whole = outcomeOf(input, [input.bytes]);
  same(outcomeOf(input, cutAt(input.bytes, input.cuts)), whole, "cut and whole");
  same(whole.head, modelOf(input), "reader and model");
}

export const head = property("head: the model's, at every cut, or a typed refusal", 1500, inputs, check, {
  read: (source) => ({
    kind: source.one(kinds),
    limits: source.one(limits),
    cuts: source.numbers(),
    bytes: source.rest(),
  }),
  examples: kinds.map((kind, i) => {
    const lines = [startLines[kind][0]!, ...necessary[kind], "", ""];
    return concat([Uint8Array.of(i, 0, 0), bytesOf(lines.join("\r\n"))]);
  }),
});

/** One pattern again and again: whoever looks back at what has passed takes minutes for it. */
const patterns = fc.record({
  kind: fc.constantFrom(...kinds),
  start: fc.constantFrom(
    "",
    "GET ",
    "GET / HTTP/1.1\r\n",
    "HTTP/1.1 200 ",
    "HTTP/1.1 200 \r\nA:",
    "GET / HTTP/1.1\r\nA: ",
  ),
  pattern: fc.string({ unit: fc.constantFrom(...'a:, \t;="\\\r\n'), minLength: 1, maxLength: 4 }),
  size: fc.constantFrom(1, 7, 1000, Infinity),
});
const LONG = 300_000;

export const linear = property(
  "linear: a head takes time in proportion to its bytes",
  30,
  patterns,
  ({ kind, start, pattern, size }) => {
    const reader = new HeadReader(kind, { maxHeadLength: 2 * LONG, maxHeaders: LONG, maxTargetLength: LONG });
    const bytes = bytesOf(start + pattern.repeat(LONG / pattern.length));
    try {
      for (let at = 0; at < bytes.length && !reader.push(bytes.subarray(at, at + size)); at += size);
    } catch (error) {
      refused(kind, error);
    }
  },
);
