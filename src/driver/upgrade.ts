import type { HeadersInput } from "../protocol/headers.ts";
import type { RefusalError } from "../protocol/refusal.ts";
import type { OpeningRequest } from "../protocol/server-handshake.ts";

/** What a server's `upgrade` hook decides about. */
export interface UpgradeRequest extends OpeningRequest {
  /** The client's address, by the word of trusted proxies if there are any; undefined where the runtime does not tell. */
  readonly address: string | undefined;
  /** The connection to this process is encrypted. */
  readonly secure: boolean;
  /** The certificate that the client showed, in DER; undefined when it showed none, or the runtime does not tell. */
  readonly peerCertificate: Uint8Array | undefined;
  /** Raised when the client is gone, or the time of the handshake is over: the decision is not needed any more. */
  readonly signal: AbortSignal;
}

/** How the hook lets a client in. */
export interface Acceptance<Data> {
  /** Becomes the connection's `data`. */
  readonly data?: Data;
  /** The subprotocol, one of those that the client offers. Default: by `acceptProtocols`. */
  readonly protocol?: string;
  /** Further fields of the response, beside `additionalHeaders`. */
  readonly headers?: HeadersInput;
}

/** What the hook answers. */
export type UpgradeDecision<Data> = Acceptance<Data> | RefusalError | undefined;

// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- A hook that refuses by throwing may return nothing.
type Answer<Data> = UpgradeDecision<Data> | void;

/** Lets a client in, or refuses it by a `RefusalError`, returned or thrown. */
export type Upgrade<Data> = (request: UpgradeRequest) => Answer<Data> | Promise<Answer<Data>>;
