import { expect, it } from "vitest";
import { Listening } from "../helpers/peers.ts";
import { RawPeer, request } from "../helpers/raw-peer.ts";
import { until } from "../helpers/until.ts";

/** Holds this process up. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

it("a request that came in time is taken, though this process was busy until past the deadline", async () => {
  await using listening = await Listening.start({ handshakeTimeout: 200 });
  const peer = await RawPeer.connect(listening.port);
  await until(() => listening.server.stats().opening === 1);
  // The system has it at once, but nobody reads it.
  peer.write(request());
  block(500);
  expect((await peer.readHead()).status).toBe(101);
  peer.destroy();
});
