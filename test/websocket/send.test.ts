import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "../../src/websocket.ts";
import { EventLog, event, openOver, thrownName } from "../helpers/face.ts";
import { Listening, WsListening } from "../helpers/peers.ts";
import { RawServer, op } from "../helpers/raw-peer.ts";
import { turns, until } from "../helpers/until.ts";

let raw: RawServer;
beforeEach(async () => {
  raw = await RawServer.listen();
});
afterEach(() => raw.close());

/** Whatever a caller may pass who has no types. */
const send = (ws: WebSocket, ...given: unknown[]): void => ws.send(...(given as [string]));

/** A Blob whose bytes are there when the test says so. */
class SlowBlob extends Blob {
  readonly ready: (error?: Error) => void;
  readonly #bytes: Promise<void>;

  constructor(text: string) {
    super([text]);
    let ready!: (error?: Error) => void;
    this.#bytes = new Promise((resolve, reject) => (ready = (error) => (error ? reject(error) : resolve())));
    this.#bytes.catch(() => undefined);
    this.ready = ready;
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    await this.#bytes;
    return super.arrayBuffer();
  }
}

describe("send()", () => {
  it("before the connection is open throws InvalidStateError, behind the conversion", () => {
    const ws = new WebSocket(raw.url);
    expect(thrownName(() => send(ws, "x"))).toBe("InvalidStateError");
    expect(thrownName(() => send(ws, new Blob(["x"])))).toBe("InvalidStateError");
    expect(thrownName(() => send(ws, Symbol("x")))).toBe("TypeError");
    expect(thrownName(() => send(ws))).toBe("TypeError");
    expect(ws.bufferedAmount).toBe(0);
    ws.close();
    expect(thrownName(() => send(ws, "x"))).toBe("nothing");
    expect(ws.bufferedAmount).toBe(1);
  });

  it("needs an argument", async () => {
    const { ws } = await openOver(raw);
    expect(thrownName(() => send(ws))).toBe("TypeError");
    ws.close();
  });

  const bytes = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const { buffer } = bytes;
  it.each<[string, unknown, string]>([
    ["a string", "Hello", "Hello"],
    ["an empty string", "", ""],
    ["text of all lengths in UTF-8", "aü世😀", "aü世😀"],
    ["unpaired surrogates", "a\ud800b\udc00\ud83d", "a\ufffdb\ufffd\ufffd"],
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["a number", 1.5, "1.5"],
    ["a BigInt", 7n, "7"],
    ["an object", {}, "[object Object]"],
    ["an object that has text", { toString: () => "text" }, "text"],
    ["an array", [1, [2, 3]], "1,2,3"],
    ["a String object", Object("text"), "text"],
    ["shared memory itself, which is no BufferSource", new SharedArrayBuffer(4), "[object SharedArrayBuffer]"],
  ])("sends as text %s", async (_name, data, text) => {
    const { ws, peer } = await openOver(raw);
    send(ws, data);
    expect(ws.bufferedAmount).toBe(Buffer.byteLength(text));
    const { fin, rsv, opcode, payload } = await peer.readFrame();
    expect({ fin, rsv, opcode, text: payload.toString() }).toEqual({ fin: true, rsv: 0, opcode: op.text, text });
    ws.close();
  });

  it.each<[string, unknown, number[]]>([
    ["an ArrayBuffer", buffer, [...bytes]],
    ["an empty ArrayBuffer", new ArrayBuffer(0), []],
    ["a part of a Uint8Array", bytes.subarray(3, 6), [3, 4, 5]],
    ["a DataView", new DataView(buffer, 2, 2), [2, 3]],
    ["a Float64Array", new Float64Array(buffer, 8, 1), [8, 9, 10, 11, 12, 13, 14, 15]],
    ["a BigInt64Array", new BigInt64Array(buffer, 0, 1), [0, 1, 2, 3, 4, 5, 6, 7]],
    ["an Int8Array", new Int8Array(buffer, 15), [15]],
    ["a Buffer", Buffer.from([1, 2]), [1, 2]],
    ["a Blob", new Blob([bytes.subarray(0, 2), "a"]), [0, 1, 97]],
    ["an empty Blob", new Blob([]), []],
    ["a slice of a Blob", new Blob(["abcdef"]).slice(1, 3), [98, 99]],
  ])("sends as binary %s", async (_name, data, expected) => {
    const { ws, peer } = await openOver(raw);
    send(ws, data);
    expect(ws.bufferedAmount).toBe(expected.length);
    const { fin, opcode, payload } = await peer.readFrame();
    expect({ fin, opcode, bytes: [...payload] }).toEqual({ fin: true, opcode: op.binary, bytes: expected });
    ws.close();
  });

  it("sends nothing of what was transferred away", async () => {
    const { ws, peer } = await openOver(raw);
    const gone = new Uint8Array(8);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    send(ws, gone);
    send(ws, gone.buffer);
    expect(ws.bufferedAmount).toBe(0);
    for (let i = 0; i < 2; i++) expect((await peer.readFrame()).payload.length).toBe(0);
    ws.close();
  });

  it("refuses memory that may change under it", async () => {
    const { ws } = await openOver(raw);
    const Resizable = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => ArrayBuffer;
    const resizable = new Resizable(4, { maxByteLength: 8 });
    for (const data of [resizable, new Uint8Array(resizable), new Uint8Array(new SharedArrayBuffer(4))])
      expect(thrownName(() => send(ws, data))).toBe("TypeError");
    expect(ws.bufferedAmount).toBe(0);
    ws.close();
  });

  it("sends bytes as they are at that moment, also behind a Blob", async () => {
    const { ws, peer } = await openOver(raw);
    const large = new Uint8Array(70_000).fill(1);
    const small = Uint8Array.of(1);
    ws.send(large);
    ws.send(small);
    const blob = new SlowBlob("b");
    ws.send(blob);
    ws.send(small);
    ws.send(large);
    // A `slice` of which is no copy.
    const buffer = Buffer.of(1);
    ws.send(buffer);
    for (const bytes of [large, small, buffer]) bytes.fill(2);
    blob.ready();
    const sums: number[] = [];
    for (let i = 0; i < 6; i++) sums.push((await peer.readFrame()).payload.reduce((sum, byte) => sum + byte, 0));
    expect(sums).toEqual([70_000, 1, 98, 1, 70_000, 1]);
    ws.close();
  });

  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 65_537, 1_000_000])(
    "carries %d bytes, and as many units",
    async (n) => {
      await using listening = await WsListening.start();
      const ws = new WebSocket(listening.url);
      ws.binaryType = "arraybuffer";
      const [{ ws: other }] = await Promise.all([listening.connection(), event(ws, "open")]);
      const log = new EventLog(ws);
      const bytes = new Uint8Array(n).map((_, i) => i * 7);
      const text = "x".repeat(n);
      ws.send(bytes);
      ws.send(text);
      ws.send(new Blob([bytes]));
      await until(() => other.messages.length === 3);
      expect(other.messages.map((one) => one.length)).toEqual([n, n, n]);
      expect(Buffer.compare(other.messages[0] as Buffer, bytes)).toBe(0);
      expect(other.messages[1]).toBe(text);
      expect(Buffer.compare(other.messages[2] as Buffer, bytes)).toBe(0);
      for (const message of other.messages) other.socket.send(message);
      await until(() => log.data.length === 3);
      expect(Buffer.compare(new Uint8Array(log.data[0] as ArrayBuffer), bytes)).toBe(0);
      expect(log.data[1]).toBe(text);
      ws.close();
    },
  );
});

