import { describe, expect, it } from "vitest";
import { Decoder, Utf8Validator, defaultCodec, mask, validateUtf8 } from "../../../src/codec/index.ts";
import { connect, type Message } from "../../../src/index.ts";
import { equal, noise } from "../../helpers/bytes.ts";
import { Listening, WsListening } from "../../helpers/peers.ts";
import { RawServer, frame, op } from "../../helpers/raw-peer.ts";
import { Recording, next, turns, until } from "../../helpers/until.ts";

const lengths = [0, 1, 2, 125, 126, 1000, 16_383, 16_384, 65_536, 100_000];

/** Nobody else has a part in it, and there is nothing more behind it. */
function expectOwn(bytes: Uint8Array): void {
  expect(bytes.constructor).toBe(Uint8Array);
  expect(bytes.buffer).toBeInstanceOf(ArrayBuffer);
  expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, bytes.length]);
}

describe("what is received", () => {
  it("is a Uint8Array with an ArrayBuffer of its own, of exactly its size, at both sides", async () => {
    await using listening = await Listening.start();
    await using theirs = await WsListening.start();
    for (const { own, ws } of [
      await listening.ws().then(({ ws, server }) => ({ own: server, ws })),
      await theirs.pair().then(({ client, ws }) => ({ own: client, ws })),
    ]) {
      const recording = new Recording(own);
      for (const length of lengths) {
        ws.socket.send(noise(length));
        ws.socket.send(noise(length), { fin: false });
        ws.socket.send(noise(7), { fin: true });
      }
      ws.socket.ping("ping");
      ws.socket.pong("pong");
      await until(() => recording.of("pong").length === 1);
      expect(recording.messages.map(({ length }) => length)).toEqual(lengths.flatMap((length) => [length, length + 7]));
      const received = [...recording.messages, ...recording.of("ping"), ...recording.of("pong")] as Uint8Array[];
      for (const bytes of received) expectOwn(bytes);
      expect(new Set(received.map(({ buffer }) => buffer)).size).toBe(received.length);
      // It stays as it was, whatever comes afterwards, and may be written to.
      for (const bytes of received.slice(0, -1)) bytes.fill(1);
      for (let i = 0; i < 100; i++) ws.socket.send(noise(1000, i));
      await until(() => recording.messages.length === 2 * lengths.length + 100);
      for (const bytes of received.slice(0, -1)) expect(bytes.every((byte) => byte === 1)).toBe(true);
      expect(Buffer.from(received.at(-1)!).toString()).toBe("pong");
      for (let i = 0; i < 100; i++)
        expect(equal(recording.messages.at(i - 100) as Uint8Array, noise(1000, i))).toBe(true);
    }
  });
});

describe("what is sent", () => {
  it("is never written to, by either role", async () => {
    await using listening = await Listening.start();
    const { client, server } = await listening.pair();
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      const recording = new Recording(to);
      const sent: Uint8Array[] = [];
      for (const length of lengths) {
        const bytes = noise(length, 3);
        sent.push(bytes);
        from.send(bytes);
        from.send(bytes, { type: "binary", fin: false });
        from.send(bytes, { type: "continuation" });
        if (length < 126) from.sendPing(bytes).valueOf();
        if (length < 126) from.sendPong(bytes).valueOf();
      }
      await until(() => recording.messages.length === 2 * lengths.length);
      for (const bytes of sent) expect(equal(bytes, noise(bytes.length, 3))).toBe(true);
      recording.messages.forEach((message, i) => {
        const expected = noise(lengths[i >> 1]!, 3);
        expect(equal(message as Uint8Array, i % 2 ? Buffer.concat([expected, expected]) : expected)).toBe(true);
      });
    }
  });

  it("is exactly the bytes of a view, whatever lies around it", async () => {
    await using listening = await Listening.start();
    const { client, server } = await listening.pair();
    const whole = noise(200_000);
    const buffer = whole.slice().buffer;
    const views = [
      new Uint8Array(buffer, 1, 100_000),
      new Int16Array(buffer, 2, 10),
      new DataView(buffer, 3, 4),
      Buffer.from(buffer, 5, 6),
      new Float64Array(buffer, 8, 2000),
    ];
    for (const view of views) client.send(view);
    for (const { byteOffset, byteLength } of views)
      expect(equal((await server.read()) as Uint8Array, whole.subarray(byteOffset, byteOffset + byteLength))).toBe(
        true,
      );
    expect(equal(new Uint8Array(buffer), whole)).toBe(true);
    client.terminate();
  });

  it("of shared or resizable memory is what it was when it was passed", async () => {
    await using listening = await Listening.start();
    const { client, server } = await listening.pair();
    const shared = new Uint8Array(new SharedArrayBuffer(100_000)).fill(1);
    const resizable = new Uint8Array(
      new (ArrayBuffer as new (length: number, options: object) => ArrayBuffer)(100_000, { maxByteLength: 200_000 }),
    ).fill(2);
    for (const side of [client, server]) {
      side.send(shared);
      side.send(shared.buffer);
      side.send(resizable);
    }
    shared.fill(9);
    resizable.fill(9);
    for (const side of [server, client]) {
      for (const value of [1, 1, 2]) {
        const message = (await side.read()) as Uint8Array;
        expect([message.length, message.every((byte) => byte === value)]).toEqual([100_000, true]);
      }
    }
    client.terminate();
  });

  it("is small: the same, since it is copied at once", async () => {
    await using listening = await Listening.start();
    const { client, server } = await listening.pair();
    const bytes = new Uint8Array(100).fill(1);
    for (const side of [client, server]) {
      bytes.fill(1);
      side.send(bytes);
      bytes.fill(2);
      side.sendBinary(bytes);
      bytes.fill(3);
    }
    for (const side of [server, client])
      for (const value of [1, 2]) expect(await side.read()).toEqual(new Uint8Array(100).fill(value));
    client.terminate();
  });

  it.each([
    ["null", null],
    ["undefined", undefined],
    ["a number", 12],
    ["an object", {}],
    ["an array", [1, 2]],
    ["a boolean", true],
    ["a function", () => "x"],
    ["a symbol", Symbol("x")],
    ["a Blob", new Blob(["x"])],
    ["what says that it is a Uint8Array", Object.create(Uint8Array.prototype) as unknown],
    [
      "what throws when it is looked at",
      {
        get length(): never {
          throw new Error("looked at");
        },
        get byteLength(): never {
          throw new Error("looked at");
        },
      },
    ],
    ["a detached buffer", detached()],
    ["a view of a detached buffer", detachedView()],
  ])("is refused before a byte leaves: %s", async (_, data) => {
    await using listening = await Listening.start();
    const { peer, server } = await listening.raw();
    const wrong = { name: "TypeError" };
    const bad = data as never;
    expect(() => server.send(bad)).toThrow(expect.objectContaining(wrong));
    expect(() => server.sendText(bad)).toThrow(expect.objectContaining(wrong));
    expect(() => server.sendBinary(bad)).toThrow(expect.objectContaining(wrong));
    expect(() => server.send(bad, { type: "pong" })).toThrow(expect.objectContaining(wrong));
    if (data !== undefined) {
      expect(() => server.sendPing(bad)).toThrow(expect.objectContaining(wrong));
      expect(() => server.sendPong(bad)).toThrow(expect.objectContaining(wrong));
      expect(() => void server.close(1000, bad)).toThrow(expect.objectContaining(wrong));
    }
    await turns(5);
    expect([server.readyState, server.bufferedAmount, peer.pending]).toEqual(["open", 0, 0]);
    server.send("fine");
    expect((await peer.readFrame()).payload.toString()).toBe("fine");
  });
});

