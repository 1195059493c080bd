/** Streams of frames to try: most of them nearly right, so that they get somewhere. */
import * as fc from "fast-check";
import { malformed, validTexts } from "../helpers/utf8.ts";
import { Peer, bytesOf, closePayload, concat, frame, type FrameFields, type Role } from "../helpers/wire.ts";

export const bothRoles: readonly Role[] = ["server", "client"];
export const anyRole: fc.Arbitrary<Role> = fc.constantFrom(...bothRoles);

/** Those that the RFC and the registries name, and their neighbours. */
const statusCodes = [0, 999, 1000, 1001, 1003, 1004, 1005, 1006, 1007, 1011, 1014, 1015, 1016, 2999, 3000, 4999, 5000, 65535]; // prettier-ignore

const anyText: fc.Arbitrary<Uint8Array> = fc
  .array(fc.constantFrom("a", "~", "é", "你", "😀", "\u0000", "\ufeff", ...validTexts.slice(1, 4)), { maxLength: 6 })
  .map((parts) => bytesOf(parts.join("")));

const anyContent: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 12, arbitrary: anyText },
  { weight: 2, arbitrary: fc.tuple(anyText, fc.constantFrom(...malformed), anyText).map(([head, [, bad], tail]) => concat([head, Uint8Array.from(bad), tail])) }, // prettier-ignore
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 20 }) },
  { weight: 6, arbitrary: fc.constantFrom(0, 0, 1, 124, 125, 126, 127, 300).map((length) => bytesOf("~".repeat(length))) }, // prettier-ignore
  // A text that is cut inside a character, for the next fragment to go on with.
  { weight: 4, arbitrary: fc.tuple(anyText, fc.nat(60)).map(([text, at]) => text.subarray(0, at)) },
);
/** Around the lengths of the 64-bit form and of the codec's window. */
const longContent = fc
  .constantFrom(4000, 65_535, 65_536, 65_537, 140_000)
  .map((length) => bytesOf("é~".repeat(length / 3 + 1)).subarray(0, length));

const anyClose = fc.oneof(
  fc.constant(new Uint8Array(0)),
  fc.tuple(fc.oneof(fc.constantFrom(...statusCodes), fc.nat(65535)), anyContent).map(([code, reason]) => closePayload(code, reason.subarray(0, 123))), // prettier-ignore
  fc.uint8Array({ maxLength: 4 }),
);

const mostly = <T>(value: T, weight: number, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: other });

const anyFrame = fc.record({
  opcode: fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(0, 0, 0, 1, 1, 2, 9, 10) },
    { weight: 2, arbitrary: fc.constant(8) },
    { weight: 1, arbitrary: fc.nat(15) },
  ),
  fin: fc.boolean(),
  rsv: mostly(0, 30, fc.constantFrom(0x10, 0x20, 0x40, 0x60)),
  key: fc.oneof(fc.constant([0, 0, 0, 0]), fc.array(fc.nat(255), { minLength: 4, maxLength: 4 })),
  wrongMask: mostly(false, 60, fc.constant(true)),
  form: mostly<FrameFields["form"]>(undefined, 30, fc.constantFrom(16 as const, 64 as const)),
  announced: mostly<bigint | undefined>(undefined, 60, fc.constantFrom(2n ** 31n, 2n ** 32n + 10n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n)), // prettier-ignore
  content: anyContent,
  close: anyClose,
});
type FrameChoice = typeof anyFrame extends fc.Arbitrary<infer Choice> ? Choice : never;

/** The frames as bytes for a receiver of that role; with `inOrder` by the rules of §5.4 and §5.5. */
function assemble(role: Role, inOrder: boolean, choices: readonly FrameChoice[]): Uint8Array {
  let open = false;
  const frames = choices.map(({ opcode, fin, rsv, key, wrongMask, form, announced, content, close }) => {
    if (inOrder && opcode < 3) opcode = open ? 0 : opcode || 1;
    const isControl = inOrder && opcode >= 8;
    if (!isControl) open = !fin;
    const payload = opcode === 8 ? close : content;
    return frame(opcode, isControl ? payload.subarray(0, 125) : payload, {
      fin: fin || isControl,
      rsv,
      key: (role === "server") !== wrongMask ? key : undefined,
      ...(form === undefined ? {} : { form }),
      ...(announced === undefined ? {} : { announced }),
    });
  });
  return concat(frames);
}

