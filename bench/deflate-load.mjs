// The load for bench/deflate.mjs: connections with permessage-deflate that send JSON messages of about 1 KiB, compressed
// beforehand, and count the frames that come back without looking into them. It is told what to do by its parent.
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { constants, deflateRawSync } from "node:zlib";
import { messages } from "./corpus.mjs";
import { REQUEST } from "./request.mjs";

const OFFER = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
const request = REQUEST.replace("\r\n\r\n", `\r\n${OFFER}`);

/** A masked text frame with RSV1 (RFC 7692 §7.2.1). A small window that forgets what was sent is what any server takes. */
function frame(message) {
  const payload = deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH, windowBits: 9 }).subarray(0, -4);
  const key = randomBytes(4);
  const { length } = payload;
  const header = length < 126 ? [0xc1, 0x80 | length] : [0xc1, 0xfe, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(header), key, payload.map((byte, i) => byte ^ key[i & 3])]);
}
const frames = messages().map(frame);

/** Counts the frames of a server in what comes. */
class Frames {
  #header = Buffer.alloc(0);
  #left = 0;

  count(chunk) {
    let done = 0;
    for (let at = 0; at < chunk.length;) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        this.#left -= taken;
        at += taken;
        if (this.#left === 0) done++;
        continue;
      }
      this.#header = Buffer.concat([this.#header, chunk.subarray(at, ++at)]);
      const short = this.#header[1] & 127;
      if (this.#header.length < (short < 126 ? 2 : short === 126 ? 4 : 10)) continue;
      this.#left = short < 126 ? short : short === 126 ? this.#header.readUInt16BE(2) : this.#header.readUInt32BE(6);
      this.#header = Buffer.alloc(0);
    }
    return done;
  }
}

class Connection {
  answered = 0;
  #sent = 0;
  #most = 0;
  #frames = new Frames();
  #socket;

  open(port) {
    return new Promise((resolve, reject) => {
      this.#socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => this.#socket.write(request));
      let head = "";
      this.#socket.on("error", reject);
      this.#socket.on("close", () => {
        throw new Error("The server closed a connection.");
      });
      this.#socket.on("data", (chunk) => {
        if (head.endsWith("\r\n\r\n")) return this.#answered(this.#frames.count(chunk));
        head += chunk.toString("latin1");
        if (!head.endsWith("\r\n\r\n")) return;
        if (/^HTTP\/1.1 101 [^]*permessage-deflate/i.test(head)) resolve();
        else reject(new Error(`The server does not compress: ${head}`));
      });
    });
  }

  /** Sends so many messages more, with some of them on their way at a time. */
  send(count, inFlight) {
    this.#most = this.#sent + count;
    this.#answered(0, inFlight);
  }

  #answered(count, more = count) {
    this.answered += count;
    for (let i = 0; i < more && this.#sent < this.#most; i++) this.#socket.write(frames[this.#sent++ % frames.length]);
  }
}

const connections = [];
const answered = () => connections.reduce((sum, connection) => sum + connection.answered, 0);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const orders = {
  async open({ port, count }) {
    for (let i = 0; i < count; i++) {
      const connection = new Connection();
      await connection.open(port);
      connections.push(connection);
    }
    return {};
  },
  async exchange({ count }) {
    const all = answered() + connections.length * count;
    for (const connection of connections) connection.send(count, 1);
    while (answered() < all) await wait(10);
    return {};
  },
  async measure({ inFlight, warmUp, duration }) {
    for (const connection of connections) connection.send(Infinity, inFlight);
    await wait(warmUp);
    const [before, from] = [answered(), performance.now()];
    const cpu = process.cpuUsage();
    await wait(duration);
    const seconds = (performance.now() - from) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    return { perSecond: (answered() - before) / seconds, load: (user + system) / 1e6 / seconds };
  },
};
process.on("message", async ({ order, ...rest }) => process.send(await orders[order](rest)));
process.on("disconnect", () => process.exit());
