// Draws a frame as RFC 6455 §5.2 does: a ruler of bits, and rows of fields under it.
import { element } from "./dom.mjs";
import { hexOf } from "./input.mjs";

/** Bytes of the payload that are drawn; the rest is one field. */
const PAYLOAD_BYTES = 16;

/**
 * The drawing, in rows of 32 bits, or of 16 where there is little room. All that it says stands in the table of fields
 * too, so it is hidden from screen readers.
 */
export function drawFrame(fields, { width, marked }) {
  const grid = element("div", { className: "bits", "aria-hidden": "true", data: { width } });
  for (let bit = 0; bit < width; bit++) {
    const tens = bit % 10 === 0 ? String(bit / 10) : "";
    grid.append(element("span", { className: "ruler" }, element("i", {}, tens), String(bit % 10)));
  }
  for (const field of fields) {
    const cells = field.bytes ? payloadCells(field, width) : rowsOf(field, width);
    for (const cell of cells) grid.append(drawCell(field, cell, marked));
  }
  return grid;
}

/** The stretches of a field, one for each row that it reaches into. */
function rowsOf({ from, bits }, width) {
  const rows = [];
  for (let at = from; at < from + bits;) {
    const end = Math.min(from + bits, at - (at % width) + width);
    rows.push({ at, bits: end - at, column: (at % width) + 1, isFirst: at === from });
    at = end;
  }
  return rows;
}

/** A cell for each byte, then one for all that is left of them. */
function payloadCells({ from, bits, bytes }, width) {
  const shown = bytes.subarray(0, PAYLOAD_BYTES);
  const cells = Array.from(shown, (byte, i) => ({
    bits: 8,
    column: ((from + 8 * i) % width) + 1,
    isFirst: i === 0,
    byte,
  }));
  const left = bits / 8 - shown.length;
  if (left > 0) {
    const column = ((from + 8 * shown.length) % width) + 1;
    cells.push({ bits: width - column + 1, column, isFirst: shown.length === 0, left });
  }
  return cells;
}

function drawCell(field, { bits, column, isFirst, byte, left, at }, marked) {
  const { id, name, short, isMissing } = field;
  const cell = element("div", { className: "cell", data: { field: id, name } });
  cell.style.gridColumn = `${column} / span ${bits}`;
  if (id === marked) cell.classList.add("violated");
  if (isMissing || left !== undefined) cell.classList.add("open");
  if (bits === 1) cell.classList.add("flag");
  if (byte !== undefined) cell.append(element("b", {}, isFirst ? "Payload" : ""), element("code", {}, hexOf(byte)));
  else if (left !== undefined)
    cell.append(element("b", {}, isFirst ? name : "…"), element("code", {}, `${left.toLocaleString("en")} more`));
  else cell.append(element("b", {}, isFirst ? labelOf(name, short, bits) : "continued"), valueOf(field, at, bits));
  return cell;
}

/** Bits under the places that they have on the ruler, or else bytes. */
function valueOf(field, at, bits) {
  if (field.bits >= 8) return element("code", {}, rawOf(field, at, bits));
  const value = element("code", { className: "digits" }, ...[...field.raw].map((bit) => element("span", {}, bit)));
  value.style.gridTemplateColumns = `repeat(${bits}, minmax(0, 1fr))`;
  return value;
}

const labelOf = (name, short, bits) => (bits < 24 && short ? short : name);

/** The bytes of a field that stand in a row. */
function rawOf({ raw, from }, at, bits) {
  return (
    raw
      .split(" ")
      .slice((at - from) / 8, (at - from + bits) / 8)
      .join(" ") || "–"
  );
}
