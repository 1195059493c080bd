// Who is measured, on which runtime, and how each is set up: without compression, with limits that no case reaches.
const isThere = (name) =>
  import(name).then(
    () => true,
    () => false,
  );

/** A raw echo knows no frames, so the load's come back masked as they are. */
const raw = (file, label) => ({ file, label, comesBack: "as it is", setup: "echoes the bytes as they come" });

const hybi = { file: "hybi.mjs", label: "hybi", setup: "defaults: maxQueuedBytes 64 MiB, highWaterMark 64 KiB" };

const uws = {
  file: "uws.mjs",
  label: "uWebSockets.js",
  setup: "compression DISABLED, idleTimeout 0, maxBackpressure 64 MiB; a broadcast by publish",
};

export const servers = {
  node: {
    hybi,
    raw: raw("raw.mjs", "net"),
    ws: {
      file: "ws.mjs",
      label: "ws",
      setup: "with bufferutil; perMessageDeflate false, skipUTF8Validation false; no limit of backpressure",
    },
    faye: {
      file: "faye.mjs",
      label: "websocket-driver",
      setup: "piped as in its README; no limit of backpressure",
    },
    websocket: {
      file: "websocket.mjs",
      label: "websocket",
      setup: "with bufferutil; fragmentOutgoingMessages false, keepalive false; no limit of backpressure",
    },
    ...((await isThere("uWebSockets.js")) && { uws }),
  },
  deno: {
    hybi,
    raw: raw("deno-raw.mjs", "Deno.listen"),
    builtin: {
      file: "deno-serve.mjs",
      label: "Deno.upgradeWebSocket",
      setup: 'idleTimeout 0, binaryType "arraybuffer"; it does not compress; no limit of backpressure',
    },
  },
  bun: {
    hybi,
    raw: raw("bun-raw.mjs", "Bun.listen"),
    builtin: {
      file: "bun-serve.mjs",
      label: "Bun.serve",
      setup: "perMessageDeflate false, idleTimeout 0, backpressureLimit 64 MiB; a broadcast by publish",
    },
  },
};

const client = (file, label, setup) => ({ file, label, setup });
const ours = client("hybi.mjs", "hybi", "defaults");
const global = (more) => client("global.mjs", "global WebSocket", `binaryType "arraybuffer"${more}`);

export const clients = {
  node: {
    hybi: ours,
    ws: client("ws.mjs", "ws", 'with bufferutil; perMessageDeflate false, binaryType "nodebuffer"'),
    undici: client("undici.mjs", "undici", 'binaryType "arraybuffer"'),
    global: global("; Node's is an older undici's"),
  },
  deno: { hybi: ours, global: global("") },
  bun: { hybi: ours, global: global("") },
};

export const imports = {
  node: {
    hybi: { label: 'import("hybi")', setup: "by its name, from dist/" },
    empty: { label: "an empty process", setup: "the same program without the import" },
    module: { label: "an empty module", setup: "what Node's loader takes for one that has nothing in it" },
    net: { label: 'import("node:net")', setup: "which both others load" },
    ws: { label: 'import("ws")', setup: "with bufferutil" },
  },
};
