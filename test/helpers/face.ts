import type { RawServer, RawPeer } from "./raw-peer.ts";
import { thrownBy, turns, until } from "./until.ts";
import type { WebSocketError } from "../../src/websocketstream.ts";
import { WebSocket, type WebSocketErrorEvent, type CloseEvent, type WebSocketOptions } from "../../src/websocket.ts";

/** The next event of that type. */
export function event<E extends Event>(target: EventTarget, type: string): Promise<E> {
  return new Promise((resolve) => target.addEventListener(type, (event) => resolve(event as E), { once: true }));
}

/** All that a WebSocket dispatches, in order, with the state that it was in. */
export class EventLog {
  readonly entries: { event: Event; readyState: number }[] = [];

  constructor(ws: WebSocket) {
    for (const type of ["open", "message", "error", "close"])
      ws.addEventListener(type, (event) => this.entries.push({ event, readyState: ws.readyState }));
  }

  get types(): string[] {
    return this.entries.map(({ event }) => event.type);
  }

  get states(): number[] {
    return this.entries.map(({ readyState }) => readyState);
  }

  /** What the messages carried. */
  get data(): unknown[] {
    return this.entries
      .filter(({ event }) => event.type === "message")
      .map(({ event }) => (event as MessageEvent).data);
  }

  get error(): (Error & { code?: string }) | undefined {
    const entry = this.entries.find(({ event }) => event.type === "error");
    return (entry?.event as WebSocketErrorEvent | undefined)?.error;
  }

  /** Waits for the end, and for what wrongly would come behind it. */
  async closed(): Promise<{ code: number; reason: string; wasClean: boolean }> {
    await until(() => this.types.includes("close"));
    await turns(20);
    const events = this.entries.filter(({ event }) => event.type === "close");
    if (events.length !== 1) throw new Error(`There were ${events.length} close events.`);
    const { code, reason, wasClean } = events[0]!.event as CloseEvent;
    return { code, reason, wasClean };
  }
}

/** A WebSocket that is open, over a raw server's peer. */
export async function openOver(
  raw: RawServer,
  options: WebSocketOptions = {},
  fields = "",
  behind?: Uint8Array,
): Promise<{ ws: WebSocket; peer: RawPeer; log: EventLog }> {
  const ws = new WebSocket(raw.url, [], options);
  const log = new EventLog(ws);
  const [peer] = await Promise.all([raw.open(fields, behind), event(ws, "open")]);
  return { ws, peer, log };
}

/** What a call throws: name of a DOMException or a TypeError, or its code. */
export function thrownName(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof DOMException) return error.name;
    const { name, code } = error as Error & { code?: string };
    return code ?? name;
  }
  return "nothing";
}

/** What a promise of a WebSocketStream, or of its streams, is rejected with. */
export async function lostWith(work: () => unknown): Promise<WebSocketError & { cause: { code: string } }> {
  return (await thrownBy(work)) as unknown as WebSocketError & { cause: { code: string } };
}
