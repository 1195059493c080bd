import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  Decoder,
  acceptKey,
  decodeFrameHeader,
  encodeFrame,
  encodeFrameHeader,
  mask,
  validateUtf8,
  type Piece,
} from "../../src/codec/index.ts";
import { makeServer } from "../../src/driver.ts";
import { noise } from "../helpers/bytes.ts";
import { frame, op, sampleKey } from "../helpers/raw-peer.ts";
import { next } from "../helpers/until.ts";
import { Web } from "../helpers/web.ts";

let web: Web;
beforeEach(async () => {
  web = await Web.listen();
});
afterEach(() => web.close());

describe("S47 to S51 the codec on its own, and the examples", () => {
  it("S47 composes frames: every length form, masked and not", () => {
    for (const length of [0, 1, 125, 126, 65_535, 65_536]) {
      const payload = noise(length);
      const maskingKey = Uint8Array.of(1, 2, 3, 4);
      const plain = frame(op.binary, payload, { mask: false });
      const masked = frame(op.text, payload, { fin: false, rsv: 0x40, mask: maskingKey });
      const header = { opcode: op.text, fin: false, rsv: 0x40, maskingKey };
      expect(plain.equals(encodeFrame({ opcode: op.binary, payload }))).toBe(true);
      expect(masked.equals(encodeFrame({ ...header, payload }))).toBe(true);
      expect(masked.subarray(0, masked.length - length).equals(encodeFrameHeader(header, length))).toBe(true);
    }
  });

  it("S48 parses frames at an offset, and reports payloads by callback, however the bytes are cut", () => {
    const hello = frame(op.text, "Hello", { mask: Uint8Array.of(9, 8, 7, 6) });
    const bytes = new Uint8Array(Buffer.concat([Buffer.from("xx"), hello, frame(op.ping, "p")]));
    expect(decodeFrameHeader(bytes, 2)).toEqual({
      fin: true,
      rsv: 0,
      opcode: op.text,
      maskingKey: Uint8Array.of(9, 8, 7, 6),
      payloadLength: 5,
      headerLength: 6,
    });
    expect(decodeFrameHeader(bytes.subarray(0, 7), 2)).toBeUndefined();
    for (let cut = 2; cut <= bytes.length; cut++) {
      const pieces: Piece[] = [];
      using decoder = new Decoder({ role: "server" });
      for (const chunk of [bytes.subarray(2, cut), bytes.subarray(cut)])
        decoder.decode(chunk, { piece: (piece) => pieces.push(piece) });
      const payloadOf = (opcode: number): string =>
        Buffer.concat(pieces.filter((piece) => piece.opcode === opcode).map(({ data }) => data)).toString();
      expect([payloadOf(op.text), payloadOf(op.ping)]).toEqual(["Hello", "p"]);
      expect(pieces.filter(({ first }) => first)).toHaveLength(2);
      expect(pieces.filter(({ last }) => last)).toHaveLength(2);
    }
  });

  it("S48 gives keys and payloads in memory of their own, whoever passes a Buffer in", () => {
    const bytes = frame(op.text, "Hello", { mask: Uint8Array.of(9, 8, 7, 6) });
    const { maskingKey } = decodeFrameHeader(bytes)!;
    const pieces: Piece[] = [];
    using decoder = new Decoder({ role: "server" });
    decoder.decode(bytes, { piece: (piece) => pieces.push(piece) });
    bytes.fill(0);
    decoder.decode(frame(op.text, "other"), { piece: () => undefined });
    expect(new Uint8Array(maskingKey!)).toEqual(Uint8Array.of(9, 8, 7, 6));
    expect(pieces.map(({ data }) => Buffer.from(data).toString())).toEqual(["Hello"]);
  });

  it("S49 masks, validates and computes the accept key", () => {
    const key = Uint8Array.of(0x37, 0xfa, 0x21, 0x3d);
    // RFC 6455 §5.7: "Hello", masked.
    const masked = Uint8Array.of(0x7f, 0x9f, 0x4d, 0x51, 0x58);
    const hello = new Uint8Array(Buffer.from("Hello"));
    expect(mask(hello, key)).toEqual(masked);
    expect(mask(masked.subarray(2), key, 2)).toEqual(hello.subarray(2));
    expect(validateUtf8(Buffer.from("Grüße"))).toBe(true);
    expect(validateUtf8(Buffer.from("Grüße").subarray(0, 3))).toBe(false);
    expect(acceptKey(sampleKey)).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  it("S50 the echo example, in the seed's few lines", async () => {
    web.server.removeAllListeners("upgrade");
    web.server.on("upgrade", (message, socket, head) => {
      const { method, url, headers } = message;
      const ws = makeServer({ method, url, headers, socket, head });
      ws.on("message", (text) => ws.send(text));
      ws.startConnection();
    });
    const client = web.makeClient();
    client.startConnection();
    client.send("Hi");
    const [echo] = await next(client, "message");
    expect(echo).toBe("Hi");
    await client.close();
  });

  it("S51 the parser takes the seed's benchmark frame over and over", () => {
    using decoder = new Decoder({ role: "server" });
    const one = frame(op.text, "Hello", { mask: Uint8Array.of(0x37, 0xfa, 0x21, 0x3d) });
    const chunk = Buffer.concat(Array.from({ length: 5000 }, () => one));
    let count = 0;
    for (let i = 0; i < 20; i++) {
      decoder.decode(chunk, {
        piece({ data }) {
          if (data.length === 5 && data[0] === 0x48 && data[4] === 0x6f) count++;
        },
      });
    }
    expect(count).toBeGreaterThanOrEqual(99_000); // a frame cut between two windows comes in two pieces
  });
});
