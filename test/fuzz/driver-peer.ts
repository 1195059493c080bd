import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import { unlimited } from "../helpers/decoding.ts";
import type { MemoryTransport } from "../helpers/memory-transport.ts";
import { concat, frame, latin1, type Role } from "../helpers/wire.ts";
import { model } from "./model.ts";

/** The other side of a fuzzed driver: it writes what it is told to, and keeps what comes. */
export class DriverPeer {
  readonly #role: Role;
  readonly #transport: MemoryTransport;
  readonly #received: Uint8Array[] = [];
  readonly #written: Uint8Array[] = [];
  /** The opening handshake is over, as far as it is this side's. */
  #isOpen: boolean;
  #isGone = false;
  /** The highest number among the Pings that were answered. */
  answered = 0;

  constructor(role: Role, transport: MemoryTransport) {
    this.#role = role;
    this.#transport = transport;
    this.#isOpen = role === "client";
    transport.start({
      data: (chunk) => void this.#received.push(chunk.slice()),
      end: () => undefined,
      close: () => (this.#isGone = true),
    });
  }

  /** What it wrote behind the opening handshake. */
  get written(): Uint8Array {
    return concat(this.#written);
  }

  /** What came: the head of the opening handshake, and the frames behind it. */
  received(): { head: string; frames: Uint8Array } {
    const bytes = concat(this.#received);
    const end = latin1(bytes).indexOf("\r\n\r\n") + 4;
    if (end < 4) return { head: latin1(bytes), frames: new Uint8Array(0) };
    return { head: latin1(bytes.subarray(0, end)), frames: bytes.subarray(end) };
  }

  /** Its answer to the opening handshake, if it is a server that is asked for one. */
  async answer(how: "right" | "wrong" | "garbage" | "none"): Promise<void> {
    if (this.#role === "client" || how === "none") return;
    for (let i = 0; i < 200 && !this.received().head.includes("\r\n\r\n"); i++) await turn();
    const key = /Sec-WebSocket-Key: (.*)\r\n/.exec(this.received().head)?.[1];
    if (key === undefined || this.#isGone) return;
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
    const answers = { right: `HTTP/1.1 101 \r\n${fields}`, wrong: "HTTP/1.1 404 \r\n\r\n", garbage: "\0\r\n\r\n" };
    this.#transport.write([Buffer.from(answers[how])], () => undefined);
    this.#isOpen = how === "right";
  }

  write(bytes: Uint8Array): void {
    if (!this.#isOpen) return;
    this.#written.push(bytes);
    this.#transport.write([bytes], () => undefined);
  }

  /** Sends a Pong for the last Ping. */
  answerPing(): void {
    const { events } = model(this.#role, this.received().frames, unlimited(this.#role));
    const ping = events.findLast(([type]) => type === "ping");
    // The heartbeat's own are nobody else's to see.
    if (!ping || !this.#isOpen || !/^\d+:/.test(ping[1] as string)) return;
    const payload = Buffer.from(ping[1] as string, "latin1");
    this.write(frame(10, payload, { key: this.#role === "client" ? [9, 8, 7, 6] : undefined }));
    this.answered = Math.max(this.answered, parseInt(payload.toString()));
  }

  /** Has its end of the pipe do something. */
  do(what: "end" | "destroy" | "pause" | "resume"): void {
    this.#transport[what]();
  }
}