/** A change to some bytes, wherever it falls. */
export const anyMutation = fc.record({
  what: fc.constantFrom("set", "flip", "insert", "remove", "repeat", "cut"),
  at: fc.nat(2000),
  length: fc.nat(12),
  value: fc.nat(255),
});
type Mutation = typeof anyMutation extends fc.Arbitrary<infer Choice> ? Choice : never;

export function mutate(bytes: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  for (const { what, at: place, length, value } of mutations) {
    const at = place % (bytes.length + 1);
    const before = bytes.subarray(0, at);
    const from = bytes.subarray(at);
    if (what === "set") bytes = concat([before, Uint8Array.of(value), from.subarray(1)]);
    else if (what === "flip")
      bytes = concat([before, from.subarray(0, 1).map((byte) => byte ^ (1 << value % 8)), from.subarray(1)]); // prettier-ignore
    else if (what === "insert") bytes = concat([before, Uint8Array.of(value), from]);
    else if (what === "remove") bytes = concat([before, from.subarray(length)]);
    else if (what === "repeat") bytes = concat([before, from.subarray(0, length), from]);
    else if (length === 0) bytes = before;
  }
  return bytes;
}

/** Mostly none, so that many inputs stay valid. */
export const anyMutations: fc.Arbitrary<Mutation[]> = fc.oneof(
  fc.constant<Mutation[]>([]),
  fc.array(anyMutation, { maxLength: 4 }),
);

/** Places to cut at, of which each counts modulo the length. */
export const anyCuts: fc.Arbitrary<number[]> = fc.oneof(
  fc.constant<number[]>([]),
  fc.array(fc.nat(3000), { maxLength: 12 }),
  // At every byte, up to some place.
  fc.nat(400).map((count) => Array.from({ length: count }, (_, i) => i)),
);

export function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((start, i) => bytes.subarray(start, places[i] ?? bytes.length));
}

/** What the peer of a receiver of that role may send. */
export const streamFor = (role: Role): fc.Arbitrary<Uint8Array> => {
  const made = fc
    .tuple(fc.boolean(), fc.array(anyFrame, { maxLength: 12 }), anyMutations)
    .map(([inOrder, frames, mutations]) => mutate(assemble(role, inOrder, frames), mutations));
  const long = fc
    .tuple(anyFrame, longContent, fc.array(anyFrame, { maxLength: 3 }))
    .map(([first, content, others]) => assemble(role, true, [{ ...first, content }, ...others]));
  // Empty fragments, which have a limit of their own.
  const empty = fc
    .tuple(fc.integer({ min: 15, max: 19 }), fc.array(anyFrame, { maxLength: 3 }))
    .map(([count, others]) => assemble(role, true, [...Array.from({ length: count }, () => emptyFragment), ...others]));
  return fc.oneof(
    { weight: 90, arbitrary: made },
    { weight: 8, arbitrary: fc.uint8Array({ maxLength: 60 }) },
    { weight: 2, arbitrary: empty },
    { weight: 1, arbitrary: long },
  );
};

/** A little of everything that is allowed. */
export function exampleStream(role: Role): Uint8Array {
  const peer = new Peer(role);
  const [first, ...others] = peer.fragments(2, ["ab", "", "c"]);
  const frames = [
    peer.text("aé€😀"),
    first!,
    peer.ping("in between"),
    ...others,
    peer.pong(),
    peer.text("~".repeat(130)),
  ];
  return concat([...frames, peer.close(1000, "bye")]);
}

const emptyFragment: FrameChoice = {
  opcode: 1,
  fin: false,
  rsv: 0,
  key: [1, 2, 3, 4],
  wrongMask: false,
  form: undefined,
  announced: undefined,
  content: new Uint8Array(0),
  close: new Uint8Array(0),
};
