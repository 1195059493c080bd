// The names that RFC 6455 has for what stands in a frame.
import { closeCodes, isCloseCode } from "hybi/codec";

/** §5.2; `kind` is what the style sheet colours by. */
const opcodes = {
  0x0: { name: "continuation", kind: "continuation" },
  0x1: { name: "text", kind: "text" },
  0x2: { name: "binary", kind: "binary" },
  0x8: { name: "close", kind: "close" },
  0x9: { name: "ping", kind: "ping" },
  0xa: { name: "pong", kind: "pong" },
};

export const opcodeOf = (opcode) =>
  opcodes[opcode] ?? { name: opcode < 8 ? "reserved, data" : "reserved, control", kind: "reserved" };

export const isControl = (opcode) => opcode >= 8;

/** Of a Close frame (§7.4). */
export function statusName(code) {
  if (!isCloseCode(code)) return "may not be sent";
  return closeCodes[code] ?? (code < 4000 ? "registered by a library" : "private use");
}

/** Where a section is to be read. */
export function sectionUrl(text) {
  const [, rfc = "6455", section] = /(?:RFC (\d+) )?§([\d.]+)/.exec(text) ?? [];
  return section && `https://www.rfc-editor.org/rfc/rfc${rfc}#section-${section}`;
}

export const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
