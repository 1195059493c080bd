import type { PageSocket } from "../../src/browser/page-socket.ts";

/** A WebSocket that does what a test says, for what no server can have a real one do, or not to the byte. */
export class ScriptedSocket implements PageSocket {
  /** The one that was opened last. */
  static latest: ScriptedSocket;
  readonly url: string;
  readonly subprotocols: readonly string[];
  binaryType = "blob";
  readyState = 1;
  bufferedAmount = 0;
  protocol = "";
  extensions = "";
  onopen: PageSocket["onopen"] = null;
  onmessage: PageSocket["onmessage"] = null;
  onerror: PageSocket["onerror"] = null;
  onclose: PageSocket["onclose"] = null;
  readonly sent: (string | Uint8Array)[] = [];
  /** The arguments of each call. */
  readonly closes: unknown[][] = [];

  constructor(url: string, subprotocols: readonly string[]) {
    this.url = url;
    this.subprotocols = subprotocols;
    ScriptedSocket.latest = this;
  }

  /** Counts what is sent, until the test says that it has left. */
  send(data: string | Uint8Array): void {
    this.sent.push(data);
    this.bufferedAmount += Buffer.byteLength(data);
  }

  close(...args: unknown[]): void {
    this.closes.push(args);
  }

  /** Has the browser report the end to whoever still listens. */
  end(code: number, reason = "", wasClean = true): void {
    this.onclose?.({ code, reason, wasClean });
  }

  get handlers(): unknown[] {
    return [this.onopen, this.onmessage, this.onerror, this.onclose];
  }
}
