// Cost as work grows: what is varied, and what stays.
import { spawnSync } from "node:child_process";
import { bytes } from "./cases.mjs";

/** Descriptors that a process needs for other things than connections. */
const OTHERS = 200;
const limit = Number(spawnSync("sh", ["-c", "ulimit -n"], { encoding: "latin1" }).stdout) || Infinity;

/** The most connections that a process may have here, of those that are asked for. */
const most = Math.min(20_000, limit - OTHERS);

/** `grows` tells what a message costs when all is linear: as much as before, or as much more as there is more of it. */
export const sweeps = {
  connections: {
    title: "connections, of 64 B ascii × 1 in flight",
    points: [1, 10, 100, 1000, 5000, 10_000, most],
    order: (connections) => ({ connections, size: 64, inFlight: 1 }),
    label: (connections) => connections.toLocaleString("en"),
    grows: false,
    note: most < 20_000 ? `A process may open ${limit} files here: the curve ends at ${most} connections.` : undefined,
  },
  payload: {
    title: "bytes a message, binary, on 4 connections × 1 in flight",
    points: Array.from({ length: 13 }, (_, i) => 4 ** i),
    order: (size) => ({ connections: 4, size, inFlight: 1, payload: "binary" }),
    label: bytes,
    grows: true,
  },
  fragments: {
    title: "fragments a message, of 100,000 B binary on 4 connections × 1 in flight",
    points: [1, 10, 100, 1000, 10_000],
    order: (fragments) => ({ connections: 4, size: 100_000, inFlight: 1, payload: "binary", fragments }),
    label: (fragments) => fragments.toLocaleString("en"),
    grows: true,
  },
};

/** A step that costs so many times what linear growth would have it cost is told. */
const STEEP = 1.5;

/** Where a contender's cost grows faster than the work does. */
export function steps({ grows }, points, name) {
  return points.slice(1).flatMap((point, i) => {
    const before = points[i];
    const cost = point.microseconds[name] / before.microseconds[name];
    const beyond = cost / (grows ? point.x / before.x : 1);
    return beyond > STEEP ? [{ from: before.x, to: point.x, beyond }] : [];
  });
}
