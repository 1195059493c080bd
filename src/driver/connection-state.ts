import type { Role } from "../protocol/protocol.ts";
import type { ReadyState } from "../protocol/state.ts";
import type { ConnectionLink } from "./connection-link.ts";
import { Emitter } from "./emitter.ts";
import type { ConnectionEvents } from "./events.ts";
import type { ConnectionSettings } from "./settings.ts";
import type { Transport } from "./transport.ts";

/** The extensions of most connections. */
const NONE: readonly string[] = Object.freeze([]);

/** What a connection is and has come to: what one can but look at. */
export abstract class ConnectionState extends Emitter<ConnectionEvents> {
  /** The negotiated subprotocol, or "" (RFC 6455 §1.9). */
  protocol = "";
  /** The names of the negotiated extensions (§9). */
  extensions = NONE;

  /** @internal */
  protected abstract readonly link: ConnectionLink;

  /** @internal */
  protected get settings(): ConnectionSettings {
    return this.link.settings;
  }

  /** The version of the protocol. */
  get version(): "hybi-13" {
    return "hybi-13";
  }

  get role(): Role {
    return this.link.protocol.role;
  }

  get readyState(): ReadyState {
    return this.link.readyState;
  }

  /** The transport underneath, once there is one; a page has none. Its `raw` is the runtime's own socket. */
  get socket(): Transport | undefined {
    return this.link.transport;
  }

  /** Milliseconds that the latest Ping of the heartbeat took until its Pong came; undefined before the first. */
  get roundTripTime(): number | undefined {
    return this.link.roundTripTime;
  }

  /** The code of the peer's Close frame, 1005 if it had none, 1006 if none came (§7.1.5); undefined until closed. */
  get closeCode(): number | undefined {
    return this.link.closeInfo?.code;
  }

  /** The reason of the peer's Close frame, or "" (§7.1.6); undefined until closed. */
  get closeReason(): string | undefined {
    return this.link.closeInfo?.reason;
  }

  /** Whether both Close frames went over before the transport was closed (§7.1.4); undefined until closed. */
  get wasClean(): boolean | undefined {
    return this.link.closeInfo?.wasClean;
  }
}
