import { beforeEach, describe, expect, it } from "vitest";
import { Codec } from "../../src/codec/codec.ts";
import { bufferText } from "../../src/hosts/buffer-text.ts";
import { Protocol, type ProtocolHandler, type Role } from "../../src/protocol/protocol.ts";
import { concat, frame, Peer, readFrames } from "../helpers/wire.ts";

const limits = { maxLength: 2 ** 20, maxFragments: 100 };
const KEY = 0x04030201;

const codec = new Codec();
let encoded: string[] = [];
codec.useText((memory, kernels) => {
  const text = bufferText(memory, kernels);
  const encode = (string: string, at: number): number => (encoded.push(string), text.encode(string, at));
  const encodeBytes = (string: string): Uint8Array => (encoded.push(string), text.encodeBytes(string));
  return { ...text, encode, encodeBytes };
});

beforeEach(() => {
  encoded = [];
});

/** An open connection of `role` that does with each message what `message` does. */
function open(role: Role, message: (text: string) => void = () => undefined): Protocol {
  const nothing = (): void => undefined;
  const unexpected = (error: Error): void => expect.fail(error.message);
  const handler: ProtocolHandler = {
    message: (received) => message(received as string),
    ping: nothing,
    pong: nothing,
    closeDone: nothing,
    failed: unexpected,
  };
  const protocol = new Protocol(
    { role, codec, ...limits, maskingKey: role === "client" ? () => KEY : undefined },
    handler,
  );
  protocol.open();
  return protocol;
}

/** One that has sent a text that is not ASCII, and so sends each by itself. */
function sender(role: Role = "server"): Protocol {
  const protocol = open(role);
  protocol.sendText("ß");
  expect(textsOf(protocol)).toEqual(["ß"]);
  encoded = [];
  return protocol;
}

const textsOf = (protocol: Protocol): string[] =>
  readFrames(concat(protocol.outbox?.take() ?? [])).map(({ payload }) => Buffer.from(payload).toString());

const peer = new Peer("server");
/** On both sides of where a header, and what is done with a payload, changes; the last fills the window. */
const counts = [1, 62, 63, 200, 300, 1000, 8189, 8191, 8192, 8200, 20_000, 32_763];
const texts = counts.flatMap((count) => ["é".repeat(count), "az".repeat(count)]);

describe("a text that is sent on as it came", () => {
  it.each(["server", "client"] as const)("by a %s leaves as it came, and is not encoded", (role) => {
    for (const text of ["a", "né", ...texts]) {
      const other = sender(role);
      const one = open("server", (received) => {
        other.sendText(received);
        other.sendText(received);
      });
      one.receive(peer.text(text));
      expect(textsOf(other)).toEqual([text, text]);
      expect(encoded).toEqual([]);
    }
  });

  it("in between others, each as it is", () => {
    const other = sender();
    const one = open("server", (received) => {
      for (const text of [received, `${received}!`, "ascii", received, "日本"]) other.sendText(text);
    });
    const received = ["né", "¡sí!", "plain", "ascii", "ñ"];
    one.receive(concat(received.map((text) => peer.text(text))));
    const sent = (text: string): string[] => [text, `${text}!`, "ascii", text, "日本"];
    expect(textsOf(other)).toEqual(received.flatMap(sent));
  });

  it("does not drive another connection's frames out of linear memory, where they leave from", () => {
    const others = [open("server"), open("server"), open("server")];
    const one = open("server", (received) => {
      for (const other of others) other.sendText(received);
    });
    one.receive(concat([peer.text("to all"), peer.text("and again")]));
    for (const other of others) {
      expect(other.outbox!.end).toBeGreaterThan(0);
      expect(textsOf(other)).toEqual(["to all", "and again"]);
    }
  });

  it("is encoded for none of many connections if it is not ASCII", () => {
    const before = open("server");
    before.sendText("ascii");
    expect(textsOf(before)).toEqual(["ascii"]);
    encoded = [];
    const others = [open("server"), open("server"), open("server")];
    const one = open("server", (received) => {
      for (const other of others) other.sendText(received);
    });
    one.receive(peer.text("né"));
    for (const other of others) expect(textsOf(other)).toEqual(["né"]);
    expect(encoded).toEqual([]);
  });

  it("keeps what it is when one of another chunk comes in the middle", () => {
    const other = sender();
    const inner = open("client", (received) => {
      other.sendText("äußere");
      other.sendText(received);
    });
    const one = open("server", (received) => {
      inner.receive(concat([frame(1, "innere"), frame(1, "ïnnere")]));
      other.sendText(received);
    });
    one.receive(concat([peer.text("äußere"), peer.text("àußere")]));
    const within = ["äußere", "innere", "äußere", "ïnnere"];
    expect(textsOf(other)).toEqual([...within, "äußere", ...within, "àußere"]);
  });

  it("is encoded once its chunk is gone", () => {
    const other = sender();
    const one = open("server", (received) => {
      kept = received;
    });
    let kept = "";
    one.receive(peer.text("später"));
    one.receive(peer.text("Später"));
    codec.window.fill(0x78);
    other.sendText(kept);
    expect(textsOf(other)).toEqual(["Später"]);
    expect(encoded).toEqual(["Später"]);
  });
});
