import type { Protocol } from "../protocol/protocol.ts";
import type { Link } from "./link.ts";
import type { Pings } from "./pings.ts";
import type { Sender } from "./sender.ts";
import type { ConnectionSettings } from "./settings.ts";

/** What a connection asks of whatever carries its messages: a {@link Link} over a transport, or a page's WebSocket. */
export interface ConnectionLink extends Pick<
  Link,
  | "readyState"
  | "closeInfo"
  | "transport"
  | "isReading"
  | "roundTripTime"
  | "open"
  | "sendPing"
  | "pause"
  | "resume"
  | "overflow"
  | "startClosing"
  | "breakOff"
  | "terminate"
> {
  readonly settings: ConnectionSettings;
  readonly protocol: Pick<Protocol, "role" | "sendText" | "sendBytes" | "sendFragment" | "sendControl">;
  readonly sender: Pick<Sender, "bufferedAmount" | "bufferedFrames" | "isBehind" | "wrote" | "flush">;
  readonly pings: Pick<Pings, "checkRoom">;
}
