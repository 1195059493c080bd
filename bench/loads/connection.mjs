// A connection of the loads': a plain socket of Bun's that counts bytes, so that it costs less than what it measures.
import { Buffer } from "node:buffer";
import { REQUEST } from "../request.mjs";

const { Bun } = globalThis;

const END_OF_HEAD = Buffer.from("\r\n\r\n");

const handlers = {
  open(socket) {
    socket.write(REQUEST);
  },
  data(socket, chunk) {
    socket.data.received(chunk);
  },
  drain(socket) {
    socket.data.flush();
  },
  close(socket) {
    socket.data.closed();
  },
  error(socket, error) {
    socket.data.failed(error);
  },
  connectError(socket, error) {
    socket.data.failed(error);
  },
};

/** One end of many: it sends messages of one length, and counts those that come back whole. */
export class Connection {
  /** What was counted since it opened. */
  messages = 0;
  isOpen = false;
  #head = Buffer.alloc(0);
  #frames;
  #onMessages;
  #onClose;
  /** Bytes that came of a message that is not whole yet. */
  #pending = 0;
  /** Bytes that the socket has not taken, and where they begin in the frames. */
  #unsent = 0;
  #at = 0;
  #resolve;
  #reject;
  #socket;

  /** Resolves once the opening handshake is done; `onMessages` then gets how many messages came, and the connection. */
  static open({ port, host = "127.0.0.1", tls = false }, frames, onMessages, onClose) {
    return new Promise((resolve, reject) => {
      const connection = new Connection();
      connection.#frames = frames;
      connection.#onMessages = onMessages;
      connection.#onClose = onClose;
      connection.#resolve = resolve;
      connection.#reject = reject;
      Bun.connect({
        hostname: host,
        port,
        ...(tls && { tls: { rejectUnauthorized: false } }),
        socket: handlers,
        data: connection,
      }).then((socket) => (connection.#socket = socket), reject);
    });
  }

  received(chunk) {
    if (!this.isOpen) {
      this.#shake(chunk);
      return;
    }
    const { echoed, first } = this.#frames;
    // Each chunk that begins with a message tells whether it is one, and no Close frame.
    if (this.#pending === 0 && chunk[0] !== first) {
      this.failed(new Error(`A frame came that begins with 0x${chunk[0].toString(16)}.`));
      return;
    }
    this.#pending += chunk.length;
    if (this.#pending < echoed) return;
    const messages = Math.floor(this.#pending / echoed);
    this.#pending -= messages * echoed;
    this.messages += messages;
    this.#onMessages(messages, this);
  }

  /** The response to the opening handshake, of which the load only wants to know that it is one. */
  #shake(chunk) {
    this.#head = Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf(END_OF_HEAD);
    if (end < 0) return;
    const line = this.#head.toString("latin1", 0, this.#head.indexOf("\r\n"));
    if (!line.startsWith("HTTP/1.1 101 ")) {
      this.failed(new Error(`The server answered ${line}.`));
      return;
    }
    this.isOpen = true;
    this.#resolve(this);
    const rest = this.#head.subarray(end + END_OF_HEAD.length);
    this.#head = undefined;
    if (rest.length > 0) this.received(rest);
  }

  /** Sends the next messages. */
  send(messages) {
    this.#unsent += messages * this.#frames.length;
    this.flush();
  }

  flush() {
    const { bytes } = this.#frames;
    while (this.#unsent > 0) {
      const length = Math.min(this.#unsent, bytes.length - this.#at);
      const written = this.#socket.write(bytes, this.#at, length);
      if (written <= 0) return;
      this.#unsent -= written;
      this.#at = (this.#at + written) % bytes.length;
      if (written < length) return;
    }
  }

  end() {
    this.#onClose = undefined;
    this.#socket.terminate();
  }

  closed() {
    this.failed(new Error("The server closed a connection."));
  }

  failed(error) {
    this.#reject(error);
    this.#onClose?.(error);
    this.#onClose = undefined;
  }
}
