// The fields of one frame, in the order and by the names of RFC 6455 §5.2, each with its place in bits.
import { hexOf } from "./input.mjs";
import { isControl, opcodeOf, plural, statusName } from "./terms.mjs";

const binary = (value, bits) => value.toString(2).padStart(bits, "0");

/**
 * Each field has `name`, `short` where there is room for little, `id` (what it is marked by), `from` and `bits`, `raw` (as
 * it stands there) and `meaning`. `bits` of the payload may be none, or more than have come.
 */
export function fieldsOf(frame) {
  const [first, second] = frame.bytes;
  const opcode = first & 0x0f;
  const fields = [
    flag("FIN", "fin", 0, first & 0x80, ["more fragments follow", "the last fragment of its message"]),
    ...[0x40, 0x20, 0x10].map((bit, i) =>
      flag(`RSV${i + 1}`, "rsv", i + 1, first & bit, [
        "not set",
        i === 0 ? "the message is compressed (RFC 7692 §6)" : "set",
      ]),
    ),
    { name: "opcode", id: "opcode", from: 4, bits: 4, raw: binary(opcode, 4), meaning: opcodeMeaning(opcode) },
  ];
  if (second === undefined) return fields;
  const length = second & 0x7f;
  const isMasked = (second & 0x80) !== 0;
  fields.push(flag("MASK", "mask", 8, isMasked, ["not masked, as a server sends", "masked, as a client sends"]));
  fields.push({
    name: "Payload len",
    id: "length",
    from: 9,
    bits: 7,
    raw: binary(length, 7),
    meaning: lengthMeaning(length),
  });
  let at = 2;
  const take = (name, short, id, bytes, meaning) => {
    const there = frame.bytes.subarray(at, at + bytes);
    const isMissing = there.length < bytes;
    const raw = Array.from(there, hexOf).join(" ");
    fields.push({
      name,
      short,
      id,
      from: 8 * at,
      bits: 8 * bytes,
      raw,
      isMissing,
      meaning: isMissing ? "cut off" : meaning,
    });
    at += bytes;
  };
  const { header } = frame;
  if (length >= 126)
    take(
      "Extended payload length",
      "Extended length",
      "length",
      length === 126 ? 2 : 8,
      header && plural(header.payloadLength, "byte"),
    );
  if (isMasked)
    take("Masking-key", "Masking-key", "key", 4, "byte i of the payload is XORed with byte i mod 4 of it (§5.3)");
  if (header) fields.push(payloadField(frame, opcode, at));
  return fields;
}

function flag(name, id, from, isSet, [whenClear, whenSet]) {
  return { name, id, from, bits: 1, raw: isSet ? "1" : "0", meaning: isSet ? whenSet : whenClear };
}

function opcodeMeaning(opcode) {
  const kind = isControl(opcode) ? "a control frame" : opcode === 0 ? "goes on with a message" : "begins a message";
  return `0x${opcode.toString(16)}: ${opcodeOf(opcode).name}, ${kind}`;
}

function lengthMeaning(length) {
  if (length < 126) return plural(length, "byte");
  return `the length is in the next ${length === 126 ? 16 : 64} bits`;
}

function payloadField({ header, onWire, payload, isCut }, opcode, at) {
  const { payloadLength, maskingKey } = header;
  const length = isCut
    ? `${plural(onWire.length, "byte")} of ${payloadLength.toLocaleString("en")}, the rest is cut off`
    : plural(payloadLength, "byte");
  const parts = [length, ...(maskingKey && payloadLength > 0 ? ["masked"] : [])];
  if (opcode === 8 && payload.length >= 2) {
    const code = payload[0] * 256 + payload[1];
    parts.push(`status code ${code}, ${statusName(code)}`);
  }
  return {
    name: "Payload Data",
    id: "payload",
    from: 8 * at,
    bits: 8 * payloadLength,
    raw: Array.from(onWire.subarray(0, 8), hexOf).join(" ") + (onWire.length > 8 ? " …" : ""),
    bytes: onWire,
    meaning: parts.join("; "),
  };
}
