/**
 * The close codes of IANA's registry (RFC 6455 §7.4.1, §11.7), by the names that they have there. Those that no Close frame
 * carries are a connection's own: 1005 when the peer's Close frame had no code, 1006 when none came.
 */
export const closeCodes: Readonly<Record<number, string | undefined>> = {
  1000: "normal closure",
  1001: "going away",
  1002: "protocol error",
  1003: "unsupported data",
  1004: "reserved",
  1005: "no status received",
  1006: "abnormal closure",
  1007: "invalid frame payload data",
  1008: "policy violation",
  1009: "message too big",
  1010: "mandatory extension",
  1011: "internal error",
  1012: "service restart",
  1013: "try again later",
  1014: "bad gateway",
  1015: "TLS handshake",
  3000: "unauthorized",
  3003: "forbidden",
  3008: "timeout",
};

/** Whether a Close frame may carry `code`: 1000 to 1014 but for 1004 to 1006, and 3000 to 4999 (§7.4.2). */
export function isCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false;
  return (code >= 1000 && code <= 1014 && !(code >= 1004 && code <= 1006)) || (code >= 3000 && code <= 4999);
}
