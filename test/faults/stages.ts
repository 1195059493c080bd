import type { Role, Peer } from "../helpers/wire.ts";
import type { Log, PartyOptions, Script } from "../conformance/party.ts";
import { frameCount, type Raw } from "../conformance/raw.ts";
import { runtimeNames, type RuntimeName } from "../conformance/runtimes.ts";

/** How a connection of hybi came by its socket. */
export interface Way {
  readonly name: string;
  readonly role: Role;
  readonly isSecure?: boolean;
  readonly options?: PartyOptions;
  readonly runtimes: readonly RuntimeName[];
  /** Runtimes that say of a reset that the stream ended, unless a write meets it; or of a cut that it broke. */
  readonly mistaken?: Readonly<Partial<Record<RuntimeName, "reset" | "cut">>>;
}

const withNodeModules = runtimeNames.filter((name) => name !== "workerd");
const secure = { isSecure: true, runtimes: runtimeNames, mistaken: { deno: "reset", workerd: "cut" } } as const;

export const ways: readonly Way[] = [
  { name: "a server", role: "server", runtimes: runtimeNames },
  { name: "a server that speaks TLS", role: "server", ...secure },
  {
    name: "a server attached to node:http",
    role: "server",
    options: { attached: true },
    runtimes: withNodeModules,
    mistaken: { bun: "reset" },
  },
  { name: "a client", role: "client", runtimes: runtimeNames },
  { name: "a client that speaks TLS", role: "client", ...secure },
  { name: "a client over node:net", role: "client", options: { dialed: true }, runtimes: withNodeModules },
];

/** What the peer does to the connection. */
export interface Fault {
  readonly name: "resets" | "ends" | "cuts" | "leaves";
  readonly needsTls?: boolean;
  readonly strike: (raw: Raw) => unknown;
}

export const faults: readonly Fault[] = [
  { name: "resets", strike: (raw) => raw.reset() },
  // It goes on reading, as far as it was.
  { name: "ends", strike: (raw) => raw.end() },
  // The end of TCP's stream without that of TLS before it (RFC 8446 §6.1).
  { name: "cuts", needsTls: true, strike: (raw) => raw.tcp.end() },
  // The end of the stream, or a reset if there was anything left to read, and a reset for whatever comes later.
  { name: "leaves", strike: (raw) => raw.tcp.destroy() },
];

const open = ["open", "", ""] as const;
const gone = ["close", 1006, "", false] as const;
const broken = ["failed", 0, "ERR_TRANSPORT"] as const;
/** Of a client whose server went away too early. */
export const neverOpen: Log = [["failed", 0, "ERR_CONNECT"], gone];

/** Where in the life of an open connection the fault comes. */
export interface Stage {
  readonly name: string;
  /** What this side does, once it is open. */
  readonly script?: Script;
  /** The peer stops reading behind the opening handshake. */
  readonly readsNothing?: boolean;
  /** What the peer has sent behind a message, and this side has read. */
  readonly read?: (peer: Peer) => Uint8Array;
  /** What the peer does first. */
  readonly reach?: (raw: Raw, peer: Peer) => unknown;
  /** The opening handshake may still be on its way. */
  readonly isImmediate?: boolean;
  /** Whose Close frames have come, if any. */
  readonly closing?: "ours" | "theirs" | "both";
}

const MIB = 1 << 20;
/** More than the system keeps for a peer that does not read. */
const backlog: Script = [["tell", ...Array.from({ length: 16 }, () => ({ ascii: MIB }))]];
const long = "payload ".repeat(100);
const bye = (peer: Peer): Uint8Array => peer.close(3000, "yours");

export const stages: readonly Stage[] = [
  { name: "right behind the opening handshake", isImmediate: true },
  { name: "between two messages", read: () => new Uint8Array(0) },
  { name: "inside the header of a frame", read: (peer) => peer.text(long).subarray(0, 3) },
  { name: "inside the payload of a frame", read: (peer) => peer.text(long).subarray(0, 99) },
  { name: "between two fragments", read: (peer) => peer.text(long, { fin: false }) },
  { name: "while much waits to be sent to it", script: backlog, readsNothing: true },
  {
    name: "while it is being sent to",
    script: backlog,
    readsNothing: true,
    reach: async (raw: Raw): Promise<void> => {
      raw.socket.resume();
      await raw.until(() => raw.bytes.length > MIB);
    },
  },
  {
    name: "behind our Close frame",
    script: [
      ["tell", "last"],
      ["close", 1000, "bye"],
    ],
    reach: (raw) => raw.until(() => frameCount(raw.bytes) === 2),
    closing: "ours",
  },
  { name: "inside its own Close frame", read: (peer) => bye(peer).subarray(0, 5) },
  { name: "right behind its own Close frame", reach: (raw, peer) => raw.write(bye(peer)), closing: "theirs" },
  {
    name: "behind both Close frames",
    reach: async (raw: Raw, peer: Peer): Promise<void> => {
      await raw.write(bye(peer));
      await raw.until(() => frameCount(raw.bytes) === 1);
    },
    closing: "both",
  },
];

/** All that may come of it. More than one thing where the system may be faster than the fault, or not. */
export function outcomes(stage: Stage, fault: Fault, { role, mistaken }: Way, runtime: RuntimeName): readonly Log[] {
  const { read, isImmediate, closing } = stage;
  const opened: Log = read ? [open, ["text", "first"]] : [open];
  const closed: Log = [...opened, ["close", 3000, "yours", true]];
  const asEnd: Log = [...opened, gone];
  const asReset: Log = [...opened, broken, gone];
  if (closing === "both") return [closed];
  if (closing === "ours") return [asEnd];
  const isCertain = fault.name !== "leaves" && !(fault.name === "resets" && mistaken?.[runtime] === "reset");
  const isEnd = fault.name === "ends" || (fault.name === "cuts" && mistaken?.[runtime] !== "cut");
  if (closing === "theirs") return isEnd ? [closed] : [closed, asEnd, asReset];
  if (isEnd) return [asEnd];
  // Node takes a reset for the end of the stream when it finds something to read before it.
  if (isImmediate) return role === "client" ? [asEnd, asReset, neverOpen] : [asEnd, asReset];
  return isCertain ? [asReset] : [asEnd, asReset];
}
