// Makes a frame of what the form says, and a form of what a frame is.
import { encodeFrame } from "hybi/codec";
import { byId } from "./dom.mjs";
import { hexOf, InputError, parseCapture } from "./input.mjs";

const form = byId("editor");
const { elements } = form;

/** Fills the form in from a frame. */
export function editFrame({ by, bytes, payload, header }) {
  const [first] = bytes;
  elements.by.value = by;
  elements.fin.checked = (first & 0x80) !== 0;
  for (const [i, bit] of [0x40, 0x20, 0x10].entries()) elements[`rsv${i + 1}`].checked = (first & bit) !== 0;
  elements.opcode.value = String(first & 0x0f);
  elements.key.value = Array.from(header?.maskingKey ?? [], hexOf).join(" ");
  const text = textOf(payload);
  elements.form.value = text === undefined ? "hex" : "text";
  elements.payload.value = text ?? Array.from(payload, hexOf).join(" ");
}

/** The payload as text, if the form can hold it without changing it. */
function textOf(payload) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
    return /[^\P{Cc}\n]/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

const payloadOf = () =>
  elements.form.value === "text"
    ? new TextEncoder().encode(elements.payload.value)
    : bytesOf(elements.payload.value, "payload");

function bytesOf(text, what) {
  try {
    return parseCapture(text.replace(/\n/g, " "))[0]?.bytes ?? new Uint8Array(0);
  } catch (error) {
    throw new InputError(`The ${what}: ${error.message}`, { cause: error });
  }
}

/** Who sends the frame, and its bytes. Throws an {@link InputError} for a form that makes none. */
export function editedFrame() {
  const key = bytesOf(elements.key.value, "masking key");
  if (key.length !== 0 && key.length !== 4)
    throw new InputError(`A masking key has four bytes, or none, not ${key.length}.`);
  const rsv = [0x40, 0x20, 0x10].reduce((bits, bit, i) => bits | (elements[`rsv${i + 1}`].checked ? bit : 0), 0);
  const header = { fin: elements.fin.checked, rsv, opcode: Number(elements.opcode.value) };
  const bytes = encodeFrame({ ...header, payload: payloadOf(), maskingKey: key.length === 4 ? key : undefined });
  return { by: elements.by.value, bytes };
}

/** What the browser's WebSocket can send of it: a string or bytes. Throws where it is neither text nor binary. */
export function editedMessage() {
  const opcode = Number(elements.opcode.value);
  if (opcode !== 1 && opcode !== 2)
    throw new InputError("A page can send text and binary messages only: choose opcode 1 or 2.");
  const payload = payloadOf();
  if (opcode === 2) return payload;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
  } catch (cause) {
    throw new InputError("A page can send text only if it is UTF-8 (§8.1): choose opcode 2.", { cause });
  }
}
