/** Called once the system has taken the bytes, or with an error. */
export type Done = (error?: Error | null) => void;

/** From this many bytes on a write leaves in pieces, which are no longer. */
const PIECE = 1 << 18;

/** What is left of a chunk, and whom to tell once it is written. */
interface Rest {
  bytes: Uint8Array;
  readonly done: Done | undefined;
}

/** Whether a write is so large that nobody would know for long how far it has come. */
export function isLarge(chunks: readonly Uint8Array[]): boolean {
  return chunks.reduce((sum, { length }) => sum + length, 0) > PIECE;
}

/** What leaves a stream in pieces, one at a time, since each tells at its end how far the whole has come. */
export class Pieces {
  /** Bytes that are not written yet. */
  length = 0;
  readonly #write: (bytes: Uint8Array, done: Done) => void;
  readonly #emptied: () => void;
  #left: Rest[] = [];
  #isWriting = false;

  /** `emptied` is called when nothing is left to be written: from then on writes may go past this. */
  constructor(write: (bytes: Uint8Array, done: Done) => void, emptied: () => void) {
    this.#write = write;
    this.#emptied = emptied;
  }

  add(chunks: readonly Uint8Array[], done: Done): void {
    for (const [i, bytes] of chunks.entries()) {
      this.#left.push({ bytes, done: i === chunks.length - 1 ? done : undefined });
      this.length += bytes.length;
    }
    if (!this.#isWriting) this.#writeNext();
  }

  /** Writes all that is left, at once. */
  flush(): void {
    for (const { bytes, done } of this.#take()) this.#write(bytes, (error) => done?.(error));
    this.#emptied();
  }

  drop(error: Error): void {
    const left = this.#take();
    this.#emptied();
    for (const { done } of left) done?.(error);
  }

  #take(): Rest[] {
    const left = this.#left;
    this.#left = [];
    this.length = 0;
    return left;
  }

  #writeNext(): void {
    const first = this.#left[0];
    this.#isWriting = first !== undefined;
    if (!first) return this.#emptied();
    const { bytes, done } = first;
    const piece = bytes.subarray(0, PIECE);
    this.length -= piece.length;
    if (piece.length < bytes.length) first.bytes = bytes.subarray(piece.length);
    else this.#left.shift();
    this.#write(piece, (error) => {
      if (piece.length === bytes.length) done?.(error);
      if (error) this.drop(error);
      else this.#writeNext();
    });
  }
}
