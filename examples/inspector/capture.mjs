// The model: the frames of a capture, as hybi's own codec reads and judges them, and the messages that they make.
import { Decoder, decodeFrameHeader, isCloseCode, mask, validateUtf8 } from "hybi/codec";
import { permessageDeflate } from "hybi/deflate";
import { isControl } from "./terms.mjs";

/**
 * Reads a capture: what the two sides of one connection sent, in the order of time. `by` is who sent what says nothing
 * about it: "client", "server", or undefined to tell by whether the first frame is masked. `deflate` is "on",
 * "no-takeover" or "off".
 */
export function readCapture(stretches, { by, deflate, codec }) {
  const capture = { frames: [], messages: [] };
  const lanes = new Map();
  for (const { by: marked, bytes } of stretches) {
    const sender = marked ?? by ?? ((bytes[1] & 0x80) !== 0 ? "client" : "server");
    if (!lanes.has(sender)) lanes.set(sender, new Lane(sender, { deflate, codec, capture }));
    lanes.get(sender).read(bytes);
  }
  for (const lane of lanes.values()) lane.end();
  return capture;
}

/** What one side sent. */
class Lane {
  #by;
  #codec;
  #capture;
  #decoder;
  #session;
  #pending = new Uint8Array(0);
  #at = 0;
  /** The message whose last fragment is still to come. */
  #open;
  /** Why what follows is not looked at. */
  #over;

  constructor(by, { deflate, codec, capture }) {
    this.#by = by;
    this.#codec = codec;
    this.#capture = capture;
    const role = by === "client" ? "server" : "client";
    this.#decoder = new Decoder({ role, allowedRsv: deflate === "off" ? 0 : 0x40, codec });
    if (deflate === "off") return;
    // As a server that agreed to it; a window of 2^15 bytes reads what any peer may have deflated.
    const parameters = deflate === "no-takeover" ? [["client_no_context_takeover", true]] : [];
    const offer = { name: "permessage-deflate", parameters };
    this.#session = permessageDeflate({ peerWindowBits: 15 }).accept([offer]).session;
  }

  read(chunk) {
    const bytes = new Uint8Array(this.#pending.length + chunk.length);
    bytes.set(this.#pending);
    bytes.set(chunk, this.#pending.length);
    let at = 0;
    for (;;) {
      const header = decodeFrameHeader(bytes, at, this.#codec);
      const length = header && header.headerLength + header.payloadLength;
      if (!header || length > bytes.length - at) break;
      this.#add(bytes.subarray(at, at + length), header, false);
      at += length;
    }
    this.#pending = bytes.subarray(at);
  }

  end() {
    const rest = this.#pending;
    if (rest.length > 0) this.#add(rest, decodeFrameHeader(rest, 0, this.#codec), true);
    this.#decoder.free();
    this.#session?.close();
  }

  /** A frame; of one that is cut the rest, and maybe the header, is missing. */
  #add(bytes, header, isCut) {
    const onWire = header ? bytes.subarray(header.headerLength) : new Uint8Array(0);
    const payload = header?.maskingKey ? mask(onWire, header.maskingKey, 0, this.#codec) : onWire;
    const { frames } = this.#capture;
    const frame = { index: frames.length, by: this.#by, at: this.#at, bytes, header, onWire, payload, isCut };
    this.#at += bytes.length;
    frames.push(frame);
    if (this.#over) frame.ignored = this.#over;
    else this.#judge(frame);
  }

  #judge(frame) {
    const opcode = frame.bytes[0] & 0x0f;
    const isData = !isControl(opcode);
    let violation;
    this.#decoder.decode(frame.bytes, {
      piece: () => undefined,
      violation: (found) => (violation = found),
    });
    if (!violation && opcode === 8 && !frame.isCut) violation = this.#closeViolation(frame.payload);
    if (isData && (!violation || opcode === 0)) this.#join(frame, opcode, violation);
    violation ??= frame.message?.violation;
    if (violation) {
      frame.violation = { ...violation, field: fieldOf(violation) };
      this.#over = "The connection has failed by then: nothing of it is looked at (§7.1.7).";
    } else if (opcode === 8 && !frame.isCut) {
      this.#over = "It stands behind a Close frame: nothing may be sent there, and nothing is looked at (§5.5.1).";
    }
  }

  /** What the codec leaves to the protocol: the payload of a Close frame. */
  #closeViolation(payload) {
    if (payload.length === 0) return undefined;
    if (payload.length === 1) return { closeCode: 1002, text: "a Close frame's payload is a single byte (§5.5.1)" };
    const code = payload[0] * 256 + payload[1];
    if (!isCloseCode(code)) return { closeCode: 1002, text: `the status code ${code} may not be sent (§7.4.1)` };
    if (!validateUtf8(payload.subarray(2), this.#codec))
      return { closeCode: 1007, text: "the reason of a Close frame is not UTF-8 (§8.1)" };
    return undefined;
  }

  #join(frame, opcode, violation) {
    if (opcode !== 0) this.#open = this.#begin(frame, opcode);
    const message = this.#open;
    if (!message) return;
    frame.message = message;
    message.frames.push(frame);
    if (violation) message.violation = violation;
    else if (frame.bytes[0] & 0x80 && !frame.isCut) {
      this.#open = undefined;
      this.#finish(message);
    }
  }

  #begin(frame, opcode) {
    const { messages } = this.#capture;
    const isCompressed = (frame.bytes[0] & 0x40) !== 0;
    const message = { index: messages.length, by: this.#by, opcode, isCompressed, frames: [], isWhole: false };
    messages.push(message);
    return message;
  }

  #finish(message) {
    const payload = concat(message.frames.map(({ payload }) => payload));
    message.isWhole = true;
    message.sentLength = payload.length;
    message.data = payload;
    if (!message.isCompressed) return;
    try {
      message.data = this.#session.decode(message.opcode, payload, 2 ** 26 - 1);
    } catch (error) {
      const closeCode = error.code === "ERR_TOO_LONG" ? 1009 : 1007;
      message.data = undefined;
      message.violation = { closeCode, text: `${error.message} (RFC 7692 §7.2.2)` };
      return;
    }
    if (message.opcode === 1 && !validateUtf8(message.data, this.#codec))
      message.violation = { closeCode: 1007, text: "a text message, inflated, is not UTF-8 (§8.1)" };
  }
}

function concat(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The field of a frame where a violation shows: 1007 is about what the payload says. */
function fieldOf({ closeCode, text }) {
  const place = closeCode === 1007 ? undefined : places.find(([pattern]) => pattern.test(text));
  return place ? place[1] : "payload";
}

const places = [
  [/reserved bit/, "rsv"],
  [/opcode|continuation|new message/, "opcode"],
  [/masked/, "mask"],
  [/length|longer/, "length"],
  [/is fragmented/, "fin"],
];
