/**
 * permessage-deflate (RFC 7692): what it is configured with, and its negotiation in both roles.
 *
 * @module
 */
import { HybiError } from "../errors.ts";
import { Budget, isBudget } from "../protocol/budget.ts";
import type { AcceptedExtension, Extension, ExtensionOffer, ExtensionSession } from "../protocol/extension.ts";
import { amount, boolean, checkOptions, integer, type Check } from "../protocol/options.ts";
import { Broadcast } from "./broadcast.ts";
import { Deflater } from "./deflater.ts";
import { Inflater } from "./inflater.ts";
import { defaultModule, isModule, type DeflateModule } from "./module.ts";
import { PERMESSAGE_DEFLATE, readParameters, writeParameters, type Parameters } from "./parameters.ts";
import { DeflateSession } from "./session.ts";

/** The same for both roles: what is not the peer's is this side's. */
export interface PermessageDeflateOptions {
  /** How hard to try, from 0 (not at all) and 1 (fast) to 9 (best). Default: 6. */
  readonly level?: number;
  /** Bytes; shorter messages are sent as they are, unless `send` is told otherwise. Default: 128. */
  readonly threshold?: number;
  /** Base 2 logarithm of this side's window, 9 to 15: how far back it looks for repetitions. Default: 15. */
  readonly windowBits?: number;
  /**
   * The same of the peer's, which this side has to keep for each connection. A peer that cannot limit its window is asked
   * for none that goes on from message to message. Default: 12 at a server, 15 at a client.
   */
  readonly peerWindowBits?: number;
  /** Whether this side's window goes on from message to message. Default: true. */
  readonly contextTakeover?: boolean;
  /** How much of it does: the last 2^takeoverBits bytes, 9 to 15, which this side has to keep as well. Default: 12. */
  readonly takeoverBits?: number;
  /** Whether the peer's does. Default: true. */
  readonly peerContextTakeover?: boolean;
  /** What all windows together may take; past it, new connections keep none. Default: {@link windowBudget}. */
  readonly budget?: Budget;
  /** The instance of DEFLATE. Default: one for all. */
  readonly module?: DeflateModule;
}

const MOST_BITS = 15;
/** 4 KiB: some messages, and cheap to take up again. */
const FEW_BITS = 12;
const windowBits = integer(9, MOST_BITS);
const checks: Record<keyof PermessageDeflateOptions, Check> = {
  level: integer(0, 9),
  threshold: amount,
  windowBits,
  peerWindowBits: windowBits,
  contextTakeover: boolean,
  takeoverBits: windowBits,
  peerContextTakeover: boolean,
  budget: isBudget,
  module: isModule,
};

/** What the windows of all connections may take together: 134,217,728 bytes, or those of 16,384 connections as they are by default. */
export const windowBudget: Budget = new Budget(2 ** 27);

/** What was agreed on for a connection, seen from this side. */
interface Agreement {
  readonly windowBits: number;
  readonly peerWindowBits: number;
  readonly contextTakeover: boolean;
  readonly peerContextTakeover: boolean;
}

class PermessageDeflate implements Extension {
  readonly name = PERMESSAGE_DEFLATE;
  readonly #options: Required<Omit<PermessageDeflateOptions, "peerWindowBits">>;
  readonly #peerWindowBits: number | undefined;
  readonly #broadcast = new Broadcast();

