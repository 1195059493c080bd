import { describe, expect, it } from "vitest";
import { Codec } from "../../src/codec/index.ts";
import { connect, ProtocolError, type Extension, type ExtensionSession } from "../../src/index.ts";
import { equal, noise } from "../helpers/bytes.ts";
import { Listening } from "../helpers/peers.ts";
import { RawPeer, frame, op, request } from "../helpers/raw-peer.ts";
import { Recording, thrownBy, until } from "../helpers/until.ts";

const RSV1 = 0x40;
const RSV2 = 0x20;

interface Toy extends Extension {
  /** Sessions that were opened, and those of them that were closed. */
  readonly log: string[];
}

/** Exclusive-ors every message of more than two bytes with a byte that the server picks. */
function toy(name: string, rsv: number, key = 0x5a): Toy {
  const log: string[] = [];
  const session = (agreed: number): ExtensionSession => {
    log.push("open");
    const turn = (data: Uint8Array): Uint8Array => Uint8Array.from(data, (byte) => byte ^ agreed);
    return {
      rsv,
      encode(opcode, data) {
        log.push(`encode ${opcode}`);
        return data.length > 2 ? turn(data) : undefined;
      },
      decode(opcode, data, maxLength) {
        log.push(`decode ${opcode}`);
        if (data.length > maxLength) throw new ProtocolError("ERR_TOO_LONG", "too long", 1009);
        if (data.length < 3) throw new Error("too short to be true");
        return turn(data);
      },
      close: () => void log.push("close"),
    };
  };
  return {
    name,
    log,
    offer: () => [{ name, parameters: [["any-key", true]] }],
    accept: (offers) =>
      offers.some(({ parameters }) => parameters.some(([parameter]) => parameter === "any-key"))
        ? { response: { name, parameters: [["key", String(key)]] }, session: session(key) }
        : undefined,
    confirm: ({ parameters }) => session(Number(parameters.find(([parameter]) => parameter === "key")?.[1])),
  };
}

