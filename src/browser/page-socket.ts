import { unsupported } from "./unsupported.ts";

/** `readyState`, once both sides may send. */
const OPEN = 1;

/** The WebSocket of the WHATWG standard, as far as it is used here. */
export interface PageSocket {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly protocol: string;
  readonly extensions: string;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onerror: (() => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string; readonly wasClean: boolean }) => void) | null;
  send(data: string | Uint8Array): void;
  close(code?: number, reason?: string): void;
}

/** It is closing or closed, whoever began: what it is given now it drops. */
export function isClosing({ readyState }: PageSocket): boolean {
  return readyState > OPEN;
}

/** Opens one, whatever the page has put there. */
export function openSocket(url: string, subprotocols: readonly string[]): PageSocket {
  const { WebSocket } = globalThis as {
    readonly WebSocket?: new (url: string, subprotocols: readonly string[]) => PageSocket;
  };
  if (!WebSocket) throw unsupported('There is no WebSocket here: use "hybi/streams", and give it a "dial" option.');
  const socket = new WebSocket(url, subprotocols);
  socket.binaryType = "arraybuffer";
  return socket;
}