describe("the order of Blobs among others", () => {
  it("is that of the sends, however long a Blob takes", async () => {
    const { ws, peer } = await openOver(raw);
    const [first, second] = [new SlowBlob("1"), new SlowBlob("4")];
    ws.send("0");
    ws.send(first);
    ws.send("2");
    ws.send(Uint8Array.of(51));
    ws.send(second);
    ws.send("5");
    expect(ws.bufferedAmount).toBe(6);
    second.ready();
    expect((await peer.readFrame()).payload.toString()).toBe("0");
    await turns(5);
    expect([peer.pending, ws.bufferedAmount]).toEqual([0, 5]);
    first.ready();
    for (const text of ["1", "2", "3", "4", "5"]) expect((await peer.readFrame()).payload.toString()).toBe(text);
    await until(() => ws.bufferedAmount === 0);
    ws.send("6");
    expect((await peer.readFrame()).payload.toString()).toBe("6");
    ws.close();
  });

  it("has the Close frame last", async () => {
    const { ws, peer } = await openOver(raw);
    const blob = new SlowBlob("1");
    ws.send(blob);
    ws.send("2");
    ws.close(1000, "done");
    expect(ws.readyState).toBe(2);
    ws.send("too late");
    await turns(5);
    expect(peer.pending).toBe(0);
    blob.ready();
    for (const text of ["1", "2"]) expect((await peer.readFrame()).payload.toString()).toBe(text);
    expect(await peer.readClose()).toEqual({ code: 1000, reason: "done" });
  });

  it("a Blob that cannot be read fails the connection", async () => {
    const { ws, log } = await openOver(raw);
    const blob = new SlowBlob("1");
    ws.send(blob);
    ws.send("2");
    const error = new Error("The file is gone.");
    blob.ready(error);
    expect(await log.closed()).toEqual({ code: 1006, reason: "", wasClean: false });
    expect(log.types).toEqual(["open", "error", "close"]);
    expect(log.error).toBe(error);
    expect(ws.bufferedAmount).toBe(2);
  });

  it("a Blob that comes when it is too late is not sent", async () => {
    const { ws, peer, log } = await openOver(raw);
    const blob = new SlowBlob("1");
    ws.send(blob);
    peer.send(op.close, "", { mask: false });
    await peer.readClose();
    blob.ready();
    peer.end();
    expect(await log.closed()).toEqual({ code: 1005, reason: "", wasClean: true });
    expect((await peer.rest()).length).toBe(0);
    expect(ws.bufferedAmount).toBe(1);
  });
});

