import { ProtocolError } from "hybi";

/**
 * An extension that undoes a compression: of each five bytes of a message, the first four say how often the fifth stands
 * there. So a message of a few bytes may come to gigabytes, and one of another length is garbage.
 */
class Repeating {
  rsv = 0x40;
  #isCareless;

  constructor(isCareless) {
    this.#isCareless = isCareless;
  }

  encode() {
    return undefined;
  }

  decode(_opcode, data, maxLength) {
    if (data.length % 5 !== 0) throw new Error("The data is cut.");
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    let length = 0;
    for (let at = 0; at < data.length; at += 5) {
      length += view.getUint32(at);
      if (length > maxLength && !this.#isCareless) throw new ProtocolError("ERR_TOO_LONG", "The data is a bomb.", 1009);
    }
    const bytes = new Uint8Array(length);
    for (let at = 0, from = 0; at < data.length; at += 5) bytes.fill(data[at + 4], from, (from += view.getUint32(at)));
    return bytes;
  }

  close() {
    // It holds nothing.
  }
}

function extension(name, isCareless) {
  const offer = { name, parameters: [] };
  return {
    name,
    offer: () => [offer],
    accept: () => ({ response: offer, session: new Repeating(isCareless) }),
    confirm: () => new Repeating(isCareless),
  };
}

export const repeating = extension("x-repeating", false);
/** The same by somebody who does not look at `maxLength`. */
export const careless = extension("x-careless", true);
