import { END_OF_BLOCK, LITERAL, makeTable, SPECIAL } from "./decode-table";
import {
  CODE_LENGTH_MEANINGS,
  DISTANCE_MEANINGS,
  FIXED_DISTANCE_TABLE,
  FIXED_LENGTHS,
  FIXED_LITERAL_TABLE,
  IS_MADE,
  LITERAL_MEANINGS,
} from "./inflate-state";

/** What each symbol means (§3.2.5, §3.2.7), and the tables of the fixed codes (§3.2.6): made once, and then there. */
export function makeShared(): void {
  if (load<u32>(IS_MADE) != 0) return;
  store<u32>(IS_MADE, 1);
  for (let i: u32 = 0; i < 256; i++) store<u32>(LITERAL_MEANINGS + (i << 2), LITERAL | (i << 16));
  store<u32>(LITERAL_MEANINGS, SPECIAL | END_OF_BLOCK, 4 * 256);
  // Four lengths for each number of extra bits, but eight without; two distances, but four.
  ranges(LITERAL_MEANINGS + 4 * 257, 28, 2, 3);
  store<u32>(LITERAL_MEANINGS, 258 << 16, 4 * 285);
  store<u32>(LITERAL_MEANINGS, SPECIAL, 4 * 286);
  store<u32>(LITERAL_MEANINGS, SPECIAL, 4 * 287);
  ranges(DISTANCE_MEANINGS, 30, 1, 1);
  store<u32>(DISTANCE_MEANINGS, SPECIAL, 4 * 30);
  store<u32>(DISTANCE_MEANINGS, SPECIAL, 4 * 31);
  for (let i: u32 = 0; i < 16; i++) store<u32>(CODE_LENGTH_MEANINGS + (i << 2), i << 16);
  store<u32>(CODE_LENGTH_MEANINGS, (16 << 16) | 2, 4 * 16);
  store<u32>(CODE_LENGTH_MEANINGS, (17 << 16) | 3, 4 * 17);
  store<u32>(CODE_LENGTH_MEANINGS, (18 << 16) | 7, 4 * 18);

  for (let i: u32 = 0; i < 288; i++) store<u8>(FIXED_LENGTHS + i, i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8);
  makeTable(FIXED_LENGTHS, 288, FIXED_LITERAL_TABLE, 9, LITERAL_MEANINGS, false);
  for (let i: u32 = 0; i < 32; i++) store<u8>(FIXED_LENGTHS + i, 5);
  makeTable(FIXED_LENGTHS, 32, FIXED_DISTANCE_TABLE, 5, DISTANCE_MEANINGS, false);
}

/** The ranges that `count` symbols stand for, one behind the other from `first`: 2^`log` for each number of extra bits. */
function ranges(meanings: usize, count: u32, log: u32, first: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const extra = i >> log > 1 ? (i >> log) - 1 : 0;
    store<u32>(meanings + (i << 2), (first << 16) | extra);
    first += (<u32>1) << extra;
  }
}
