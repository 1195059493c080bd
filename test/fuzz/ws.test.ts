import { describe, expect, it } from "vitest";
import { roles } from "../helpers/session.ts";
import { Peer } from "../helpers/wire.ts";
import { differences, verdictOfHybi, verdictOfWs } from "./ws.ts";

describe.each(roles)("where hybi and ws differ as a %s", (role) => {
  it.each(differences.filter((difference) => (difference.role ?? role) === role))("$name", (difference) => {
    const { bytes, rules } = difference.example(new Peer(role));
    const input = { role, rules: { maxLength: 100, maxFragments: 100, ...rules }, bytes, cuts: [] };
    const hybi = verdictOfHybi(input);
    const ws = verdictOfWs(input);
    expect([hybi.events, hybi.end]).not.toEqual([ws.events, ws.end]);
    expect(differences.filter(({ explains }) => explains(hybi, ws))).toEqual([difference]);
  });
});
