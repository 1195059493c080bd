// The list of frames: a list box, by mouse or by arrow keys.
import { byId, element } from "./dom.mjs";
import { isControl, opcodeOf, plural } from "./terms.mjs";

/** Frames that are listed: a page does not get faster by ten thousand rows. */
const MOST = 500;

const list = byId("frames");
let selected = 0;
let onSelect = () => undefined;

export const selectedIndex = () => selected;

/** Has `listener` called with the index of a frame that the user selects. */
export function listenToSelection(listener) {
  onSelect = listener;
  list.addEventListener("click", ({ target }) => {
    const row = target.closest("[role=option]");
    if (row) choose(Number(row.dataset.index));
  });
  list.addEventListener("keydown", (event) => {
    const last = list.children.length - 1;
    const to = {
      ArrowDown: selected + 1,
      ArrowUp: selected - 1,
      Home: 0,
      End: last,
      PageDown: selected + 10,
      PageUp: selected - 10,
    }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    choose(Math.max(0, Math.min(last, to)));
  });
}

function choose(index) {
  mark(index);
  onSelect(index);
}

function mark(index) {
  selected = index;
  for (const row of list.children) row.setAttribute("aria-selected", String(Number(row.dataset.index) === index));
  const row = list.children[index];
  if (row) {
    list.setAttribute("aria-activedescendant", row.id);
    row.scrollIntoView({ block: "nearest" });
  } else list.removeAttribute("aria-activedescendant");
}

/** Lists the frames of a capture, with one of them selected. */
export function listFrames({ frames }, index) {
  list.replaceChildren(...frames.slice(0, MOST).map(rowOf));
  byId("frames-left").textContent =
    frames.length > MOST ? `and ${plural(frames.length - MOST, "more frame")}, not listed` : "";
  mark(Math.max(0, Math.min(index, list.children.length - 1)));
}

function rowOf(frame) {
  const opcode = frame.bytes[0] & 0x0f;
  const { kind, name } = opcodeOf(opcode);
  const { message } = frame;
  const isFragment = message !== undefined && (message.frames.length > 1 || !message.isWhole);
  return element(
    "li",
    {
      id: `frame-${frame.index}`,
      role: "option",
      "aria-selected": "false",
      className: frame.violation ? "violated" : frame.ignored ? "ignored" : "",
      data: { index: frame.index, kind: opcode === 0 && message ? opcodeOf(message.opcode).kind : kind },
    },
    element("span", { className: "number" }, String(frame.index + 1)),
    element(
      "span",
      { className: "by" },
      element("span", { "aria-hidden": "true" }, frame.by === "client" ? "→" : "←"),
      element("span", { className: "unseen" }, `from the ${frame.by}`),
    ),
    element("span", { className: "chip" }, name),
    element("span", { className: "what" }, excerptOf(frame)),
    element("span", { className: "note" }, noteOf(frame, isFragment)),
  );
}

function noteOf(frame, isFragment) {
  if (frame.violation) return `✗ ${frame.violation.closeCode}`;
  if (frame.ignored) return "not looked at";
  if (frame.isCut) return "cut off";
  if (!isFragment) return frame.header ? `${frame.header.payloadLength.toLocaleString("en")} B` : "";
  const { frames, index } = frame.message;
  return `message ${index + 1}, ${frames.indexOf(frame) + 1}/${frames.length}`;
}

function excerptOf({ bytes, payload, message }) {
  const opcode = bytes[0] & 0x0f;
  if (opcode === 8 && payload.length >= 2)
    return `${payload[0] * 256 + payload[1]} ${new TextDecoder().decode(payload.subarray(2))}`;
  if (message?.isCompressed) return "compressed";
  const isText = (message?.opcode ?? opcode) === 1 || isControl(opcode);
  const head = payload.subarray(0, 48);
  return isText
    ? new TextDecoder().decode(head)
    : Array.from(head.subarray(0, 12), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}
