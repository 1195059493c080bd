import { describe, it } from "vitest";
import type { Codec } from "../../src/codec/codec.ts";
import { permessageDeflate } from "../../src/deflate/index.ts";
import type { ExtensionSession } from "../../src/protocol/extension.ts";
import { codecs } from "../helpers/codecs.ts";
import { chopped, everyCut, same } from "../helpers/decoding.ts";
import { Session, roles } from "../helpers/session.ts";
import { Peer, concat, type Role } from "../helpers/wire.ts";
import { Reversing } from "./agent/reversing.mjs";
import { extensionNames, followed, type Case } from "./case.ts";
import { sections } from "./cases/index.ts";

/** Every place in a short stream; in a long one those around each frame's start and end, and some others. */
function* cuts(frames: readonly Uint8Array[]): Generator<readonly [string, Iterable<Uint8Array>]> {
  const bytes = concat(frames);
  if (bytes.length <= 300) {
    yield* everyCut(bytes);
    return;
  }
  yield ["whole", [bytes]];
  for (const size of [...(bytes.length < 3000 ? [1, 7] : []), 997, 65536])
    yield [`in chunks of ${size}`, chopped(bytes, size)];
  const places = new Set<number>();
  const stride = Math.ceil(frames.length / 16);
  let start = 0;
  for (const [i, { length }] of frames.entries()) {
    for (const at of i % stride ? [] : [1, 2, 3, 6, 9, 10, 13, 14, 15, length - 1, length]) places.add(start + at);
    start += length;
  }
  for (let i = 0; i < 8; i++) places.add(1 + ((i * 2_654_435) % (bytes.length - 1)));
  for (const at of places)
    if (at > 0 && at < bytes.length) yield [`cut at ${at}`, [bytes.subarray(0, at), bytes.subarray(at)]];
}

const sessionOf: Record<NonNullable<Case["extension"]>, () => ExtensionSession> = {
  reversing: () => new Reversing(),
  deflate: () =>
    permessageDeflate({ peerWindowBits: 15 }).accept([{ name: extensionNames.deflate, parameters: [] }])!.session,
};

/** Runs a case in one role, however its bytes are cut, over the builds. */
function check(role: Role, one: Case): void {
  const { frames, limits, extension } = one;
  const peer = new Peer(role);
  const made = frames(peer);
  const { late, outcome } = followed(peer, one);
  const run = (codec: Codec, cut: string, chunks: Iterable<Uint8Array>): void => {
    const session = new Session(role, { codec, limits, sessions: extension && [sessionOf[extension]()] });
    session.receive(chunks);
    session.receive(late);
    same(session.end(), outcome, `${codec.build}, ${cut}`);
  };
  // The builds take turns at the cuts: test/codec has each of them decode at every place.
  let turn = 0;
  for (const [cut, chunks] of cuts(made)) run(codecs[turn++ % codecs.length]!, cut, chunks);
  for (const codec of codecs) {
    const bytes = concat(made);
    run(codec, "whole", [bytes]);
    run(codec, "by bytes", chopped(bytes, bytes.length < 1000 ? 1 : 331));
  }
}

describe.each(sections)("$title", ({ cases }) => {
  describe.each(roles)("as a %s", (role) => {
    it.each(cases)("$name", (each) => check(role, each));
  });
});