  constructor(options: PermessageDeflateOptions) {
    checkOptions(options, checks);
    this.#options = {
      level: options.level ?? 6,
      threshold: options.threshold ?? 128,
      windowBits: options.windowBits ?? MOST_BITS,
      contextTakeover: options.contextTakeover ?? true,
      takeoverBits: options.takeoverBits ?? FEW_BITS,
      peerContextTakeover: options.peerContextTakeover ?? true,
      budget: options.budget ?? windowBudget,
      module: options.module ?? defaultModule,
    };
    this.#peerWindowBits = options.peerWindowBits;
  }

  // --- client (§7.1: offers, the preferred first)

  offer(): ExtensionOffer[] {
    const { windowBits, contextTakeover, peerContextTakeover } = this.#options;
    const peerWindowBits = this.#peerWindowBits ?? MOST_BITS;
    const hasRoom = this.#hasRoom({ windowBits, peerWindowBits, contextTakeover, peerContextTakeover });
    const offer: Parameters = {
      clientMaxWindowBits: windowBits < MOST_BITS ? windowBits : true,
      clientNoContextTakeover: !contextTakeover || !hasRoom,
      serverNoContextTakeover: !peerContextTakeover || !hasRoom,
    };
    if (peerWindowBits === MOST_BITS) return [writeParameters(offer)];
    // A server that cannot limit its window can do without one.
    return [
      writeParameters({ ...offer, serverMaxWindowBits: peerWindowBits }),
      writeParameters({ ...offer, serverNoContextTakeover: true }),
    ];
  }

  confirm({ parameters }: ExtensionOffer): ExtensionSession {
    const response = readParameters(parameters, false);
    if (!response) throw new HybiError("ERR_HANDSHAKE_RESPONSE", "A parameter of permessage-deflate is invalid.");
    const options = this.#options;
    const agreed: Agreement = {
      windowBits: Math.min(options.windowBits, (response.clientMaxWindowBits as number | undefined) ?? MOST_BITS),
      peerWindowBits: response.serverMaxWindowBits ?? MOST_BITS,
      contextTakeover: options.contextTakeover && !response.clientNoContextTakeover,
      peerContextTakeover: !response.serverNoContextTakeover,
    };
    const keepsTooMuch = !options.peerContextTakeover || agreed.peerWindowBits > (this.#peerWindowBits ?? MOST_BITS);
    if (agreed.peerContextTakeover && keepsTooMuch)
      throw new HybiError("ERR_HANDSHAKE_RESPONSE", "The server does not limit its window of permessage-deflate.");
    return this.#session(this.#hasRoom(agreed) ? agreed : { ...agreed, contextTakeover: false });
  }

  // --- server

  /** Takes the first offer that it understands: there is none that it could not honour. */
  accept(offers: readonly ExtensionOffer[]): AcceptedExtension | undefined {
    for (const { parameters } of offers) {
      const offer = readParameters(parameters, true);
      if (offer) return this.#accept(offer);
    }
    return undefined;
  }

  #accept(offer: Parameters): AcceptedExtension {
    const options = this.#options;
    const offeredBits = typeof offer.clientMaxWindowBits === "number" ? offer.clientMaxWindowBits : MOST_BITS;
    const canLimit = offer.clientMaxWindowBits !== undefined;
    const most = this.#peerWindowBits ?? FEW_BITS;
    const peerWindowBits = canLimit ? Math.min(most, offeredBits) : MOST_BITS;
    const wanted: Agreement = {
      windowBits: Math.min(options.windowBits, offer.serverMaxWindowBits ?? MOST_BITS),
      peerWindowBits,
      contextTakeover: options.contextTakeover && !offer.serverNoContextTakeover,
      peerContextTakeover: options.peerContextTakeover && !offer.clientNoContextTakeover && peerWindowBits <= most,
    };
    const hasRoom = this.#hasRoom(wanted);
    const agreed = hasRoom ? wanted : { ...wanted, contextTakeover: false, peerContextTakeover: false };
    const response: Parameters = {
      serverNoContextTakeover: !agreed.contextTakeover,
      clientNoContextTakeover: !agreed.peerContextTakeover,
      // Not every client expects a parameter that it did not offer, though §7.1.2.1 lets it come.
      serverMaxWindowBits: offer.serverMaxWindowBits === undefined ? undefined : agreed.windowBits,
      clientMaxWindowBits: canLimit && peerWindowBits < MOST_BITS ? peerWindowBits : undefined,
    };
    return { response: writeParameters(response), session: this.#session(agreed) };
  }

  #hasRoom(agreement: Agreement): boolean {
    const { budget } = this.#options;
    return budget.used + this.#windowsOf(agreement) <= budget.limit;
  }

  #session(agreement: Agreement): ExtensionSession {
    const { budget, threshold, module, level, takeoverBits } = this.#options;
    const bytes = this.#windowsOf(agreement);
    // A server may insist on a window that there is no room for.
    budget.used += bytes;
    return new DeflateSession({
      threshold,
      deflater: new Deflater({ level, windowBits: agreement.windowBits, takeoverBits, module }),
      inflater: new Inflater({ windowBits: agreement.peerWindowBits, module }),
      broadcast: agreement.contextTakeover ? undefined : this.#broadcast,
      peerContextTakeover: agreement.peerContextTakeover,
      freed: () => budget.give(bytes),
    });
  }

  /** Bytes that a connection keeps between its messages, at most. */
  #windowsOf({ windowBits, peerWindowBits, contextTakeover, peerContextTakeover }: Agreement): number {
    const own = 2 ** Math.min(windowBits, this.#options.takeoverBits);
    return (contextTakeover ? own : 0) + (peerContextTakeover ? 2 ** peerWindowBits : 0);
  }
}

/**
 * permessage-deflate (RFC 7692), for the `extensions` option of servers and clients. One may serve any number of them.
 *
 * @throws {TypeError} ERR_OPTION_UNKNOWN, ERR_OPTION_TYPE
 * @throws {RangeError} ERR_OPTION_RANGE
 */
export function permessageDeflate(options: PermessageDeflateOptions = {}): Extension {
  return new PermessageDeflate(options);
}
