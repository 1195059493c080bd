// The page: a capture's text is what all of it is drawn from. A connection adds lines to it, and so does the editor.
import { Codec, defaultCodec } from "hybi/codec";
import { readCapture } from "./capture.mjs";
import { Connection } from "./connection.mjs";
import { byId, element } from "./dom.mjs";
import { editedFrame, editedMessage, editFrame } from "./editor.mjs";
import { listenToSelection, listFrames, selectedIndex } from "./frame-list.mjs";
import { showFrame, showNoFrame } from "./frame-view.mjs";
import { InputError, lineOf, parseCapture } from "./input.mjs";
import { samples } from "./samples.mjs";
import { fromFragment, toFragment } from "./sharing.mjs";
import { measure } from "./speed.mjs";
import { opcodeOf, plural } from "./terms.mjs";

/** Bytes of a message that are drawn while connected, and characters that the capture may grow to by itself. */
const MOST_OF_MESSAGE = 65_536;
const MOST_OF_CAPTURE = 1_000_000;

const text = byId("capture");
const by = byId("by");
const deflate = byId("deflate");
let codec = defaultCodec;
let capture = { frames: [], messages: [] };

/** Draws what the text says, with a frame selected: the one that was, another, or the first that breaks a rule. */
function draw(index = selectedIndex()) {
  const error = byId("capture-error");
  error.textContent = "";
  text.removeAttribute("aria-invalid");
  try {
    capture = readCapture(parseCapture(text.value), { by: by.value || undefined, deflate: deflate.value, codec });
  } catch (problem) {
    if (!(problem instanceof InputError)) throw problem;
    capture = { frames: [], messages: [] };
    error.textContent = problem.message;
    text.setAttribute("aria-invalid", "true");
  }
  listFrames(capture, index === "violation" ? capture.frames.findIndex(({ violation }) => violation) : index);
  byId("summary").textContent = summaryOf(capture);
  showSelected();
}

function showSelected() {
  const frame = capture.frames[selectedIndex()];
  if (frame) showFrame(frame);
  else showNoFrame("Paste bytes, choose an example, or connect to a server.");
  for (const id of ["edit", "replace"]) byId(id).disabled = frame === undefined;
}

function summaryOf({ frames, messages }) {
  const violations = frames.filter(({ violation }) => violation).length;
  const parts = [plural(frames.length, "frame"), plural(messages.length, "message")];
  return [...parts, ...(violations > 0 ? [plural(violations, "violation")] : [])].join(", ");
}

/** Runs what a button does; says of bad input what is wrong with it. */
function attempt(action) {
  const error = byId("editor-error");
  error.textContent = "";
  try {
    action();
  } catch (problem) {
    if (!(problem instanceof InputError)) throw problem;
    error.textContent = problem.message;
  }
}

/** Adds a line at the end; whoever looks at the newest frame goes on to this one. */
function append(line, isFollowed) {
  text.value = text.value.trim() === "" ? line : `${text.value.trimEnd()}\n${line}`;
  draw(isFollowed ? Infinity : undefined);
}

// --- the codec

const builds = byId("build");
builds.append(element("option", { value: "" }, `${defaultCodec.build}, as chosen`));
for (const build of ["simd", "scalar", "javascript"])
  if (build !== defaultCodec.build) builds.append(element("option", { value: build }, build));

/** Decodes by some build from now on, or by the one that hybi chose. */
async function useBuild(build) {
  let chosen = defaultCodec;
  try {
    if (build !== "") chosen = new Codec(build);
  } catch (error) {
    byId("speed").textContent = error.message;
    builds.value = "";
    return;
  }
  codec = chosen;
  byId("speed").textContent = `${chosen.build}: measuring …`;
  const { framesPerSecond, bytesPerSecond } = await measure(chosen);
  if (codec !== chosen) return;
  const frames = (framesPerSecond / 1e6).toFixed(1);
  byId("speed").textContent =
    `${chosen.build} decodes ${frames} million frames/s, ${(bytesPerSecond / 1e9).toFixed(2)} GB/s`;
}

