// What the bench tells a server.
import process from "node:process";
import { parseArgs } from "node:util";

export const { values: options } = parseArgs({
  args: process.argv.slice(2),
  options: {
    /** Sends each message to all connections, instead of back. */
    broadcast: { type: "boolean", default: false },
    /** Listens with TLS, by the certificate of {@link tls}. */
    tls: { type: "boolean", default: false },
    /** Compresses. */
    deflate: { type: "boolean", default: false },
    /** The options of hybi's permessage-deflate. */
    use: { type: "string", default: "{}" },
    /** What a raw server reads into. */
    buffer: { type: "string", default: "65536" },
  },
});

/** The certificate and its key, in PEM. */
export const tls = options.tls ? JSON.parse(process.env.BENCH_TLS) : undefined;
