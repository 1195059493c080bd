import {
  SLOTS,
  SLOT_ALLOWED_RSV,
  SLOT_COUNT,
  SLOT_EXPECT_MASKED,
  SLOT_MAX_FRAGMENTS,
  SLOT_MAX_LENGTH,
  SLOT_NEXT_FREE,
  SLOT_SIZE,
} from "./layout";

/** Head of the list of slots that were used and given back; 0 ends the list. */
let freed: u32 = 0;
/** Slots from here on were never used, so their memory is still untouched (and costs nothing). */
let fresh: u32 = 1;
let taken: u32 = 0;

export function slotAddress(slot: u32): usize {
  return SLOTS + slot * SLOT_SIZE;
}

/** Takes a slot for one connection's decoder; 0 when all are taken. */
export function openSlot(expectMasked: u32, allowedRsv: u32, maxLength: f64, maxFragments: u32): u32 {
  let slot = freed;
  if (slot) {
    freed = load<u32>(slotAddress(slot), SLOT_NEXT_FREE);
  } else {
    if (fresh == SLOT_COUNT) return 0;
    slot = fresh++;
  }
  taken++;
  const at = slotAddress(slot);
  memory.fill(at, 0, SLOT_SIZE);
  store<u8>(at, expectMasked, SLOT_EXPECT_MASKED);
  store<u8>(at, allowedRsv, SLOT_ALLOWED_RSV);
  store<f64>(at, maxLength, SLOT_MAX_LENGTH);
  store<u32>(at, maxFragments, SLOT_MAX_FRAGMENTS);
  return slot;
}

/** Gives a slot back. The host calls it once for each slot it took. */
export function closeSlot(slot: u32): void {
  store<u32>(slotAddress(slot), freed, SLOT_NEXT_FREE);
  freed = slot;
  taken--;
}

export function slotsTaken(): u32 {
  return taken;
}
