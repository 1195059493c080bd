// The browser's own WebSocket, and the frames that carry its messages.
import { encodeFrame } from "hybi/codec";

/**
 * A connection to look at. A page sees messages, not frames: which key masked them, how they were fragmented and whether
 * they were compressed stays with the browser. So `onFrame(by, bytes)` gets the frame that RFC 6455 has for the message:
 * whole, and from the client masked with a key made up here. `onState(text, isOpen)` gets sentences for the user.
 */
export class Connection {
  #ws;
  #onFrame;
  #onState;

  constructor({ onFrame, onState }) {
    this.#onFrame = onFrame;
    this.#onState = onState;
  }

  get isOpen() {
    return this.#ws?.readyState === WebSocket.OPEN;
  }

  /** Throws what the browser does about a URL or a subprotocol that is none. */
  open(url, subprotocols) {
    this.close();
    const ws = new WebSocket(url, subprotocols);
    ws.binaryType = "arraybuffer";
    this.#ws = ws;
    this.#onState(`Connecting to ${url} …`, false);
    ws.addEventListener("open", () => {
      const subprotocol = ws.protocol ? `, subprotocol ${ws.protocol}` : "";
      this.#onState(`Connected to ${url}${subprotocol}, ${ws.extensions || "no extensions"}.`, true);
    });
    ws.addEventListener("message", ({ data }) => this.#record("server", data));
    ws.addEventListener("close", ({ code, reason, wasClean }) => {
      if (this.#ws !== ws) return;
      const how = wasClean ? "cleanly" : "without a closing handshake";
      this.#onState(`Closed ${how}, with ${code}${reason ? ` “${reason}”` : ""}.`, false);
    });
  }

  close() {
    const ws = this.#ws;
    if (!ws || ws.readyState >= WebSocket.CLOSING) return;
    ws.close(1000);
    this.#onState("Closing …", false);
  }

  /** Sends a string as a text message, bytes as a binary one. */
  send(data) {
    this.#ws.send(data);
    this.#record("client", data);
  }

  #record(by, data) {
    const isText = typeof data === "string";
    const payload = isText ? new TextEncoder().encode(data) : new Uint8Array(data);
    const maskingKey = by === "client" ? crypto.getRandomValues(new Uint8Array(4)) : undefined;
    this.#onFrame(by, encodeFrame({ opcode: isText ? 1 : 2, payload, maskingKey }));
  }
}
