// Reads what is pasted: hexadecimal, base64, or what xxd, hexdump, tcpdump and Wireshark print.

/** Thrown for input that holds no bytes; the message says where, and what to do. */
export class InputError extends Error {}

/**
 * The stretches of bytes that a capture's text holds. A line that begins with ">" was sent by the client, one with "<"
 * by the server; `by` of the others is undefined. Lines of the same side in a row are one stretch.
 */
export function parseCapture(text) {
  const stretches = [];
  for (const line of text.split("\n")) {
    const [, mark, rest] = /^\s*([<>]?)(.*)$/.exec(line);
    const by = mark ? (mark === ">" ? "client" : "server") : undefined;
    if (!mark && rest.trim() === "") continue;
    const last = stretches.at(-1);
    if (last && last.by === by) last.lines.push(rest);
    else stretches.push({ by, lines: [rest] });
  }
  return stretches.map(({ by, lines }) => ({ by, bytes: parseBytes(lines) }));
}

function parseBytes(lines) {
  const digits = lines.map(digitsOf).join("");
  if (/^[0-9a-f]*$/i.test(digits)) return fromHex(digits);
  const text = lines.join("").replace(/\s/g, "");
  if (/^[\w+/-]*={0,2}$/.test(text)) return fromBase64(text);
  const [wrong] = /[^0-9a-f]/i.exec(digits);
  throw new InputError(`“${wrong}” is neither hexadecimal nor base64. Paste bytes as 81 05 48 …, or as gQVI…`);
}

/** The hexadecimal digits of a line, without the offset and the characters that dumps print beside them. */
function digitsOf(line) {
  const dumped = /^\s*(?:0x)?[0-9a-f]{4,}(:\s+|\s{2,})(.*)$/i.exec(line);
  const bytes = dumped ? dumped[2].replace(dumped[1].startsWith(":") ? /\s{2,}.*$/ : /\s{3,}.*$|\s*\|.*$/, "") : line;
  return bytes.replace(/0x|\\x|[\s,;:]/gi, "");
}

function fromHex(digits) {
  if (digits.length % 2 === 1)
    throw new InputError("The last byte has only one hexadecimal digit: half of it is missing.");
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

export function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) =>
      character.charCodeAt(0),
    );
  } catch {
    throw new InputError("This looks like base64, but it is cut: its length is not one that bytes come to.");
  }
}

export function toBase64Url(bytes) {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export const hexOf = (byte) => byte.toString(16).padStart(2, "0");

/** A line of a capture, which {@link parseCapture} reads again. */
export function lineOf(by, bytes) {
  return `${by === "client" ? ">" : "<"} ${Array.from(bytes, hexOf).join(" ")}`;
}
