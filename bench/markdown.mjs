// What was measured, as the tables of README.md.
import { cases } from "./cases.mjs";
import { median, ratio as relate } from "./stats.mjs";
import { steps, sweeps } from "./sweeps.mjs";
import { compare, isByCpu, judge, judgeLatency, judgeMemory, times } from "./table.mjs";

const names = { node: "Node", deno: "Deno", bun: "Bun" };
const number = (value) => (value < 99.5 ? Number(value.toFixed(1)) : Math.round(value)).toLocaleString("en");
const of = (rounds, what) => median(rounds.map((round) => round[what]));

function grid(head, rows) {
  const row = (cells) => `| ${cells.join(" | ")} |`;
  return [row(head), row(head.map((_, i) => (i === 0 ? "---" : "--:"))), ...rows.map(row)].join("\n");
}

const verdict = (isReached) => (isReached ? "yes" : "**no**");
const ratio = ({ median, least, most }) => `${times(median)} (${times(least)} to ${times(most)})`;

/** Everyone who was measured in one of the records, with what the table calls them. */
const everyone = (records) => Object.assign({}, ...records.map(({ contenders }) => contenders));

function rates(records) {
  const all = everyone(records);
  const others = Object.keys(all).filter((name) => name !== "hybi");
  const rows = records.map((record) => {
    const { title, unit, results, aims = {} } = record;
    const cells = others.map((name) => {
      if (!results[name]) return "";
      const { rate, cpu } = compare(results, name);
      return isByCpu(results, name) ? `by CPU ${ratio(cpu)}` : ratio(rate);
    });
    const held = Object.entries(aims).filter(([name]) => results[name]);
    const told = held.map(
      ([name, aim]) => `≥ ${aim} × ${all[name].label}: ${verdict(judge(results, name, aim).isReached)}`,
    );
    const rate = `${number(of(results.hybi, "perSecond"))} ${unit}`;
    return [title, rate, of(results.hybi, "microseconds").toFixed(2), ...cells, told.join(", ")];
  });
  return grid(["", "hybi", "CPU µs", ...others.map((name) => `× ${all[name].label}`), "held to"], rows);
}

function memory(record) {
  const { contenders, results, aims = {} } = record;
  const rows = Object.entries(contenders).map(([name, { label }]) => {
    const cells = [label, number(of(results[name], "rss")), number(of(results[name], "heap"))];
    if (name === "hybi") return [...cells, "", ""];
    const { above, isReached } = judgeMemory(results, name, aims[name]);
    return [...cells, number(above), aims[name] === undefined ? "" : `≤ ${aims[name]}: ${verdict(isReached)}`];
  });
  return grid([record.title, "RSS, B", "heap, B", "hybi's RSS above it", "held to"], rows);
}

function latency(record) {
  const { contenders, results, aims = {} } = record;
  const rows = Object.entries(contenders).map(([name, { label }]) => {
    const cells = [label, ...["perSecond", "p50", "p99", "p999"].map((what) => number(of(results[name], what)))];
    if (name === "hybi") return [...cells, "", ""];
    const { worst, isReached } = judgeLatency(results, name, aims[name]);
    return [...cells, times(worst), aims[name] === undefined ? "" : `≤ ${aims[name]}: ${verdict(isReached)}`];
  });
  return grid([record.title, "messages/s", "p50, µs", "p99", "p99.9", "hybi's worst ×", "held to"], rows);
}

function imports(record) {
  const { contenders, results, aims } = record;
  const [hybi, empty] = ["hybi", "empty"].map((name) => of(results[name], "whole"));
  const rows = Object.entries(contenders).map(([name, { label }]) => [
    label,
    of(results[name], "whole").toFixed(1),
    of(results[name], "inside").toFixed(1),
    ...(name === "hybi"
      ? [(hybi - empty).toFixed(1), `≤ ${aims.empty}: ${verdict(hybi - empty <= aims.empty)}`]
      : ["", ""]),
  ]);
  return grid(["import", "whole process, ms", "the import, ms", "above it", "held to"], rows);
}

function kernels(records) {
  const all = records.flatMap((record) => record.kernels);
  const rows = all.map(({ what, held, results }) => {
    const [[, ours], other] = Object.entries(results);
    const cells = [what, median(ours).toFixed(1)];
    if (!other) return [...cells, "", "", ""];
    const [name, theirs] = other;
    const time = relate(ours, theirs);
    return [
      ...cells,
      `${name}: ${median(theirs).toFixed(1)}`,
      ratio(time),
      `≤ ${times(held)}: ${verdict(time.median <= held)}`,
    ];
  });
  return grid(["kernel, ns a call", "hybi", "beside", "× its time", "held to"], rows);
}

function curves(records) {
  const found = records.flatMap(({ case: name, contenders, points }) => {
    const sweep = sweeps[name.replace("curve-", "")];
    return Object.entries(contenders).flatMap(([one, { label }]) =>
      steps(sweep, points, one).map(
        ({ from, to, beyond }) =>
          `- ${label}, from ${sweep.label(from)} to ${sweep.label(to)} ${name.replace("curve-", "")}: ${times(beyond)} × linear`,
      ),
    );
  });
  return found.length > 0
    ? `Where cost grows by more than half faster than the work:\n\n${found.join("\n")}`
    : "No cost grows by more than half faster than the work.";
}

const setups = (records) =>
  Object.values(everyone(records))
    .map(({ label, setup }) => `- ${label}: ${setup}.`)
    .join("\n");

/** All that was measured. */
export function markdown({ machine, records }) {
  const order = Object.keys(cases);
  const sorted = records.toSorted((a, b) => order.indexOf(a.case) - order.indexOf(b.case));
  const parts = [`${machine.cpu}, ${machine.cores} cores, ${machine.system}${machine.pinned ? ", pinned" : ""}.`];
  for (const [runtime, name] of Object.entries(names)) {
    const ours = sorted.filter((one) => one.runtime === runtime);
    if (ours.length === 0) continue;
    const kind = (...kinds) => ours.filter((one) => kinds.includes(one.kind));
    parts.push(`### ${name} ${ours[0].version}`);
    const served = kind("echo", "broadcast", "handshakes");
    if (served.length > 0) parts.push(rates(served));
    for (const [work, make] of [
      ["push", (record) => rates([record])],
      ["latency", latency],
      ["idle", memory],
      ["import", imports],
    ])
      parts.push(...kind(work).map(make));
    if (kind("kernels").length > 0) parts.push(kernels(kind("kernels")));
    if (kind("curve").length > 0) parts.push(curves(kind("curve")));
    if (served.length > 0) parts.push("Set up:", setups(served));
  }
  return parts.join("\n\n");
}
