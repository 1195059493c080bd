/**
 * `hybi/streams`: everything of `hybi`, for runtimes that hybi does not know: over pairs of web streams, which
 * `Server.accept` and a client's `dial` option bring.
 *
 * @module
 */
export * from "./index.ts";
export { StreamsTransport, type StreamPair } from "./hosts/streams-transport.ts";
