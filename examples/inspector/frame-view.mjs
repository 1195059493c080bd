// One frame in full: the verdict, the drawing, the table of its fields, its payload and its message.
import { drawFrame } from "./diagram.mjs";
import { byId, element, withSection } from "./dom.mjs";
import { fieldsOf } from "./fields.mjs";
import { drawPayload, dump } from "./payload.mjs";
import { opcodeOf, plural, sectionUrl, statusName } from "./terms.mjs";

/** Characters of a message that are shown. */
const MOST = 20_000;

const narrow = matchMedia("(max-width: 46rem)");
let shown;
narrow.addEventListener("change", () => shown && showFrame(shown));

// What the pointer is on stands out in the drawing and in the table.
document.addEventListener("pointerover", ({ target }) => {
  const name = target.closest("#frame [data-name]")?.dataset.name;
  for (const part of byId("frame").querySelectorAll("[data-name]"))
    part.classList.toggle("lit", part.dataset.name === name);
});

export function showFrame(frame) {
  shown = frame;
  const opcode = frame.bytes[0] & 0x0f;
  const fields = fieldsOf(frame);
  const { violation } = frame;
  const marked = violation?.field;
  byId("frame-title").replaceChildren(
    `Frame ${frame.index + 1} `,
    element("span", { className: "chip", data: { kind: opcodeOf(opcode).kind } }, opcodeOf(opcode).name),
    element("small", {}, ` from the ${frame.by}, at byte ${frame.at.toLocaleString("en")}`),
  );
  byId("frame").dataset.kind = opcodeOf(opcode).kind;
  byId("frame").replaceChildren(
    ...verdictOf(frame),
    drawFrame(fields, { width: narrow.matches ? 16 : 32, marked }),
    tableOf(fields, marked),
    drawPayload(frame),
    ...(frame.message ? [messageOf(frame.message)] : []),
  );
}

export function showNoFrame(why) {
  shown = undefined;
  byId("frame-title").replaceChildren("No frame");
  byId("frame").replaceChildren(element("p", { className: "hint" }, why));
}

function verdictOf({ by, header, ignored, isCut, violation }) {
  if (violation) {
    const { closeCode, text } = violation;
    const sentence = text[0].toUpperCase() + text.slice(1);
    const peer = by === "client" ? "server" : "client";
    return [
      element(
        "div",
        { className: "verdict violated", role: "note" },
        element("strong", {}, "Violation. "),
        ...withSection(sentence, sectionUrl(text)),
        element(
          "p",
          {},
          `The ${peer} fails the connection, with a Close frame of ${closeCode}, ${statusName(closeCode)}.`,
        ),
      ),
    ];
  }
  if (ignored) return [element("p", { className: "verdict ignored" }, ...withSection(ignored, sectionUrl(ignored)))];
  if (!isCut) return [];
  const missing = header
    ? `${plural(header.headerLength + header.payloadLength, "byte")} long`
    : "longer than what is here";
  return [element("p", { className: "verdict ignored" }, `The bytes end inside this frame, which is ${missing}.`)];
}

function tableOf(fields, marked) {
  const rows = fields.map(({ id, name, from, bits, raw, meaning }) =>
    element(
      "tr",
      { className: id === marked ? "violated" : "", data: { field: id, name } },
      element("th", { scope: "row" }, name),
      element("td", {}, bits === 0 ? "none" : bits === 1 ? `${from}` : `${from}–${from + bits - 1}`),
      element("td", {}, element("code", {}, raw || "none")),
      element("td", {}, id === marked ? element("span", { className: "cross" }, "✗ ") : "", meaning ?? ""),
    ),
  );
  const head = ["Field", "Bits", "Value", "What it says"].map((title) => element("th", { scope: "col" }, title));
  return element(
    "div",
    { className: "scrolls", tabIndex: 0, role: "region", "aria-label": "Fields of the frame" },
    element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows)),
  );
}

function messageOf(message) {
  const { data, frames, index, isCompressed, isWhole, opcode, sentLength, violation } = message;
  const numbers = frames.map((frame) => frame.index + 1).join(", ");
  const from = frames.length === 1 ? `frame ${numbers}` : `frames ${numbers}`;
  const title = `Message ${index + 1}: ${opcodeOf(opcode).name}, ${plural(frames.length, "fragment")} (${from})`;
  const parts = [element("h3", {}, title)];
  if (violation) parts.push(element("p", { className: "inflated" }, `It is refused: ${violation.text}.`));
  else if (!isWhole) parts.push(element("p", { className: "hint" }, "Its last fragment has not come."));
  else if (data && isCompressed) {
    const ratio = data.length > 0 ? (data.length / Math.max(1, sentLength)).toFixed(1) : "0";
    parts.push(
      element(
        "p",
        { className: "inflated" },
        `Inflated from ${plural(sentLength, "byte")} to ${data.length.toLocaleString("en")}, ${ratio} times as many.`,
      ),
    );
  } else if (data) parts.push(element("p", { className: "inflated" }, plural(data.length, "byte")));
  if (data && !violation) parts.push(contentOf(data, opcode));
  return element("section", { className: "message", data: { kind: opcodeOf(opcode).kind } }, ...parts);
}

function contentOf(data, opcode) {
  const content = opcode === 1 ? new TextDecoder().decode(data.subarray(0, MOST)) : dump(data);
  return element(
    "pre",
    { className: "content", tabIndex: 0, role: "region", "aria-label": "What the message says" },
    content || "(empty)",
  );
}
