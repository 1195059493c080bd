// What is measured, and what hybi is held to: at least so many times the rate of each peer.
const echo = (connections, size, inFlight, payload, aims) => ({
  kind: "echo",
  title: `echo, ${connections} connections × ${bytes(size)} ${payload} × ${inFlight} in flight`,
  unit: "messages/s",
  order: { connections, size, inFlight, payload },
  aims,
});

function bytes(count) {
  if (count < 1024) return `${count} B`;
  return count < 2 ** 20 ? `${count / 1024} KiB` : `${count / 2 ** 20} MiB`;
}

export const cases = {
  "echo-64": echo(100, 64, 16, "ascii", { node: { ws: 10, raw: 0.9 }, deno: { builtin: 7 }, bun: { builtin: 1.4 } }),
  "echo-1k": echo(100, 1024, 16, "binary", { node: { ws: 6, raw: 1.1 }, deno: { builtin: 7 }, bun: { builtin: 1.4 } }),
  "echo-20": echo(100, 20, 1, "ascii", { node: { ws: 1.5, raw: 1.1 }, deno: { builtin: 1 }, bun: { builtin: 0.9 } }),
  "echo-16k": echo(50, 16_384, 4, "binary", {
    node: { ws: 1.4, raw: 1.3 },
    deno: { builtin: 2 },
    bun: { builtin: 1.5 },
  }),
  "echo-1m": echo(20, 2 ** 20, 1, "binary", {
    node: { ws: 1.4, raw: 1.5 },
    deno: { builtin: 1.2 },
    bun: { builtin: 1.2 },
  }),
  languages: echo(100, 1024, 16, "languages", { node: { ws: 5 }, deno: { builtin: 5 }, bun: { builtin: 1.2 } }),
  broadcast: {
    kind: "broadcast",
    title: "broadcast, 100 B ascii to 1000 connections × 1 in flight",
    unit: "deliveries/s",
    order: { connections: 1000, size: 100, inFlight: 1 },
    args: ["--broadcast"],
    aims: { node: { ws: 5 }, deno: { builtin: 5 }, bun: { builtin: 0.9 } },
  },
};
