// The payload of a frame: as it is on the wire and unmasked, side by side.
import { element } from "./dom.mjs";
import { hexOf } from "./input.mjs";

const ROW = 8;
/** Bytes that are written out; the rest is counted. */
const MOST = 2048;

const printable = (byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·");

export function dump(bytes) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, MOST); at += ROW) {
    const row = bytes.subarray(at, at + ROW);
    const hex = Array.from(row, hexOf)
      .join(" ")
      .padEnd(3 * ROW - 1);
    lines.push(`${at.toString(16).padStart(4, "0")}  ${hex}  ${Array.from(row, printable).join("")}`);
  }
  if (bytes.length > MOST) lines.push(`… ${(bytes.length - MOST).toLocaleString("en")} more bytes`);
  return lines.join("\n");
}

function pane(title, bytes) {
  return element(
    "figure",
    { className: "dump" },
    element("figcaption", {}, title),
    element("pre", { tabIndex: 0, role: "region", "aria-label": title }, bytes.length > 0 ? dump(bytes) : "no bytes"),
  );
}

export function drawPayload({ header, onWire, payload }) {
  if (!header) return element("p", { className: "hint" }, "The bytes end inside the header.");
  const { maskingKey } = header;
  if (!maskingKey) return element("div", { className: "dumps" }, pane("Payload, which is not masked", payload));
  const key = Array.from(maskingKey, hexOf).join(" ");
  return element(
    "div",
    { className: "dumps" },
    pane(`On the wire, masked with ${key}`, onWire),
    pane("Unmasked", payload),
  );
}
