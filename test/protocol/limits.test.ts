import { describe, expect, it } from "vitest";
import { DEFAULT_MAX_FRAGMENTS, DEFAULT_MAX_LENGTH } from "../../src/protocol/limits.ts";
import { Codec } from "../../src/codec/codec.ts";
import { standardText } from "../../src/codec/text.ts";
import { codecs } from "../helpers/codecs.ts";
import { same } from "../helpers/decoding.ts";
import { fails, stays } from "../helpers/outcome.ts";
import { Session, roles } from "../helpers/session.ts";
import { Peer, concat } from "../helpers/wire.ts";

const part = { fin: false };
const x = (length: number): string => "x".repeat(length);

describe("endless fragments of one byte", () => {
  it.each(roles)("end at the default's 65,536: 1008 (%s)", (role) => {
    expect(DEFAULT_MAX_FRAGMENTS).toBe(65_536);
    const peer = new Peer(role);
    const fragment = peer.continuation("x", part);
    const many = concat([peer.binary("x", part), ...Array<Uint8Array>(DEFAULT_MAX_FRAGMENTS - 2).fill(fragment)]);
    for (const codec of codecs) {
      const within = new Session(role, { codec }).receive([many, peer.continuation("x")]);
      same(within.end(), stays(["binary", x(DEFAULT_MAX_FRAGMENTS)]), codec.build);
      const beyond = new Session(role, { codec }).receive([many, fragment, peer.continuation("x")]);
      same(beyond.end(), fails(1008), codec.build);
    }
  });
});

describe("§7.4.1: a text that is longer than a string can be on this engine", () => {
  it.each(roles)("fails the connection with 1009, as too big to process, and throws nothing (%s)", (role) => {
    // An engine whose strings are short, since those of a real one take half a gigabyte.
    const codec = new Codec("javascript");
    codec.useText((memory) => ({
      ...standardText(memory),
      decodeBytes: () => {
        throw new RangeError("Cannot create a string longer than 0x1fffffe8 characters");
      },
    }));
    const peer = new Peer(role);
    const frames = [...peer.fragments(1, [x(100), x(100)]), peer.text("never")];
    same(new Session(role, { codec }).receive(frames).end(), fails(1009), role);
  });
});

it("the defaults are those that the design names", () => {
  expect([DEFAULT_MAX_LENGTH, DEFAULT_MAX_FRAGMENTS]).toEqual([0x3ffffff, 4_194_304 / 64]);
});
