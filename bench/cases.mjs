// What is measured, and what hybi is held to: at least so many times the rate of each peer. Of memory, at most so many
// bytes above a peer's; of latency, at most so many times a peer's; of an import, at most so many milliseconds.
const echo = (connections, size, inFlight, payload, aims) => ({
  kind: "echo",
  title: (order) => `echo, ${inWords(order)}`,
  unit: "messages/s",
  order: { connections, size, inFlight, payload },
  aims,
});

const inWords = ({ connections, size, inFlight, payload }) =>
  `${connections} connections × ${bytes(size)} ${payload} × ${inFlight} in flight`;

const everyone = ({ connections, size, inFlight }) =>
  `broadcast, ${bytes(size)} to ${connections.toLocaleString("en")} connections × ${inFlight} in flight`;

export function bytes(count) {
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
    title: everyone,
    unit: "deliveries/s",
    order: { connections: 1000, size: 100, inFlight: 1 },
    args: ["--broadcast"],
    aims: { node: { ws: 5 }, deno: { builtin: 5 }, bun: { builtin: 0.9 } },
  },
  "broadcast-8": {
    kind: "broadcast",
    title: everyone,
    unit: "deliveries/s",
    order: { connections: 1000, size: 100, inFlight: 8 },
    args: ["--broadcast"],
  },
  client: {
    kind: "push",
    title: ({ size }) => `client, ${bytes(size)} binary received`,
    unit: "messages/s",
    order: { size: 65_536, payload: "binary" },
    aims: { node: { global: 3 }, deno: { global: 1.5 }, bun: { global: 1.5 } },
  },
  handshakes: {
    kind: "handshakes",
    title: ({ connections }) => `handshakes, ${connections} connections at a time`,
    unit: "connections/s",
    order: { connections: 64 },
    aims: { node: { ws: 1.3 }, deno: { builtin: 1 }, bun: { builtin: 0.7 } },
  },
  "tls-64": {
    ...echo(100, 64, 16, "ascii"),
    title: (order) => `echo over TLS, ${inWords(order)}`,
    isSecure: true,
  },
  "tls-16k": {
    ...echo(50, 16_384, 4, "binary"),
    title: (order) => `echo over TLS, ${inWords(order)}`,
    isSecure: true,
  },
  idle: {
    kind: "idle",
    title: ({ connections }) => `memory of ${connections.toLocaleString("en")} idle connections`,
    unit: "bytes a connection",
    order: { connections: 10_000 },
    aims: { node: { raw: 1024 }, deno: { builtin: 0 }, bun: { raw: 1024 } },
  },
  latency: {
    kind: "latency",
    title: ({ connections, size }) => `latency at half load, ${connections} connections × ${bytes(size)} ascii`,
    unit: "µs",
    order: { connections: 100, size: 64, inFlight: 1, payload: "ascii" },
    only: ["hybi", "raw", "ws", "builtin"],
    aims: { node: { ws: 1 }, deno: { builtin: 1 }, bun: { builtin: 1 } },
  },
  import: {
    kind: "import",
    title: () => "import",
    unit: "ms",
    order: {},
    aims: { node: { empty: 5 } },
  },
};
