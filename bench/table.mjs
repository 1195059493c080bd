// What was measured, as text for the terminal.
import { ratio, median } from "./stats.mjs";

/** Who is at so much of its core is at its end. */
export const FULL = 0.95;

const number = (value) => Math.round(value).toLocaleString("en");
const percent = (value) => `${Math.round(value * 100)} %`;
export const times = (value) => (value < 9.95 ? value.toFixed(2) : value.toFixed(1));
const spread = ({ least, most }) => `${times(least)} to ${times(most)}`;

const pick = (rounds, what) => rounds.map((round) => round[what]);

/** How hybi stands beside a contender: its rate, and the CPU time that it does not need, as multiples. */
export function compare(results, name) {
  return {
    rate: ratio(pick(results.hybi, "perSecond"), pick(results[name], "perSecond")),
    cpu: ratio(pick(results[name], "microseconds"), pick(results.hybi, "microseconds")),
  };
}

/** Whether a contender could have done more: its rate is the load's, or that of two who wait for each other. */
const hasLeft = (rounds) => median(pick(rounds, "busy")) < FULL;

/** Whether the two can only be compared by CPU time, since the rate of one of them is not its own. */
export const isByCpu = (results, name) => hasLeft(results.hybi) || hasLeft(results[name]);

/** Whether hybi is as fast as it is held to be beside a contender. */
export function judge(results, name, aim) {
  const { rate, cpu } = compare(results, name);
  const by = isByCpu(results, name) ? "CPU" : "rate";
  return { aim, by, isReached: (by === "CPU" ? cpu : rate).median >= aim };
}

/** Rows of cells, as lines whose columns stand below each other: the first to the left, the others to the right. */
export function align(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join("  ")
      .trimEnd(),
  );
}

function row(results, { label }, name, aim) {
  const of = results[name];
  const own = [
    `  ${label}`,
    number(median(pick(of, "perSecond"))),
    median(pick(of, "microseconds")).toFixed(3),
    percent(median(pick(of, "busy"))),
    percent(median(pick(of, "load"))),
  ];
  if (name === "hybi") return [...own, "", "", "", "", ""];
  const { rate, cpu } = compare(results, name);
  const held = aim === undefined ? undefined : judge(results, name, aim);
  const verdict = held
    ? `≥ ${held.aim} ${held.isReached ? "reached" : "MISSED"}${held.by === "CPU" ? " (CPU)" : ""}`
    : "";
  return [...own, `${times(rate.median)} ×`, spread(rate), `${times(cpu.median)} ×`, spread(cpu), verdict];
}

/** The table of a case on a runtime. */
function rates({ title, unit, runtime, contenders, aims = {}, results }) {
  const head = ["", unit, "CPU µs", "busy", "load", "hybi's rate", "spread", "by CPU", "spread", "aim"];
  const lines = align([
    head,
    ...Object.entries(contenders).map(([name, contender]) => row(results, contender, name, aims[name])),
  ]);
  const idle = Object.keys(contenders).filter((name) => hasLeft(results[name]));
  const labels = idle.map((name) => contenders[name].label).join(", ");
  const note = idle.length > 0 ? [`  Not at the end of its core: ${labels}. There the CPU time a message counts.`] : [];
  return [`\n${title} · ${runtime}`, ...lines, ...note].join("\n");
}

const pair = (numbers) => [
  number(median(numbers)),
  `${number(Math.min(...numbers))} to ${number(Math.max(...numbers))}`,
];

/** How much memory hybi takes above a contender, and whether that is within its bounds. */
export function judgeMemory(results, name, aim) {
  const above = median(pick(results.hybi, "rss")) - median(pick(results[name], "rss"));
  return { above, isReached: above <= aim };
}

/** The table of the memory of idle connections. */
function memory({ title, unit, runtime, contenders, aims = {}, results }) {
  const rows = Object.entries(contenders).map(([name, { label }]) => {
    const own = [`  ${label}`, ...pair(pick(results[name], "rss")), ...pair(pick(results[name], "heap"))];
    if (name === "hybi") return [...own, "", ""];
    const { above, isReached } = judgeMemory(results, name, aims[name]);
    const verdict = aims[name] === undefined ? "" : `≤ ${aims[name]} ${isReached ? "reached" : "MISSED"}`;
    return [...own, number(above), verdict];
  });
  const head = ["", "RSS", "spread", "heap", "spread", "hybi's RSS above it", "aim"];
  return [`\n${title}, ${unit} · ${runtime}`, ...align([head, ...rows])].join("\n");
}

const micro = (value) => (value < 99.5 ? value.toFixed(1) : number(value));
const PERCENTILES = ["p50", "p99", "p999"];

/** The worst that hybi's latencies are beside a contender's, as multiples, and whether that is within bounds. */
export function judgeLatency(results, name, aim) {
  const worst = Math.max(...PERCENTILES.map((p) => median(pick(results.hybi, p)) / median(pick(results[name], p))));
  return { worst, isReached: worst <= aim };
}

function latency({ title, unit, runtime, contenders, aims = {}, results }) {
  const rows = Object.entries(contenders).map(([name, { label }]) => {
    const of = results[name];
    const own = [...PERCENTILES, "most", "delay"].map((what) => micro(median(pick(of, what))));
    const cells = [`  ${label}`, number(median(pick(of, "perSecond"))), ...own, percent(median(pick(of, "busy")))];
    if (name === "hybi") return [...cells, "", ""];
    const { worst, isReached } = judgeLatency(results, name, aims[name]);
    const verdict = aims[name] === undefined ? "" : `≤ ${aims[name]} ${isReached ? "reached" : "MISSED"}`;
    return [...cells, `${times(worst)} ×`, verdict];
  });
  const head = ["", "messages/s", "p50", "p99", "p99.9", "most", "sent late, p99", "busy", "hybi's worst", "aim"];
  return [`\n${title}, ${unit} · ${runtime}`, ...align([head, ...rows])].join("\n");
}

function imports({ title, unit, runtime, contenders, aims = {}, results }) {
  const whole = median(pick(results.hybi, "whole")) - median(pick(results.empty, "whole"));
  const rows = Object.entries(contenders).map(([name, { label }]) => {
    const columns = ["whole", "inside"].flatMap((what) => {
      const numbers = pick(results[name], what);
      return [median(numbers).toFixed(1), `${Math.min(...numbers).toFixed(1)} to ${Math.max(...numbers).toFixed(1)}`];
    });
    if (!(name in aims)) return [`  ${label}`, ...columns, "", ""];
    return [
      `  ${label}`,
      ...columns,
      whole.toFixed(1),
      `≤ ${aims[name]} ${whole <= aims[name] ? "reached" : "MISSED"}`,
    ];
  });
  const head = ["", "whole process", "spread", "the import", "spread", "hybi's above it", "aim"];
  return [`\n${title}, ${unit} · ${runtime}`, ...align([head, ...rows])].join("\n");
}

const tables = { idle: memory, latency, import: imports };

/** The table of what was measured of a case on a runtime. */
export const table = (record) => (tables[record.kind] ?? rates)(record);