describe("bufferedAmount", () => {
  it("counts in bytes of UTF-8, without framing, until the task is over", async () => {
    const { ws, peer } = await openOver(raw);
    ws.send("aü世😀");
    expect(ws.bufferedAmount).toBe(10);
    ws.send(new Uint8Array(5));
    expect(ws.bufferedAmount).toBe(15);
    // Reactions of promises belong to the task.
    for (let i = 0; i < 50; i++) await Promise.resolve();
    expect(ws.bufferedAmount).toBe(15);
    ws.send(new Blob(["abc"]));
    expect(ws.bufferedAmount).toBe(18);
    await until(() => ws.bufferedAmount === 0);
    for (let i = 0; i < 3; i++) await peer.readFrame();
    ws.close();
  });

  it("stays while the peer does not read", async () => {
    const { ws, peer } = await openOver(raw);
    peer.socket.pause();
    const piece = new Uint8Array(1 << 20);
    for (let i = 0; i < 32; i++) ws.send(piece);
    expect(ws.bufferedAmount).toBe(32 << 20);
    await turns(50);
    const stuck = ws.bufferedAmount;
    expect(stuck).toBeGreaterThan(0);
    peer.socket.resume();
    await until(() => ws.bufferedAmount === 0);
    ws.close();
  });

  it("only grows once the connection is closing, or closed", async () => {
    const { ws, log } = await openOver(raw);
    ws.close();
    ws.send("abc");
    ws.send(new Blob(["de"]));
    expect(ws.bufferedAmount).toBe(5);
    await raw.close();
    await log.closed();
    ws.send(new ArrayBuffer(10));
    await turns(5);
    expect(ws.bufferedAmount).toBe(15);
  });

  it("keeps what could not be sent when the connection broke", async () => {
    const { ws, peer, log } = await openOver(raw);
    peer.socket.pause();
    for (let i = 0; i < 32; i++) ws.send(new Uint8Array(1 << 20));
    await turns(5);
    peer.reset();
    await log.closed();
    const left = ws.bufferedAmount;
    expect(left).toBeGreaterThan(0);
    ws.send("x");
    expect(ws.bufferedAmount).toBe(left + 1);
  });

  it("past its limit the connection is flagged as full, and closed", async () => {
    const { ws, peer, log } = await openOver(raw, { maxQueuedBytes: 1 << 20 });
    peer.socket.pause();
    for (let i = 0; i < 64 && ws.readyState === 1; i++) {
      ws.send(new Uint8Array(1 << 20));
      await turns(2);
    }
    peer.socket.resume();
    peer.end();
    expect(await log.closed()).toMatchObject({ code: 1006, wasClean: false });
    expect(log.types).toEqual(["open", "error", "close"]);
    expect(log.error?.code).toBe("ERR_SLOW_CONSUMER");
    expect(ws.bufferedAmount).toBeGreaterThan(0);
  });
});

describe("to a hybi server", () => {
  it("everything comes as it was sent", async () => {
    await using listening = await Listening.start();
    const ws = new WebSocket(listening.url);
    const [server] = await Promise.all([listening.connection(), event(ws, "open")]);
    for (let i = 0; i < 200; i++)
      ws.send(i % 3 === 0 ? new Blob([`${i}`]) : i % 3 === 1 ? `${i}` : Buffer.from(`${i}`));
    ws.close();
    const got: string[] = [];
    for await (const message of server) got.push(Buffer.from(message as string).toString());
    expect(got).toEqual(Array.from({ length: 200 }, (_, i) => `${i}`));
  });
});
