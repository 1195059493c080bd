// Makes the charts, and the tables of README.md, from what the bench has kept.
//
//   npm run bench:publish -- [--json bench/results/bench.json] [--readme bench/README.md]
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { format } from "prettier";
import { curves, rates } from "./chart.mjs";
import { markdown } from "./markdown.mjs";
import { read } from "./report.mjs";

const { values } = parseArgs({
  options: {
    json: { type: "string", default: "bench/results/bench.json" },
    readme: { type: "string", default: "bench/README.md" },
  },
});

const [BEGIN, END] = ["<!-- results -->", "<!-- end of results -->"];

const report = read(values.json);
const beside = (name) => join(dirname(values.json), name);
writeFileSync(beside("rates.svg"), rates(report.records));
writeFileSync(beside("curves.svg"), curves(report.records));

const readme = readFileSync(values.readme, "utf8");
const [before, after] = [readme.indexOf(BEGIN), readme.indexOf(END)];
if (before < 0 || after < before) throw new Error(`${values.readme} has no place between ${BEGIN} and ${END}.`);
const text = `${readme.slice(0, before)}${BEGIN}\n\n${markdown(report)}\n\n${readme.slice(after)}`;
writeFileSync(values.readme, await format(text, { parser: "markdown", printWidth: 120 }));
