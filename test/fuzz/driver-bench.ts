import { createHash } from "node:crypto";
import { setImmediate as turn } from "node:timers/promises";
import type { Connection } from "../../src/driver/connection.ts";
import { driverFor } from "../../src/driver/driver.ts";
import type { ConnectionEvents } from "../../src/driver/events.ts";
import type { ConnectionOptions } from "../../src/driver/options.ts";
import type { Host } from "../../src/driver/transport.ts";
import { Budget } from "../../src/protocol/budget.ts";
import { noise } from "../helpers/bytes.ts";
import { unlimited } from "../helpers/decoding.ts";
import { MemoryTransport } from "../helpers/memory-transport.ts";
import type { Event } from "../helpers/outcome.ts";
import { concat, frame, latin1, type Role } from "../helpers/wire.ts";
import { otherOf, receivedFindings, sentFindings, type DriverRecord, type Finding } from "./driver-findings.ts";
import { model } from "./model.ts";

export type Call =
  | { call: "send"; type: "text" | "binary"; length: number; callback: boolean }
  | { call: "fragment"; type: "text" | "binary" | "continuation"; length: number; fin: boolean; callback: boolean }
  | { call: "ping" | "pong"; length: number; callback: boolean }
  | { call: "close"; code: number }
  /** A loop over so many messages. */
  | { call: "loop"; count: number }
  | { call: "terminate" | "pause" | "resume" | "read" | "throw" };

export type Step =
  | Call
  /** Does it inside the next call of a listener. */
  | { on: keyof ConnectionEvents; do: Call }
  | { peer: Uint8Array }
  /** A Pong for the last Ping. */
  | { peerDoes: "answer" }
  | { peerDoes: "end" | "destroy" | "pause" | "resume" }
  | { breaks: true }
  /** Milliseconds that pass. */
  | { advance: number }
  /** Rounds of the event loop. */
  | { turns: number };

const ranks = ["connecting", "open", "closing", "closed"];
/** What calls may throw here. */
const mistakes = ["ERR_CONTROL_TOO_LONG", "ERR_CLOSE_CODE", "ERR_FRAME_ORDER", "ERR_QUEUE_FULL"];

/** A connection of the driver's, all that it does, and a peer whose bytes are given. */
export class DriverBench {
  readonly #role: Role;
  readonly #connection: Connection;
  readonly #transport: MemoryTransport;
  readonly #peer: MemoryTransport;
  readonly #listens: boolean;
  readonly #findings: Finding[] = [];
  readonly #events: string[] = [];
  readonly #heard: Event[] = [];
  /** What each loop took, and all reads together: who waits elsewhere may go on in another order. */
  readonly #taken: Event[][] = [[]];
  readonly #received: Uint8Array[] = [];
  readonly #fromPeer: Uint8Array[] = [];
  /** By the number that what was sent begins with. */
  readonly #callbacks = new Map<number, (string | undefined)[]>();
  readonly #dataCallbacks = new Set<number>();
  readonly #pingCallbacks = new Set<number>();
  /** The highest number among the Pings that were answered. */
  #answered = 0;
  readonly #closes: string[] = [];
  #closeCalls = 0;
  #readsPending = 0;
  #lastNumber = 0;
  #rank = 0;
  #now = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];
  #isAnswered: boolean;
  #peerIsGone = false;
  #hasThrown = false;
  readonly #reported: unknown[] = [];
  /** For unfinished messages; some do not fit. */
  readonly #budget = new Budget(5000);

