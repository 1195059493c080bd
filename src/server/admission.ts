import type { Transport } from "../driver/transport.ts";
import { clientOf, TrustedProxies } from "../protocol/address.ts";
import { allowsOrigin } from "../protocol/origin.ts";
import { comeBack, RefusalError } from "../protocol/refusal.ts";
import type { OpeningRequest } from "../protocol/server-handshake.ts";
import type { ServerOptions } from "./options.ts";

/** The codec's slots are no more than that. */
const MOST_CONNECTIONS = 131_071;

/** What a server lets in, by its options: how many, of which addresses, and which pages. */
export class Admission {
  readonly #options: Omit<ServerOptions, "upgrade">;
  readonly #proxies: TrustedProxies;
  /** How many connections a client has, while they are bounded. */
  readonly #counts = new Map<string, number>();
  /** Which client a transport was counted for. */
  readonly #counted = new Map<Transport, string>();

  constructor(options: Omit<ServerOptions, "upgrade">) {
    this.#options = options;
    this.#proxies = new TrustedProxies(options.trustedProxies ?? []);
  }

  addressOf({ remoteAddress }: Transport, request: OpeningRequest | undefined): string | undefined {
    return this.#proxies.clientAddress(remoteAddress, request?.headers.get("x-forwarded-for"));
  }

  /** Whether a server that has `count` connections takes no other. */
  isFull(count: number): boolean {
    return count >= (this.#options.maxConnections ?? MOST_CONNECTIONS);
  }

  /** Counts a transport before its request is read, unless a proxy is to say whose it is; answers why it may not come in. */
  enter(transport: Transport): RefusalError | undefined {
    // Asking a runtime for an address may cost a fifth of a handshake.
    if (this.#options.maxConnectionsPerAddress === undefined) return undefined;
    return this.#proxies.has(transport.remoteAddress) ? undefined : this.#count(transport, undefined);
  }

  /** Why this request is not taken, if it is not. */
  refusalOf(request: OpeningRequest, transport: Transport): RefusalError | undefined {
    if (!this.takes(request.path)) {
      return new RefusalError(404, "There is no WebSocket at this path.", [], { reason: "path" });
    }
    if (!allowsOrigin(this.#options.origins ?? "same", request)) {
      return new RefusalError(403, "Pages of this origin may not connect.", [], { reason: "origin" });
    }
    return this.#count(transport, request);
  }

  takes(path: string): boolean {
    return this.#options.path === undefined || this.#options.path === path;
  }

  /** The transport is closed. */
  leave(transport: Transport): void {
    const client = this.#counted.get(transport);
    if (client === undefined) return;
    this.#counted.delete(transport);
    const count = this.#counts.get(client)! - 1;
    if (count > 0) this.#counts.set(client, count);
    else this.#counts.delete(client);
  }

  #count(transport: Transport, request: OpeningRequest | undefined): RefusalError | undefined {
    const { maxConnectionsPerAddress: most } = this.#options;
    if (most === undefined || this.#counted.has(transport)) return undefined;
    const address = this.addressOf(transport, request);
    if (address === undefined) return undefined;
    const client = clientOf(address);
    const count = this.#counts.get(client) ?? 0;
    if (count >= most) return comeBack("There are too many connections from this address.", { reason: "address" });
    this.#counts.set(client, count + 1);
    this.#counted.set(transport, client);
    return undefined;
  }
}
