import {
  VIOLATION_CONTROL_FRAGMENTED,
  VIOLATION_CONTROL_TOO_LONG,
  VIOLATION_EMPTY_FRAGMENTS,
  VIOLATION_LENGTH_NOT_MINIMAL,
  VIOLATION_LENGTH_TOP_BIT,
  VIOLATION_MASKED,
  VIOLATION_MESSAGE_UNFINISHED,
  VIOLATION_NOTHING_TO_CONTINUE,
  VIOLATION_OPCODE,
  VIOLATION_RESERVED_BITS,
  VIOLATION_TOO_LONG,
  VIOLATION_TOO_MANY_FRAGMENTS,
  VIOLATION_UNMASKED,
  VIOLATION_UTF8,
} from "../../assembly/layout.ts";

/** Why a peer's frames are refused. */
export interface Violation {
  /** The status code for the Close frame (RFC 6455 §7.4.1). */
  readonly closeCode: 1002 | 1007 | 1008 | 1009;
  /** One sentence for a log; it fits a Close frame's reason. */
  readonly text: string;
}

const violations: Record<number, Violation> = {
  [VIOLATION_RESERVED_BITS]: { closeCode: 1002, text: "a reserved bit is set without an extension for it (§5.2)" },
  [VIOLATION_OPCODE]: { closeCode: 1002, text: "the opcode is a reserved one (§5.2)" },
  [VIOLATION_UNMASKED]: { closeCode: 1002, text: "a frame from a client is not masked (§5.1)" },
  [VIOLATION_MASKED]: { closeCode: 1002, text: "a frame from a server is masked (§5.1)" },
  [VIOLATION_LENGTH_NOT_MINIMAL]: { closeCode: 1002, text: "the length is not in its shortest form (§5.2)" },
  [VIOLATION_LENGTH_TOP_BIT]: { closeCode: 1002, text: "the top bit of a 64-bit length is set (§5.2)" },
  [VIOLATION_CONTROL_TOO_LONG]: { closeCode: 1002, text: "a control frame is longer than 125 bytes (§5.5)" },
  [VIOLATION_CONTROL_FRAGMENTED]: { closeCode: 1002, text: "a control frame is fragmented (§5.5)" },
  [VIOLATION_NOTHING_TO_CONTINUE]: { closeCode: 1002, text: "a continuation with no message open (§5.4)" },
  [VIOLATION_MESSAGE_UNFINISHED]: { closeCode: 1002, text: "a new message inside an unfinished one (§5.4)" },
  [VIOLATION_UTF8]: { closeCode: 1007, text: "a text message is not UTF-8 (§8.1)" },
  [VIOLATION_TOO_LONG]: { closeCode: 1009, text: "a message is longer than maxLength" },
  [VIOLATION_TOO_MANY_FRAGMENTS]: { closeCode: 1008, text: "a message has more than maxFragments fragments" },
  [VIOLATION_EMPTY_FRAGMENTS]: { closeCode: 1008, text: "a message has too many empty fragments in a row" },
};

export function violationOf(number: number): Violation {
  return violations[number]!;
}
