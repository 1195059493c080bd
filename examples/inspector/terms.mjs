// The names that RFC 6455 has for what stands in a frame.

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

/** §7.4.1, and the registry of §11.7. */
const statusCodes = {
  1000: "normal closure",
  1001: "going away",
  1002: "protocol error",
  1003: "unsupported data",
  1007: "invalid payload data",
  1008: "policy violation",
  1009: "message too big",
  1010: "mandatory extension",
  1011: "internal error",
  1012: "service restart",
  1013: "try again later",
  1014: "bad gateway",
};

export function statusName(code) {
  if (statusCodes[code]) return statusCodes[code];
  if (code >= 3000 && code < 4000) return "registered by a library";
  if (code >= 4000 && code < 5000) return "private use";
  return "may not be sent";
}

/** §7.4.2 */
export const isStatusCode = (code) => code in statusCodes || (code >= 3000 && code < 5000);

/** Where a section is to be read. */
export function sectionUrl(text) {
  const [, rfc = "6455", section] = /(?:RFC (\d+) )?§([\d.]+)/.exec(text) ?? [];
  return section && `https://www.rfc-editor.org/rfc/rfc${rfc}#section-${section}`;
}

export const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
