/**
 * An extension by somebody who does not look at `maxLength`: of each five bytes of a message, the first four say how often
 * the fifth stands there.
 */
class Careless {
  rsv = 0x40;

  encode() {
    return undefined;
  }

  decode(_opcode, data) {
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    const parts = Array.from({ length: data.length / 5 }, (_, i) => [view.getUint32(5 * i), data[5 * i + 4]]);
    return Uint8Array.from(parts.flatMap(([count, byte]) => Array(count).fill(byte)));
  }

  close() {
    // It holds nothing.
  }
}

const offer = { name: "x-careless", parameters: [] };
export const careless = {
  name: offer.name,
  offer: () => [offer],
  accept: () => ({ response: offer, session: new Careless() }),
  confirm: () => new Careless(),
};
