// The charts, as SVG that is its own, legible on light and dark.
import { cases } from "./cases.mjs";
import { compare, isByCpu } from "./table.mjs";
import { sweeps } from "./sweeps.mjs";

/** Colours of the contenders, on light and on dark. */
const colours = {
  hybi: ["#0969da", "#58a6ff"],
  raw: ["#57606a", "#9198a1"],
  ws: ["#cf222e", "#ff7b72"],
  faye: ["#9a6700", "#e3b341"],
  websocket: ["#8250df", "#bc8cff"],
  builtin: ["#bf3989", "#f778ba"],
  uws: ["#1a7f37", "#3fb950"],
  undici: ["#1b7c83", "#56d4dd"],
  global: ["#bf3989", "#f778ba"],
};

const rules = (i) =>
  Object.entries(colours)
    .map(([name, both]) => `.${name}{fill:${both[i]};stroke:${both[i]}}`)
    .join("");
const theme = (text, soft, grid, i) =>
  `text{fill:${text}}.soft{fill:${soft}}.grid{stroke:${grid}}.one{stroke:${soft}}${rules(i)}`;
const style =
  `text{font:13px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;stroke:none}` +
  `.title{font-size:15px;font-weight:600}.small{font-size:11px}.end{text-anchor:end}.middle{text-anchor:middle}` +
  `line,polyline{fill:none!important}${theme("#1f2328", "#59636e", "#d1d9e0", 0)}` +
  `@media(prefers-color-scheme:dark){${theme("#f0f6fc", "#9198a1", "#3d444d", 1)}}`;

const escape = (text) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
const at = (number) => Number(number.toFixed(1));
const text = (x, y, content, names = "") =>
  `<text x="${at(x)}" y="${at(y)}" class="${names}">${escape(content)}</text>`;
const line = (x1, y1, x2, y2, names, width = 1) =>
  `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" class="${names}" stroke-width="${width}"/>`;
const dot = (x, y, name, radius = 5) => `<circle cx="${at(x)}" cy="${at(y)}" r="${radius}" class="${name}"/>`;

const document = (width, height, label, parts) =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${at(height)}" viewBox="0 0 ${width} ${at(height)}" ` +
  `role="img" aria-label="${escape(label)}"><style>${style}</style>${parts.join("\n")}</svg>\n`;

/** A logarithmic scale from a range of numbers to one of pixels. */
const scale = (from, to, x, width) => (value) => x + (Math.log(value / from) / Math.log(to / from)) * width;

const WIDTH = 900;
const LEFT = 370;
const RIGHT = 24;
const ROW = 24;
/** What is beyond stands at the edge. */
const [FROM, TO] = [1 / 8, 64];
const TICKS = [1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16, 32, 64];

const names = { node: "Node", deno: "Deno", bun: "Bun" };
const heading = ({ runtime, version }) => `${names[runtime]} ${version}`;

function legend(contenders, y) {
  let x = LEFT;
  return contenders.flatMap(([name, label]) => {
    const parts = [dot(x, y - 4, name, 4), text(x + 9, y, label, "small")];
    x += 24 + label.length * 6.6;
    return parts;
  });
}

/** One case: a dot for each peer, and a line from the least to the most. */
function ratios({ title, results }, y, x) {
  const what = (name) => (isByCpu(results, name) ? "cpu" : "rate");
  const peers = Object.keys(results).filter((name) => name !== "hybi");
  const inside = (value) => x(Math.min(TO, Math.max(FROM, value)));
  return [
    text(LEFT - 16, y + 4, title + (peers.some((name) => what(name) === "cpu") ? " *" : ""), "end small"),
    line(LEFT, y, WIDTH - RIGHT, y, "grid"),
    ...peers.flatMap((name) => {
      const { least, median, most } = compare(results, name)[what(name)];
      return [line(inside(least), y, inside(most), y, name, 3), dot(inside(median), y, name)];
    }),
  ];
}