describe("an extension", () => {
  it("is negotiated, and transforms whole messages both ways", async () => {
    const [atServer, atClient] = [toy("x-toy", RSV2), toy("x-toy", RSV2)];
    await using listening = await Listening.start({ extensions: [atServer] });
    const { client, server } = await listening.pair({ extensions: [atClient] });
    expect([client.extensions, server.extensions]).toEqual([["x-toy"], ["x-toy"]]);
    expect(client.response!.headers.get("sec-websocket-extensions")).toBe("x-toy; key=90");
    const large = noise(100_000);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      for (const message of ["Grüße", "", "ab", large, new Uint8Array(0)]) from.send(message);
      expect([await to.read(), await to.read(), await to.read()]).toEqual(["Grüße", "", "ab"]);
      expect(equal((await to.read()) as Uint8Array, large)).toBe(true);
      expect(await to.read()).toEqual(new Uint8Array(0));
    }
    // Control frames pass by extensions (§5.2: the bits are of messages), and so do messages sent in fragments.
    const answered = new Promise<Error | undefined>((resolve) => client.sendPing("ping", resolve));
    client.send("frag", { fin: false });
    client.send("ment", { type: "continuation" });
    expect(await server.read()).toBe("fragment");
    expect(await answered).toBeUndefined();
    await client.close();
    await until(() => server.readyState === "closed");
    for (const { log } of [atServer, atClient]) {
      expect(log.filter((entry) => entry === "open" || entry === "close")).toEqual(["open", "close"]);
      expect(log.filter((entry) => entry === "encode 1")).toHaveLength(3);
      expect(log.filter((entry) => entry === "encode 2")).toHaveLength(2);
      // Without the bit, nothing is undone.
      expect(log.filter((entry) => entry.startsWith("decode"))).toEqual(["decode 1", "decode 2"]);
    }
  });

  it("is on the wire what it says", async () => {
    await using listening = await Listening.start({ extensions: [toy("x-toy", RSV2, 1)] });
    const peer = await RawPeer.connect(listening.port);
    peer.write(request({ "Sec-WebSocket-Extensions": "x-other, x-toy; any-key" }));
    expect((await peer.readHead()).headers["sec-websocket-extensions"]).toBe("x-toy; key=1");
    const server = await listening.connection();
    server.send("abc");
    server.send("ab");
    expect(await peer.readFrame()).toMatchObject({ rsv: RSV2, opcode: op.text, payload: Buffer.from("`cb") });
    expect(await peer.readFrame()).toMatchObject({ rsv: 0, opcode: op.text, payload: Buffer.from("ab") });
    // §5.2: on the first fragment only.
    peer.send(op.text, "`", { rsv: RSV2, fin: false });
    peer.send(op.ping, "p");
    peer.send(op.continuation, "cb");
    expect(await server.read()).toBe("abc");
    peer.destroy();
  });

  it.each([
    ["its bit on a continuation", [frame(1, "a", { fin: false }), frame(0, "b", { rsv: RSV2 })], 1002],
    ["its bit on a control frame", [frame(op.ping, "abc", { rsv: RSV2 })], 1002],
    ["another bit", [frame(op.text, "abc", { rsv: RSV1 })], 1002],
    ["what it cannot decode", [frame(op.text, "ab", { rsv: RSV2 })], 1007],
    ["text that is not UTF-8 once decoded", [frame(op.text, Uint8Array.of(0x61, 0x62, 0xfe), { rsv: RSV2 })], 1007],
    ["what is too long once decoded", [frame(op.binary, new Uint8Array(11), { rsv: RSV2 })], 1009],
  ])("fails the connection at %s", async (_, frames, code) => {
    const extension = toy("x-toy", RSV2, 1);
    await using listening = await Listening.start({ extensions: [extension], maxLength: 10 });
    const peer = await RawPeer.open(listening.port, { "Sec-WebSocket-Extensions": "x-toy; any-key" });
    const recording = new Recording(await listening.connection());
    peer.write(Buffer.concat(frames));
    expect((await peer.readClose()).code).toBe(code);
    peer.end();
    expect(await recording.closed()).toEqual([[1006, ""]]);
    expect(recording.messages).toEqual([]);
    expect(extension.log.at(-1)).toBe("close");
  });

  it("is passed in order, and undone in reverse, when there are two", async () => {
    const order: string[] = [];
    /** Puts its letter in front. */
    const letter = (name: string, rsv: number): Extension => {
      const session: ExtensionSession = {
        rsv,
        encode: (_, data) => (order.push(`+${name}`), Buffer.concat([Buffer.from(name), data])),
        decode: (_, data) => (order.push(`-${name}`), expect(data[0]).toBe(name.charCodeAt(0)), data.subarray(1)),
        close: () => undefined,
      };
      const response = { name, parameters: [] };
      return { name, offer: () => [response], accept: () => ({ response, session }), confirm: () => session };
    };
    const both = (): Extension[] => [letter("a", RSV1), letter("b", RSV2)];
    await using listening = await Listening.start({ extensions: both() });
    const { client, server } = await listening.pair({ extensions: both().reverse() });
    expect(client.extensions).toEqual(["b", "a"]);
    expect(server.extensions).toEqual(["b", "a"]);
    client.send("x");
    expect(await server.read()).toBe("x");
    expect(order).toEqual(["+b", "+a", "-a", "-b"]);
  });

  it("is declined when the server does not have it, or takes none of the offers", async () => {
    await using without = await Listening.start();
    const first = await without.pair({ extensions: [toy("x-toy", RSV2)] });
    expect([first.client.extensions, first.server.extensions]).toEqual([[], []]);
    await using picky = await Listening.start({ extensions: [{ ...toy("x-toy", RSV2), accept: () => undefined }] });
    const second = await picky.pair({ extensions: [toy("x-toy", RSV2)] });
    expect([second.client.extensions, second.server.extensions]).toEqual([[], []]);
    second.client.send("plain");
    expect(await second.server.read()).toBe("plain");
  });

  it("that the client does not confirm fails its handshake, and closes what was open", async () => {
    const mine = toy("x-toy", RSV2);
    await using listening = await Listening.start({ extensions: [toy("x-toy", RSV2)] });
    const refusing: Extension = {
      ...mine,
      confirm() {
        throw new ProtocolError("ERR_HANDSHAKE_RESPONSE", "not like this", 1010);
      },
    };
    expect(await thrownBy(() => connect(listening.url, { extensions: [refusing] }))).toMatchObject({
      code: "ERR_HANDSHAKE_RESPONSE",
      status: 101,
    });
  });

  it("that throws while it is negotiated costs that connection a 500, and the server nothing", async () => {
    let calls = 0;
    const broken: Extension = {
      ...toy("x-toy", RSV2),
      accept() {
        calls++;
        throw new Error("my mistake");
      },
    };
    await using listening = await Listening.start({ extensions: [broken] });
    expect(await thrownBy(() => connect(listening.url, { extensions: [toy("x-toy", RSV2)] }))).toMatchObject({
      code: "ERR_HANDSHAKE_REFUSED",
      status: 500,
    });
    const { client, server } = await listening.pair();
    client.send("alive");
    expect([await server.read(), calls]).toEqual(["alive", 1]);
  });

  it("is closed when the connection cannot be opened after all", async () => {
    const codec = new Codec("scalar");
    let slot = codec.exports.openSlot(1, 0, 1, 1);
    for (let more = slot; more !== 0; more = codec.exports.openSlot(1, 0, 1, 1)) slot = more;
    const [atServer, atClient] = [toy("x-toy", RSV2), toy("x-toy", RSV2)];
    await using full = await Listening.start({ extensions: [atServer], codec });
    expect(await thrownBy(() => connect(full.url, { extensions: [atClient] }))).toMatchObject({ status: 503 });
    expect([atServer.log, atClient.log]).toEqual([["open", "close"], []]);

    await using listening = await Listening.start({ extensions: [toy("x-toy", RSV2)] });
    const options = { extensions: [atClient], codec };
    expect(await thrownBy(() => connect(listening.url, options))).toMatchObject({ code: "ERR_NO_SLOT" });
    expect(atClient.log).toEqual(["open", "close"]);
    codec.exports.closeSlot(slot);
    expect((await connect(listening.url, options)).extensions).toEqual(["x-toy"]);
  });
});
