import { setImmediate as turn } from "node:timers/promises";
import type { Connection } from "../../src/driver/connection.ts";
import { driverFor } from "../../src/driver/driver.ts";
import type { ConnectionEvents } from "../../src/driver/events.ts";
import type { ConnectionOptions } from "../../src/driver/options.ts";
import type { Host } from "../../src/driver/transport.ts";
import { Budget } from "../../src/protocol/budget.ts";
import { noise } from "../helpers/bytes.ts";
import { MemoryTransport } from "../helpers/memory-transport.ts";
import type { Event } from "../helpers/outcome.ts";
import { latin1, type Role } from "../helpers/wire.ts";
import { DriverClock } from "./driver-clock.ts";
import { otherOf, receivedFindings, sentFindings, type DriverRecord, type Finding } from "./driver-findings.ts";
import { DriverPeer } from "./driver-peer.ts";

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
  readonly #peer: DriverPeer;
  readonly #clock = new DriverClock();
  readonly #listens: boolean;
  readonly #findings: Finding[] = [];
  readonly #events: string[] = [];
  readonly #heard: Event[] = [];
  /** What each loop took, and all reads together: who waits elsewhere may go on in another order. */
  readonly #taken: Event[][] = [[]];
  /** By the number that what was sent begins with. */
  readonly #callbacks = new Map<number, (string | undefined)[]>();
  readonly #dataCallbacks = new Set<number>();
  readonly #pingCallbacks = new Set<number>();
  readonly #closes: string[] = [];
  #closeCalls = 0;
  #readsPending = 0;
  #lastNumber = 0;
  #rank = 0;
  #hasThrown = false;
  readonly #reported: unknown[] = [];
  /** For unfinished messages; some do not fit. */
  readonly #budget = new Budget(5000);

  constructor(role: Role, chunkSize: number, listens: boolean, options: ConnectionOptions) {
    this.#role = role;
    this.#listens = listens;
    const [transport, other] = MemoryTransport.pipe(chunkSize);
    this.#transport = transport;
    this.#peer = new DriverPeer(otherOf(role), other);
    const host: Host = {
      name: "fuzz",
      random: (bytes) => bytes.set(noise(bytes.length, 3)),
      setTimer: this.#clock.setTimer,
      now: this.#clock.now,
      reportError: (error) => void this.#reported.push(error),
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

  /** {@link DriverPeer.answer} */
  answer(how: "right" | "wrong" | "garbage" | "none"): Promise<void> {
    return this.#peer.answer(how);
  }

  async step(step: Step): Promise<void> {
    if ("call" in step) this.#call(step);
    else if ("on" in step) this.#hook(step);
    else if ("peer" in step) this.#peer.write(step.peer);
    else if ("peerDoes" in step) {
      if (step.peerDoes === "answer") this.#peer.answerPing();
      else this.#peer.do(step.peerDoes);
    } else if ("breaks" in step) this.#transport.break(new Error("broken"));
    else if ("advance" in step) await this.#clock.advance(step.advance);
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
      await this.#clock.advance(10_200);
      await turns();
      if (!isClosed()) this.#expect("the close timeout", this.#connection.readyState, "closed");
    }
    this.#connection.terminate();
    await turns();
    if (!isClosed()) this.#expect("the end of terminate", this.#connection.readyState, "closed");
    this.#peer.do("destroy");
    await turns();
    await this.#clock.advance(100_000);
    this.#watch();
  }

  #record(): DriverRecord {
    return {
      role: this.#role,
      fromPeer: this.#peer.written,
      frames: this.#peer.received().frames,
      heard: this.#heard,
      taken: this.#taken,
      sentCallbacks: [...this.#dataCallbacks].filter((number) => this.#hasSucceeded(number)),
      pingCallbacks: [...this.#pingCallbacks].filter((number) => this.#hasSucceeded(number)),
      answered: this.#peer.answered,
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
    this.#expect("timers left", this.#clock.timers, 0);
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