function detachedView(): Uint8Array<ArrayBuffer> {
  const view = new Uint8Array(8);
  structuredClone(view, { transfer: [view.buffer] });
  return view;
}

function detached(): ArrayBuffer {
  return detachedView().buffer;
}

describe("the codec used inside a handler", () => {
  /** All that would overwrite the window and the table of events, were they not put back. */
  function useCodec(): void {
    expect(validateUtf8(new Uint8Array(200_000).fill(0x61))).toBe(true);
    expect(new Utf8Validator().push(Uint8Array.of(0xc3))).toBe("incomplete");
    expect(mask(Uint8Array.of(1), Uint8Array.of(1, 1, 1, 1))).toEqual(Uint8Array.of(0));
    using decoder = new Decoder({ role: "server" });
    let pieces = 0;
    const bytes = Buffer.concat(Array.from({ length: 50 }, () => frame(op.binary, noise(3000))));
    decoder.decode(bytes, {
      piece: () => {
        pieces++;
        validateUtf8(noise(10));
      },
    });
    expect(pieces).toBeGreaterThanOrEqual(50);
    using broken = new Decoder({ role: "client" });
    let violations = 0;
    broken.decode(bytes, { piece: () => expect.unreachable(), violation: () => violations++ });
    expect(violations).toBe(1);
  }

  const messageOf = (i: number): string | Uint8Array => (i % 2 ? `ünïcode ${i}` : noise(i * 3, i));
  const count = 60;

  function check(messages: readonly Message[]): void {
    expect(messages).toHaveLength(count);
    messages.forEach((message, i) => {
      const right = messageOf(i);
      if (typeof right === "string") expect(message).toBe(right);
      else expect(equal(message as Uint8Array, right)).toBe(true);
    });
  }

  it("does not disturb what is delivered next: server", async () => {
    await using listening = await Listening.start();
    const { peer, server } = await listening.raw();
    const messages: Message[] = [];
    let controls = 0;
    const control = (): void => {
      controls++;
      useCodec();
    };
    server.on("ping", control).on("pong", control);
    server.on("message", (message) => {
      useCodec();
      server.send(noise(70_000));
      messages.push(message);
    });
    const frames = Array.from({ length: count }, (_, i) => [
      frame(typeof messageOf(i) === "string" ? op.text : op.binary, messageOf(i)),
      frame(i % 2 ? op.ping : op.pong, `${i}`),
    ]);
    peer.write(Buffer.concat(frames.flat()));
    await until(() => messages.length === count && controls === count);
    check(messages);
  });

  it("does not disturb what is delivered next: client, from `open` on", async () => {
    await using raw = await RawServer.listen();
    const connecting = connect(raw.url);
    const frames = Array.from({ length: count }, (_, i) =>
      frame(typeof messageOf(i) === "string" ? op.text : op.binary, messageOf(i), { mask: false }),
    );
    void raw.open("", Buffer.concat(frames));
    const client = await connecting;
    const messages: Message[] = [];
    client.on("message", (message) => {
      useCodec();
      client.send(noise(70_000));
      messages.push(message);
    });
    await until(() => messages.length === count);
    check(messages);
    client.terminate();
    await next(client, "close");
  });

  it("leaves no slot behind", () => {
    const before = defaultCodec.slotsTaken;
    useCodec();
    expect(defaultCodec.slotsTaken).toBe(before);
  });
});
