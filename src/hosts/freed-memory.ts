/**
 * What becomes of memory that was freed.
 *
 * @module
 */

/** A read from this size on is part of a large message, or of many that come at once. */
const MUCH = 16_384;
/** An allocation that moves glibc's thresholds is less than 32 MiB, with a head that may take a page. */
const LARGEST_MOVING = 2 ** 25 - 8192;

let isKept = false;

/**
 * Told of each read; at the first one of {@link MUCH} it has the C library keep what is freed.
 *
 * What binary messages lie in is freed by the megabyte, whenever garbage is collected. glibc gives such memory back to
 * the system once 128 KiB at the end of its heap are free, and gets it anew for the next messages, page by page, each at
 * the cost of a fault: a client that takes 64 KiB a message may spend five sixths of its time on that. How much is to be
 * free first, glibc learns from the largest allocation that was ever freed, which is 64 MiB from here on. So it keeps no
 * more than a process had in use a moment ago. Nothing is written to the allocation, which hence takes up no memory; in
 * other C libraries it has no effect.
 */
export function keepFreedMemory(read: number): void {
  if (isKept || read < MUCH) return;
  isKept = true;
  try {
    // Of use to nobody, a bundler would leave it out.
    isKept = new ArrayBuffer(LARGEST_MOVING).byteLength > 0;
  } catch {
    // The process may not have so much; then all goes on as it was.
  }
}