builds.addEventListener("change", ({ target }) => {
  void useBuild(target.value);
  draw();
});

// --- the capture

for (const [i, { name }] of samples.entries()) byId("sample").append(element("option", { value: String(i) }, name));

byId("sample").addEventListener("change", ({ target }) => {
  const sample = samples[target.value];
  if (sample) load(sample);
});

function load(shared) {
  text.value = shared.text;
  by.value = shared.by ?? "";
  deflate.value = shared.deflate ?? "on";
  draw(shared.frame === undefined ? "violation" : Number(shared.frame) - 1);
}

text.addEventListener("input", () => {
  byId("sample").value = "";
  draw("violation");
});
for (const select of [by, deflate]) select.addEventListener("change", () => draw());

byId("clear").addEventListener("click", () => {
  text.value = "";
  draw(0);
  text.focus();
});

byId("share").addEventListener("click", async () => {
  const state = { text: text.value, by: by.value, deflate: deflate.value, frame: selectedIndex() + 1 };
  history.replaceState(null, "", toFragment(state));
  let said = "Copied.";
  try {
    await navigator.clipboard.writeText(location.href);
  } catch {
    said = "It is in the address bar.";
  }
  byId("shared").textContent = said;
});

/** Loads what the URL's fragment holds; answers whether it holds a capture. */
function loadShared() {
  try {
    const shared = fromFragment(location.hash);
    if (shared) load(shared);
    return shared !== undefined;
  } catch (error) {
    draw(0);
    byId("capture-error").textContent = error.message;
    return true;
  }
}
window.addEventListener("hashchange", loadShared);

// --- frames

listenToSelection(showSelected);

for (let opcode = 0; opcode < 16; opcode++) {
  const name = `${opcode.toString(16)} ${opcodeOf(opcode).name}`;
  byId("editor").elements.opcode.append(element("option", { value: String(opcode), selected: opcode === 1 }, name));
}

byId("edit").addEventListener("click", () => {
  editFrame(capture.frames[selectedIndex()]);
  byId("payload").focus();
});

byId("append").addEventListener("click", () =>
  attempt(() => {
    const frame = editedFrame();
    append(lineOf(frame.by, frame.bytes), true);
  }),
);

byId("replace").addEventListener("click", () =>
  attempt(() => {
    const frame = editedFrame();
    const frames = capture.frames.map((old, i) => (i === selectedIndex() ? frame : old));
    text.value = frames.map((one) => lineOf(one.by, one.bytes)).join("\n");
    draw();
  }),
);

// --- the connection

const connection = new Connection({
  onFrame(sender, bytes) {
    if (bytes.length > MOST_OF_MESSAGE) {
      byId("state").textContent = `A message of ${plural(bytes.length, "byte")} came or went: too long to draw.`;
      return;
    }
    const room = MOST_OF_CAPTURE - 3 * bytes.length;
    // What came first goes first.
    while (text.value.length > room) text.value = text.value.slice(text.value.indexOf("\n") + 1 || text.value.length);
    append(lineOf(sender, bytes), selectedIndex() >= capture.frames.length - 1);
  },
  onState(state, isOpen) {
    byId("state").textContent = state;
    byId("state").classList.toggle("open", isOpen);
    byId("send").disabled = !isOpen;
    byId("close").disabled = !isOpen;
  },
});

const { url, subprotocols } = byId("connect").elements;
url.value = location.protocol.startsWith("http")
  ? new URL("/echo", location.href.replace("http", "ws")).href
  : "ws://127.0.0.1:5000/echo";

byId("connect").addEventListener("submit", (event) => {
  event.preventDefault();
  try {
    connection.open(url.value, subprotocols.value.split(/[\s,]+/).filter(Boolean));
  } catch (error) {
    byId("state").textContent = error.message;
  }
});
byId("close").addEventListener("click", () => connection.close());

byId("editor").addEventListener("submit", (event) => {
  event.preventDefault();
  if (connection.isOpen) attempt(() => connection.send(editedMessage()));
});

if (!loadShared()) {
  byId("sample").value = "0";
  load(samples[0]);
}
void useBuild("");
