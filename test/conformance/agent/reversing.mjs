/** An extension (RFC 6455 §9) at work: it turns payloads round, and marks them with its bits. */
export class Reversing {
  #name;
  #log;

  /** `log` takes down what it is asked for. */
  constructor(rsv = 0x40, name = "reversing", log = []) {
    this.rsv = rsv;
    this.#name = name;
    this.#log = log;
  }

  encode(opcode, data) {
    this.#log.push(`${this.#name} encodes ${opcode}`);
    return data.length === 0 ? undefined : data.slice().reverse();
  }

  decode(opcode, data, maxLength) {
    this.#log.push(`${this.#name} decodes ${opcode} up to ${maxLength}`);
    return data.slice().reverse();
  }

  close() {
    this.#log.push(`${this.#name} closes`);
  }
}

const name = "x-reversing";
const offer = { name, parameters: [] };

/** The same, to be negotiated. */
export const reversing = {
  name,
  offer: () => [offer],
  accept: () => ({ response: offer, session: new Reversing() }),
  confirm: () => new Reversing(),
};
