import type { Codec } from "../../src/codec/codec.ts";
import { closeSlot, decode, openSlot, type DecoderLimits, type DecoderSink } from "../../src/codec/slot-decoder.ts";

/** A slot with the codec that it is of. */
export class SlotDecoder {
  readonly #codec: Codec;
  #slot: number;

  constructor(codec: Codec, limits: DecoderLimits) {
    this.#codec = codec;
    this.#slot = openSlot(codec, limits);
  }

  decode(chunk: Uint8Array, sink: DecoderSink): void {
    if (this.#slot !== 0) decode(this.#codec, this.#slot, chunk, sink);
  }

  free(): void {
    closeSlot(this.#codec, this.#slot);
    this.#slot = 0;
  }
}
