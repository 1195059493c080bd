/**
 * The cases of the conformance suite as attacks: what that proves with everybody listening, however the bytes are cut,
 * holds with nobody listening as well, and leaves nothing behind.
 *
 * @module
 */
import { expect } from "vitest";
import type { Case } from "../conformance/case.ts";
import { sections } from "../conformance/cases/index.ts";
import { roles } from "../helpers/session.ts";
import { concat, latin1, type Role } from "../helpers/wire.ts";
import { closeCodeOf, type Arena, type Attack } from "./arena.ts";

/** What the agent has to send: a Pong for each Ping, then its Close frame if there is one. */
interface Answers {
  readonly pongs: readonly string[];
  readonly close: number | undefined;
}

function expectedOf({ expected }: Case): Answers {
  const pongs = expected.events.flatMap(([kind, payload]) => (kind === "ping" ? [payload] : []));
  const [close] = expected.sent;
  return { pongs, close: close?.[0] === "close" ? (close[1] ?? 1005) : undefined };
}

async function answersTo(arena: Arena, role: Role, one: Case): Promise<Answers> {
  const { extension, limits, expected, frames: made } = one;
  const { raw, peer, frames } = await arena.open(role, { ...limits, ...(extension && { extensions: [extension] }) });
  const isOpen = expected.readyState === "open";
  // What comes behind the end is not looked at.
  const late = isOpen ? [] : [peer.ping("late"), peer.text("late"), peer.close(1001)];
  await raw.write(concat([...made(peer), ...late]));
  // §7.1.1: behind a closing handshake the server ends TCP first.
  if (role === "client" && expected.wasClean) await raw.until(() => raw.bytes.length > 0);
  else if (!isOpen) await raw.until(() => raw.hasEnded);
  raw.end();
  await raw.until(() => raw.hasEnded);
  const pongs = frames().flatMap(({ opcode, payload }) => (opcode === 10 ? [latin1(payload)] : []));
  return { pongs, close: closeCodeOf(frames()) };
}

/** As many at once as no system minds. */
const AT_ONCE = 64;

/** Cases for both roles, as one attack each. */
export const attacksBy = (cases: readonly Case[], what: string): Attack[] =>
  roles.map((role) => ({
    name: `as a ${role}: ${what}`,
    async play(arena: Arena): Promise<void> {
      const answers = new Map<string, Answers>();
      for (let at = 0; at < cases.length; at += AT_ONCE) {
        const some = cases.slice(at, at + AT_ONCE);
        await Promise.all(some.map(async (one) => answers.set(one.name, await answersTo(arena, role, one))));
      }
      expect(Object.fromEntries(answers)).toEqual(Object.fromEntries(cases.map((one) => [one.name, expectedOf(one)])));
    },
  }));

/** The cases of the conformance suite whose section, name and Close code are these. */
export function proven(section: RegExp, code?: number, name = /^/): Attack[] {
  const cases = sections
    .filter(({ title }) => section.test(title))
    .flatMap(({ cases }) => cases)
    .filter((one) => name.test(one.name) && (code === undefined || expectedOf(one).close === code));
  if (cases.length === 0) throw new Error(`The conformance suite has no case of ${String(section)}, ${String(name)}.`);
  return attacksBy(cases, `${cases.length} cases of the conformance suite, ${code ?? "each with its outcome"}`);
}
