import { Decoder } from "hybi/codec";
import { latin1 } from "./bytes.mjs";

/** What the decoder reports, its pieces joined. */
export function decoded(codec, limits, chunks) {
  const parts = [];
  let violation;
  const decoder = new Decoder({ codec, ...limits });
  const events = {
    piece({ data, ...piece }) {
      const before = parts.at(-1);
      const part = { ...piece, data: latin1(data) };
      if (!before || before.last || part.first || before.opcode !== part.opcode) parts.push(part);
      else Object.assign(before, { data: before.data + part.data, last: part.last });
    },
    violation: (found) => (violation = found),
  };
  for (const chunk of chunks) decoder.decode(chunk, events);
  decoder.free();
  // How much of a text that is not UTF-8 was reported depends on how it was cut.
  if (violation?.closeCode === 1007 && parts.at(-1)?.last === false) parts.pop();
  return { parts, violation };
}
