import { noise } from "../../helpers/bytes.ts";
import { fails, stays, type Event } from "../../helpers/outcome.ts";
import { latin1 } from "../../helpers/wire.ts";
import type { Case, Section } from "../case.ts";

const binary = Uint8Array.from([0, 0xff, 0xfe, 0xfd, 0x80, 0x0a]);

export const sections: readonly Section[] = [
  {
    title: "RFC 6455 §5.5.2, §5.5.3: pings and pongs are reported, each with its payload",
    cases: [
      ...(["ping", "pong"] as const).flatMap((kind): Case[] => [
        { name: `an empty ${kind}`, frames: (peer) => [peer[kind]()], expected: stays([kind, ""]) },
        { name: `a ${kind} of text (seed defect 8)`, frames: (peer) => [peer[kind]("Grüße")], expected: stays([kind, latin1(Buffer.from("Grüße"))]) }, // prettier-ignore
        { name: `a ${kind} of bytes that are no text`, frames: (peer) => [peer[kind](binary)], expected: stays([kind, latin1(binary)]) }, // prettier-ignore
        {
          name: `a ${kind} of 125 bytes`,
          frames: (peer) => [peer[kind](noise(125))],
          expected: stays([kind, latin1(noise(125))]),
        },
        { name: `a ${kind} of 126 bytes: 1002`, frames: (peer) => [peer[kind](noise(126))], expected: fails(1002) },
        {
          name: `a ${kind} of 65,536 bytes: 1002, at its header`,
          frames: (peer) => [peer[kind](noise(65_536)).subarray(0, 14)],
          expected: fails(1002),
        },
        {
          name: `ten of them in a row`,
          frames: (peer) => Array.from({ length: 10 }, (_, i) => peer[kind](`${i}`)),
          expected: stays(...Array.from({ length: 10 }, (_, i): Event => [kind, `${i}`])),
        },
        {
          name: `one between messages, and one between fragments`,
          frames: (peer) => [
            peer.text("a"),
            peer[kind]("1"),
            peer.text("b", { fin: false }),
            peer[kind]("2"),
            peer.continuation("c"),
          ],
          expected: stays(["text", "a"], [kind, "1"], [kind, "2"], ["text", "bc"]),
        },
      ]),
      {
        name: "a pong that nobody asked for is no fault, nor is one with a payload that no ping had",
        frames: (peer) => [peer.pong("unasked"), peer.ping("asked"), peer.pong("other"), peer.text("on")],
        expected: stays(["pong", "unasked"], ["ping", "asked"], ["pong", "other"], ["text", "on"]),
      },
    ],
  },
];
