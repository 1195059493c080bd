import { UTF8_ACCEPT, UTF8_REJECT, UTF8_STATE } from "../../assembly/layout.ts";
import { sharedCodec, type Codec } from "./codec.ts";

/** Validates UTF-8 that comes in pieces (RFC 3629, RFC 6455 §8.1). */
export class Utf8Validator {
  readonly #codec: Codec;
  #state = UTF8_ACCEPT;

  constructor(codec: Codec = sharedCodec()) {
    this.#codec = codec;
  }

  /**
   * Takes the next bytes. "valid": the text may end here; "incomplete": it ends inside a character; "invalid": no
   * continuation can mend it, and it stays so.
   */
  push(bytes: Uint8Array): "valid" | "incomplete" | "invalid" {
    this.#state = this.#codec.validate(this.#state, bytes);
    const automaton = this.#state & UTF8_STATE;
    return automaton === UTF8_ACCEPT ? "valid" : automaton === UTF8_REJECT ? "invalid" : "incomplete";
  }
}