  constructor(role: Role, chunkSize: number, listens: boolean, options: ConnectionOptions) {
    this.#role = role;
    this.#listens = listens;
    this.#isAnswered = role === "server";
    [this.#transport, this.#peer] = MemoryTransport.pipe(chunkSize);
    this.#peer.start({
      data: (chunk) => void this.#received.push(chunk.slice()),
      end: () => undefined,
      close: () => (this.#peerIsGone = true),
    });
    const host: Host = {
      name: "fuzz",
      random: (bytes) => bytes.set(noise(bytes.length, 3)),
      setTimer: (callback, ms) => {
        const timer = { at: this.#now + ms, callback };
        this.#timers.push(timer);
        return () => (this.#timers = this.#timers.filter((other) => other !== timer));
      },
      reportError: (error) => void this.#reported.push(error),
      now: () => this.#now,
      dial: () => Promise.reject(new Error("There is no network here.")),
      listen: () => Promise.reject(new Error("There is no network here.")),
      wrap: () => this.#transport,
    };
    const { makeServer, makeClient } = driverFor(host);
    const limits = { ...options, budget: this.#budget };
    this.#connection =
      role === "server"
        ? makeServer({ socket: this.#transport, headers: openingHeaders }, limits)
        : makeClient("ws://test/", { ...limits, dial: () => this.#transport });
    this.#listen();
  }

  #listen(): void {
    const connection = this.#connection;
    for (const event of ["open", "ping", "pong", "drain", "error", "close"] as const)
      connection.on(event, () => this.#happened(event));
    connection.on("ping", (payload) => void this.#heard.push(["ping", latin1(payload)]));
    connection.on("pong", (payload) => void this.#heard.push(["pong", latin1(payload)]));
    if (!this.#listens) return;
    connection.on("message", (message) => {
      this.#happened("message");
      this.#heard.push(eventOf(message));
    });
  }

  #happened(event: string): void {
    this.#events.push(event);
    this.#watch();
  }

  #watch(): void {
    const rank = ranks.indexOf(this.#connection.readyState);
    if (rank < this.#rank) this.#expect("the state only moves forward", ranks[rank], ranks[this.#rank]);
    this.#rank = rank;
  }

  #expect(what: string, actual: unknown, expected: unknown): void {
    this.#findings.push({ what, actual, expected });
  }

  start(): void {
    this.#connection.startConnection();
    this.#watch();
  }

  /** The peer's answer to the opening handshake, if this is a client that asks for one. */
  async answer(how: "right" | "wrong" | "garbage" | "none"): Promise<void> {
    if (this.#role === "server" || how === "none") return;
    for (let i = 0; i < 200 && !this.#sent().head.includes("\r\n\r\n"); i++) await turn();
    const key = /Sec-WebSocket-Key: (.*)\r\n/.exec(this.#sent().head)?.[1];
    if (key === undefined || this.#peerIsGone) return;
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    const fields = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
    const answers = { right: `HTTP/1.1 101 \r\n${fields}`, wrong: "HTTP/1.1 404 \r\n\r\n", garbage: "\0\r\n\r\n" };
    this.#peer.write([Buffer.from(answers[how])], () => undefined);
    this.#isAnswered = how === "right";
  }

  async step(step: Step): Promise<void> {
    if ("call" in step) this.#call(step);
    else if ("on" in step) this.#hook(step);
    else if ("peer" in step) {
      if (this.#isAnswered) this.#fromPeer.push(step.peer);
      if (this.#isAnswered) this.#peer.write([step.peer], () => undefined);
    } else if ("peerDoes" in step) {
      if (step.peerDoes === "answer") this.#answerPing();
      else this.#peer[step.peerDoes]();
    } else if ("breaks" in step) this.#transport.break(new Error("broken"));
    else if ("advance" in step) await this.#advance(step.advance);
    else for (let i = 0; i < step.turns; i++) await turn();
    this.#watch();
  }

  #hook(step: { on: keyof ConnectionEvents; do: Call }): void {
    let times = 0;
    this.#connection.once(step.on, () => {
      if (++times > 1) this.#expect(`times a listener is called once`, times, 1);
      this.#call(step.do, true);
    });
  }

  #answerPing(): void {
    const { events } = model(otherOf(this.#role), this.#sent().frames, unlimited(otherOf(this.#role)));
    const ping = events.findLast(([type]) => type === "ping");
    // The heartbeat's own are nobody else's to see.
    if (!ping || !this.#isAnswered || !/^\d+:/.test(ping[1] as string)) return;
    const payload = Buffer.from(ping[1] as string, "latin1");
    const pong = frame(10, payload, { key: this.#role === "server" ? [9, 8, 7, 6] : undefined });
    this.#fromPeer.push(pong);
    this.#peer.write([pong], () => undefined);
    this.#answered = Math.max(this.#answered, parseInt(payload.toString()));
  }

  async #advance(ms: number): Promise<void> {
    await this.#jump(ms);
    // A wheel that was held up reads first, and looks again.
    await this.#jump(20);
  }

  async #jump(ms: number): Promise<void> {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now).sort((a, b) => a.at - b.at);
    for (const timer of due) {
      if (!this.#timers.includes(timer)) continue;
      this.#timers = this.#timers.filter((other) => other !== timer);
      timer.callback();
    }
    await turn();
  }

  #call(step: Call, isInside = false): void {
    if (step.call === "throw") {
      if (!isInside) return;
      this.#hasThrown = true;
      throw new Error("thrown by a listener");
    }
    const number = ++this.#lastNumber;
    try {
      this.#perform(step, number);
    } catch (error) {
      // What was never taken calls nobody back.
      if (this.#callbacks.get(number)?.length === 0) this.#callbacks.delete(number);
      this.#dataCallbacks.delete(number);
      this.#pingCallbacks.delete(number);
      if (!mistakes.includes((error as { code?: string }).code ?? "")) this.#expect(step.call, error, "no throw");
    }
  }

  #perform(step: Exclude<Call, { call: "throw" }>, number: number): void {
    const connection = this.#connection;
    const withCallback = "callback" in step && step.callback;
    if (withCallback) this.#callbacks.set(number, []);
    const callback = withCallback
      ? (error?: Error) => void this.#callbacks.get(number)?.push(error?.message)
      : undefined;
    const content = "length" in step ? `${number}:${"~".repeat(step.length)}` : "";
    if (step.call === "send" || step.call === "fragment") {
      if (withCallback) this.#dataCallbacks.add(number);
      const { type } = step;
      const data = type === "binary" ? Buffer.from(content) : content;
      const fin = step.call === "send" || step.fin;
      if (fin && !callback && step.call === "send") connection.send(data);
      else connection.send(data, { type, fin, callback });
    } else if (step.call === "ping") {
      if (withCallback) this.#pingCallbacks.add(number);
      connection.sendPing(content, callback);
    } else if (step.call === "pong") connection.sendPong(content, callback);
    else if (step.call === "close") {
      const closed = connection.close(step.code, "bye");
      this.#closeCalls++;
      void closed.then(({ code, reason }) => this.#closes.push(`${code} ${reason}`));
    } else if (step.call === "read") {
      void this.#reading(async () => {
        const message = await connection.read();
        if (message !== undefined) this.#taken[0]!.push(eventOf(message));
      });
    } else if (step.call === "loop") {
      void this.#reading(async () => {
        let left = step.count;
        const taken: Event[] = [];
        this.#taken.push(taken);
        for await (const message of connection) {
          taken.push(eventOf(message));
          if (--left === 0) break;
        }
      });
    } else if (step.call !== "throw") connection[step.call]();
  }

  async #reading(work: () => Promise<void>): Promise<void> {
    this.#readsPending++;
    try {
      await work();
    } catch (error) {
      if ((error as { code?: string }).code !== "ERR_CLOSED") this.#expect("a read that fails", error, "ERR_CLOSED");
    } finally {
      this.#readsPending--;
    }
  }

  /** Sees the connection to its end: by itself when it is on its way there, else by force. */
  async finish(): Promise<void> {
    const isClosed = (): boolean => this.#connection.readyState === "closed";
    const turns = async (): Promise<void> => {
      for (let i = 0; i < 30; i++) await turn();
    };
    await turns();
    if (this.#hasThrown) this.#expect("the state behind a throw", this.#connection.readyState === "open", false);
    if (this.#connection.readyState === "closing") {
      // A deadline may come a 64th later.
      await this.#advance(10_200);
      await turns();
      if (!isClosed()) this.#expect("the close timeout", this.#connection.readyState, "closed");
    }
    this.#connection.terminate();
    await turns();
    if (!isClosed()) this.#expect("the end of terminate", this.#connection.readyState, "closed");
    this.#peer.destroy();
    await turns();
    await this.#advance(100_000);
    this.#watch();
  }

  /** What was written: the head of the opening handshake, and the frames behind it. */
  #sent(): { head: string; frames: Uint8Array } {
    const bytes = concat(this.#received);
    const end = latin1(bytes).indexOf("\r\n\r\n") + 4;
    if (end < 4) return { head: latin1(bytes), frames: new Uint8Array(0) };
    return { head: latin1(bytes.subarray(0, end)), frames: bytes.subarray(end) };
  }

  #record(): DriverRecord {
    return {
      role: this.#role,
      fromPeer: concat(this.#fromPeer),
      frames: this.#sent().frames,
      heard: this.#heard,
      taken: this.#taken,
      sentCallbacks: [...this.#dataCallbacks].filter((number) => this.#hasSucceeded(number)),
      pingCallbacks: [...this.#pingCallbacks].filter((number) => this.#hasSucceeded(number)),
      answered: this.#answered,
    };
  }

  #hasSucceeded(number: number): boolean {
    const calls = this.#callbacks.get(number)!;
    return calls.length > 0 && calls[0] === undefined;
  }

  /** All that was observed, each with what it should have been. */
  findings(): Finding[] {
    const { closeCode, closeReason } = this.#connection;
    this.#expect("close comes once", this.#events.filter((event) => event === "close").length, 1);
    this.#expect("close comes last", this.#events.at(-1), "close");
    this.#expect("what close() answers", this.#closes, Array(this.#closes.length).fill(`${closeCode} ${closeReason}`));
    this.#expect("calls of close that failed or were answered", this.#closes.length, this.#closeCalls);
    this.#expect("reads that wait", this.#readsPending, 0);
    for (const [number, calls] of this.#callbacks) this.#expect(`callbacks of ${number}`, calls.length, 1);
    this.#expect("errors reported", this.#hasThrown || this.#reported.length === 0, true);
    this.#expect("timers left", this.#timers.length, 0);
    this.#expect("the budget in use", this.#budget.used, 0);
    this.#expect("bufferedAmount", this.#connection.bufferedAmount, 0);
    return [...this.#findings, ...receivedFindings(this.#record()), ...sentFindings(this.#record())];
  }
}

const openingHeaders = {
  host: "test",
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

const eventOf = (message: string | Uint8Array): Event =>
  typeof message === "string" ? ["text", message] : ["binary", latin1(message)];
