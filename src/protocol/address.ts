/**
 * Who a client is, when proxies stand in between: IP addresses, networks, and the X-Forwarded-For field.
 *
 * @module
 */
import { must, type Check } from "./options.ts";

/** Addresses of IPv4 are those of IPv6 behind this prefix (RFC 4291 §2.5.5.2). */
const MAPPED = 0xffffn << 32n;

const DECIMAL = /^(?:0|[1-9]\d{0,2})$/;

/** An IP address as 128 bits; undefined when it is none. */
function bitsOf(address: string): bigint | undefined {
  const parts = address.split(".");
  if (!address.includes(":")) {
    if (parts.length !== 4 || !parts.every((part) => DECIMAL.test(part) && Number(part) < 256)) return undefined;
    return parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n) | MAPPED;
  }
  const text = address.replace(/%.*/s, "");
  if (!/^[0-9A-Fa-f:.]+$/.test(text)) return undefined;
  let canonical: string;
  try {
    // The URL Standard writes it in groups of hexadecimal digits alone.
    canonical = new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
  const [head = "", tail] = canonical.split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const left = groups(head);
  const right = groups(tail ?? "");
  const all = [...left, ...Array<string>(8 - left.length - right.length).fill("0"), ...right];
  return all.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

const isMapped = (bits: bigint): boolean => bits >> 32n === MAPPED >> 32n;

/** An address as IPv4 writes it, where it is one; otherwise as it is. */
function plain(address: string): string {
  if (!address.includes(":")) return address;
  const bits = bitsOf(address);
  if (bits === undefined || !isMapped(bits)) return address;
  return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 0xffn).join(".");
}

/** What counts as one client: an address of IPv4, or a network of 64 bits, which is what one client of IPv6 is given. */
export function clientOf(address: string): string {
  const bits = bitsOf(address);
  if (bits === undefined) return address;
  return isMapped(bits) ? plain(address) : `${(bits >> 64n).toString(16)}::/64`;
}

interface Network {
  readonly bits: bigint;
  /** Bits behind the prefix. */
  readonly rest: bigint;
}

function networkOf(text: string): Network | undefined {
  const [address = "", length, more] = text.split("/");
  const bits = bitsOf(address);
  if (bits === undefined || more !== undefined) return undefined;
  const all = address.includes(":") ? 128 : 32;
  if (length !== undefined && (!DECIMAL.test(length) || Number(length) > all)) return undefined;
  const rest = BigInt(all - Number(length ?? all));
  return { bits: bits >> rest, rest };
}

const isNetwork = (value: unknown): boolean =>
  typeof value === "string" && (value === "unix" || networkOf(value) !== undefined);

export const networks: Check = must(
  'a list of addresses, networks such as "10.0.0.0/8", and "unix"',
  (value) => Array.isArray(value) && value.every(isNetwork),
);

/** Proxies that may say on whose behalf they connect. */
export class TrustedProxies {
  readonly #networks: readonly Network[];
  readonly #unix: boolean;

  /** @param list  addresses, networks, and "unix" for whoever connects by a Unix domain socket */
  constructor(list: readonly string[]) {
    this.#unix = list.includes("unix");
    this.#networks = list.flatMap((text) => networkOf(text) ?? []);
  }

  has(address: string | undefined): boolean {
    if (address === undefined) return this.#unix;
    if (this.#networks.length === 0) return false;
    const bits = bitsOf(address);
    return bits !== undefined && this.#networks.some((network) => bits >> network.rest === network.bits);
  }

  /**
   * The address of the client: the last one in the chain that no trusted proxy has. Each proxy adds the address that it
   * was reached from at the end, so whatever stands before that is the word of someone who is not trusted.
   *
   * @param remote  where the connection comes from
   * @param forwardedFor  the X-Forwarded-For field
   */
  clientAddress(remote: string | undefined, forwardedFor: string | undefined): string | undefined {
    let address = remote;
    const hops = forwardedFor?.split(",") ?? [];
    while (this.has(address)) {
      const hop = hops.pop()?.trim() ?? "";
      // Some proxies add the port.
      const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([^:]*):\d+$/.exec(hop)?.[1] ?? hop;
      if (bitsOf(bare) === undefined) break;
      address = bare;
    }
    return address === undefined ? undefined : plain(address);
  }
}
