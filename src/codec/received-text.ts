/**
 * The text that was received last, while its UTF-8 still lies in the window. Whoever sends it on, to one connection or to
 * a thousand, has it copied from there: encoding a KiB of several languages takes Node twenty times as long.
 */
export class ReceivedText {
  #string = "";
  #at = 0;
  #length = 0;

  /** `string` was made of `length` bytes of linear memory, at `at`. */
  is(string: string, at: number, length: number): void {
    this.#string = string;
    this.#at = at;
    this.#length = length;
  }

  /** The memory has other bytes now. */
  forget(): void {
    this.#string = "";
    this.#length = 0;
  }

  /** The UTF-8 of `string` in `memory`, until that changes; undefined where it is not there. */
  find(string: string, memory: Uint8Array): Uint8Array | undefined {
    if (this.#length === 0 || string !== this.#string) return undefined;
    return memory.subarray(this.#at, this.#at + this.#length);
  }
}