/** How many times as fast hybi is as each peer, on each runtime. */
export function rates(records) {
  const order = Object.keys(cases);
  const measured = records.filter(({ results }) => results?.hybi?.[0]?.perSecond && results.hybi[0].p50 === undefined);
  const runtimes = Object.keys(names).filter((runtime) => measured.some((one) => one.runtime === runtime));
  const x = scale(FROM, TO, LEFT, WIDTH - RIGHT - LEFT);
  const parts = [text(24, 28, "How many times as fast hybi is", "title")];
  let y = 46;
  parts.push(text(24, y, "medians, with the spread of the rounds; right of 1 hybi is ahead", "small soft"));
  for (const runtime of runtimes) {
    const rows = measured
      .filter((one) => one.runtime === runtime)
      .sort((a, b) => order.indexOf(a.case) - order.indexOf(b.case));
    const all = Object.assign({}, ...rows.map(({ contenders }) => contenders));
    y += 36;
    parts.push(text(24, y, heading(rows[0]), "title"));
    parts.push(
      ...legend(
        Object.entries(all).flatMap(([name, { label }]) => (name === "hybi" ? [] : [[name, label]])),
        y,
      ),
    );
    const top = y + 14;
    const bottom = top + rows.length * ROW;
    for (const tick of TICKS) {
      parts.push(line(x(tick), top, x(tick), bottom, tick === 1 ? "one" : "grid", tick === 1 ? 2 : 1));
      parts.push(text(x(tick), bottom + 14, tick < 1 ? `1/${1 / tick}` : String(tick), "middle small soft"));
    }
    for (const [i, row] of rows.entries()) parts.push(...ratios(row, top + (i + 0.5) * ROW, x));
    y = bottom + 22;
  }
  y += 18;
  parts.push(
    text(24, y, "* By the CPU time a message, where one of the two was not at the end of its core.", "small soft"),
  );
  return document(WIDTH, y + 18, "How many times as fast hybi is as its peers", parts);
}

const PLOT = { width: 210, height: 150 };
const decades = (from, to) =>
  Array.from(
    { length: Math.floor(Math.log10(to) + 1e-9) - Math.ceil(Math.log10(from) - 1e-9) + 1 },
    (_, i) => 10 ** (Math.ceil(Math.log10(from) - 1e-9) + i),
  );

function plot({ case: name, contenders, points }, left, top, [low, high]) {
  const sweep = sweeps[name.replace("curve-", "")];
  const first = points[0].x;
  const last = points.at(-1).x;
  const x = scale(first, last, left, PLOT.width);
  const y = scale(low, high, top + PLOT.height, -PLOT.height);
  const marks = [first, points[Math.floor(points.length / 2)].x, last];
  return [
    ...decades(low, high).flatMap((tick) => [
      line(left, y(tick), left + PLOT.width, y(tick), "grid"),
      text(left - 6, y(tick) + 4, tick.toLocaleString("en"), "end small soft"),
    ]),
    ...marks.map((mark) => text(x(mark), top + PLOT.height + 16, sweep.label(mark), "middle small soft")),
    ...Object.keys(contenders).flatMap((one) => {
      const path = points.map((point) => `${at(x(point.x))},${at(y(point.microseconds[one]))}`).join(" ");
      return [
        `<polyline points="${path}" class="${one}" stroke-width="2"/>`,
        ...points.map((point) => dot(x(point.x), y(point.microseconds[one]), one, 2.5)),
      ];
    }),
  ];
}

/** The server's CPU time a message, as work grows: a row of plots for each runtime. */
export function curves(records) {
  const measured = records.filter(({ kind }) => kind === "curve");
  const runtimes = Object.keys(names).filter((runtime) => measured.some((one) => one.runtime === runtime));
  const kinds = Object.keys(sweeps);
  const parts = [text(24, 28, "CPU time a message, in µs, as work grows", "title")];
  let y = 40;
  for (const runtime of runtimes) {
    const rows = measured.filter((one) => one.runtime === runtime);
    const costs = rows.flatMap(({ points }) => points.flatMap(({ microseconds }) => Object.values(microseconds)));
    const bounds = [10 ** Math.floor(Math.log10(Math.min(...costs))), 10 ** Math.ceil(Math.log10(Math.max(...costs)))];
    y += 28;
    parts.push(text(24, y, heading(rows[0]), "title"));
    parts.push(
      ...legend(
        Object.entries(rows[0].contenders).map(([name, { label }]) => [name, label]),
        y,
      ),
    );
    for (const row of rows) {
      const left = 76 + kinds.indexOf(row.case.replace("curve-", "")) * (PLOT.width + 66);
      parts.push(text(left + PLOT.width / 2, y + 26, row.case.replace("curve-", ""), "middle small"));
      parts.push(...plot(row, left, y + 36, bounds));
    }
    y += 36 + PLOT.height + 24;
  }
  return document(WIDTH, y + 16, "CPU time a message as work grows", parts);
}
