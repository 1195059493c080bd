/**
 * The grammar of an HTTP/1.1 head (RFC 9112 §2.1, §3, §4, §5; RFC 9110 §5.5, §5.6.2), as tables.
 *
 * @module
 */
import { isTokenCode } from "./headers.ts";

const LF = 0x0a;
export const CR = 0x0d;
const SP = 0x20;
const COLON = 0x3a;

// What a byte may be part of (RFC 9110 §5.5, §5.6.2).
const TOKEN = 1;
const VISIBLE = 2;
const TEXT = 4;
export const OBS_TEXT = 8;
const DIGIT = 16;

export const byteClasses = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte >= 0x80) return OBS_TEXT;
  if (byte === 0x09 || byte === SP) return TEXT;
  if (byte < SP || byte === 0x7f) return 0;
  return VISIBLE | TEXT | (isTokenCode(byte) ? TOKEN : 0) | (isDigit(byte) ? DIGIT : 0);
});

// The elements of a head, numbered as they stand in the table.
export const METHOD = 0;
export const TARGET = 1;
export const REQUEST_VERSION = 2;
export const RESPONSE_VERSION = 3;
const STATUS = 4;
const REASON = 5;
const LINE_FEED = 6;
export const NAME = 7;
const VALUE = 8;
export const LAST_LINE_FEED = 9;
export const LINE_START = 10;
export const DONE = 11;

/** So many bytes of these classes, then the one byte that ends them, and what comes next. */
export interface Element {
  readonly classes: number;
  readonly end: number;
  readonly next: number;
  readonly min: number;
  readonly max: number;
}

/** RFC 9112 §2.1, §3, §4, §5. No method that HTTP registers is half as long as 32. */
export const elements: readonly Element[] = [
  { classes: TOKEN, end: SP, next: TARGET, min: 1, max: 32 },
  { classes: VISIBLE, end: SP, next: REQUEST_VERSION, min: 1, max: Infinity },
  { classes: 0, end: CR, next: LINE_FEED, min: 8, max: 8 },
  { classes: 0, end: SP, next: STATUS, min: 8, max: 8 },
  { classes: DIGIT, end: SP, next: REASON, min: 3, max: 3 },
  { classes: TEXT | OBS_TEXT, end: CR, next: LINE_FEED, min: 0, max: Infinity },
  { classes: 0, end: LF, next: LINE_START, min: 0, max: 0 },
  { classes: TOKEN, end: COLON, next: VALUE, min: 1, max: Infinity },
  { classes: TEXT | OBS_TEXT, end: CR, next: LINE_FEED, min: 0, max: Infinity },
  { classes: 0, end: LF, next: DONE, min: 0, max: 0 },
];

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
