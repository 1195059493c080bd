import { block, isBlock, messageOf, shown } from "./data.mjs";
import { attempt, upon } from "./misuse.mjs";

const tick = () => new Promise((resolve) => setTimeout(resolve, 1));

/** One side of one connection at work: it does what its script says, and takes down what happens. */
export class Track {
  /** What happened: each entry begins with its kind. */
  log = [];
  /** How often each kind happened, `message` standing for text and binary. */
  counts = {};
  /** Closed, and the script is at its end. */
  isDone = false;
  /** Blocks that were sent so far, and the most bytes that waited while they were. */
  sent = 0;
  most = 0;
  /** What the test has said so far. Plain data, which workerd lets all handlers of a worker share. */
  signals = new Set();
  #face;
  #isEchoing = false;
  #blockSize = 0;
  /** Callbacks of {@link tell} that were not called yet. */
  #untold = 0;
  #waiters = [];

  /** The connection, as `track.d.mts` describes it. */
  set face(face) {
    this.#face = face;
  }

  add(kind, ...rest) {
    this.log.push([kind, ...rest]);
    if (kind === "close" && this.#untold > 0) this.log.push(["untold", this.#untold]);
    this.#count(kind);
  }

  #count(kind) {
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    for (const waiter of this.#waiters.splice(0)) {
      if (waiter.condition()) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }

  #until(condition) {
    return condition() ? undefined : new Promise((resolve) => this.#waiters.push({ condition, resolve }));
  }

  message(message) {
    const number = this.counts.message ?? 0;
    if (this.#blockSize > 0) {
      if (!isBlock(message, number, this.#blockSize)) this.add("wrong", number);
    } else {
      this.add(typeof message === "string" ? "text" : "binary", shown(message));
    }
    this.#count("message");
    if (this.#isEchoing) this.#send(message);
  }

  /** An echo to a peer that does not read holds it back. */
  async #send(message) {
    if (this.#face.send(message)) return;
    this.#face.pause();
    await this.#face.drained();
    this.#face.resume();
  }

  /** Sends, and looks that the callback is called exactly once, and not behind the `close` event. */
  #tell(message) {
    let isTold = false;
    this.#untold++;
    this.#face.tell(message, () => {
      if (isTold) this.add("told again");
      isTold = true;
      this.#untold--;
    });
  }

  /** Goes through `script`: steps, each with its arguments. */
  async run(script) {
    try {
      // What need not wait does not: between two events of one turn no promise is settled on some runtimes.
      for (const [name, ...args] of script) {
        const waiting = this.do(name, ...args);
        if (waiting) await waiting;
      }
      await this.#until(() => this.counts.close > 0);
    } catch (error) {
      this.add("the script threw", String(error));
    }
    this.isDone = true;
  }

  do(step, ...args) {
    return this.#steps[step](...args);
  }

  #steps = {
    send: (...contents) => contents.forEach((content) => this.#face.send(messageOf(content))),
    tell: (...contents) => contents.forEach((content) => this.#tell(messageOf(content))),
    /** One message in as many fragments (RFC 6455 §5.4), with a Ping of `ping` behind the first. */
    fragments: (contents, ping) => {
      contents.forEach((content, i) => {
        const fin = i === contents.length - 1;
        this.#face.send(messageOf(content), i === 0 ? { fin } : { type: "continuation", fin });
        if (i === 0 && ping !== undefined) this.#face.ping(ping);
      });
    },
    ping: (payload) => void this.#face.ping(payload),
    pong: (payload) => void this.#face.pong(payload),
    echo: () => void (this.#isEchoing = true),
    await: (kind, count = 1) => this.#until(() => this.counts[kind] >= count),
    /** Waits for what the test says. It comes by another handler, so it is looked for. */
    signal: async (name) => {
      while (!this.signals.has(name)) await tick();
    },
    /** Does with hybi's connection what a user should not; the log has what was thrown. */
    attempt: (name) => void this.add("attempted", ...attempt(this.#face.connection, name)),
    /** Has a listener of its event do it. */
    upon: (event, what) => upon(this.#face.connection, event, what),
    pause: () => this.#face.pause(),
    resume: () => this.#face.resume(),
    close: (code, reason) => void this.#face.close(code, reason),
    terminate: () => this.#face.terminate(),
    /** From here on the messages are blocks of `size` bytes, which are checked and counted. */
    blocks: (size) => void (this.#blockSize = size),
    /** Sends `count` blocks, and waits each time that the peer is behind. */
    flood: async (count, size) => {
      // What is longer than `send` ever holds back is sent, all but its end, before the next one may go: two take turns.
      const turns = size > 1 << 17 ? [block(0, size), block(0, size)] : [];
      for (this.sent = 0; this.sent < count; this.sent++) {
        if (this.#face.send(block(this.sent, size, turns[this.sent % 2]))) continue;
        this.most = Math.max(this.most, this.#face.bufferedAmount);
        await this.#face.drained();
      }
    },
    /** Takes `count` blocks by a loop, whose body waits in the first round for what the test says. */
    loop: async (count, size, name) => {
      this.#blockSize = size;
      for await (const message of this.#face.messages) {
        this.message(message);
        if (this.counts.message === 1) await this.do("signal", name);
        if (this.counts.message === count) return;
      }
    },
  };
}
