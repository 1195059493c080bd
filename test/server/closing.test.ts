import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { Server, connect } from "../../src/index.ts";
import { Listening } from "../helpers/peers.ts";
import { RawPeer, op, request } from "../helpers/raw-peer.ts";
import { Recording, deferred, until } from "../helpers/until.ts";

describe("close", () => {
  it("answers newcomers with 503 and Retry-After while it drains, and then frees the port", async () => {
    await using listening = await Listening.start();
    const { peer } = await listening.raw();
    const halfway = await RawPeer.connect(listening.port);
    halfway.write("GET / HTTP/1.1\r\n");
    await until(() => listening.server.stats().opening === 1);
    const closed = listening.server.close();
    expect((await halfway.readHead()).status).toBe(503);
    for (const early of ["", request()]) {
      const newcomer = await RawPeer.connect(listening.port);
      newcomer.write(early);
      expect(await newcomer.readHead()).toMatchObject({ status: 503, headers: { "retry-after": "10" } });
      newcomer.destroy();
    }
    expect((await peer.readFrame()).payload.readUInt16BE()).toBe(1001);
    peer.send(op.close, Buffer.from([3, 233]));
    peer.end();
    await closed;
    expect(listening.server.stats()).toMatchObject({ open: 0, closes: { 1001: 1 }, refusals: { closing: 3 } });
    await expect(RawPeer.connect(listening.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    halfway.destroy();
  });

  it("refuses those whom the hook decides about", async () => {
    const decision = deferred();
    await using listening = await Listening.start({ upgrade: () => decision.promise });
    const asking = connect(listening.url);
    const refused = expect(asking).rejects.toMatchObject({ status: 503 });
    await until(() => listening.server.stats().opening === 1);
    await listening.server.close();
    decision.resolve();
    await refused;
    expect(listening.server.stats()).toMatchObject({ opened: 0, refusals: { closing: 1 } });
  });

  it("ends at its deadline those who do not answer, whatever their closeTimeout", async () => {
    await using listening = await Listening.start({ closeTimeout: 2 ** 31 });
    const { peer, server } = await listening.raw();
    const recording = new Recording(server);
    await listening.server.close({ timeout: 50, code: 4000, reason: "bye" });
    expect(recording.entries).toEqual([["close", 1006, ""]]);
    const { payload } = await peer.readFrame();
    expect([payload.readUInt16BE(), payload.subarray(2).toString()]).toEqual([4000, "bye"]);
  });

  it("called again it can hurry, and a timeout of 0 waits for nobody", async () => {
    await using listening = await Listening.start({ closeTimeout: 2 ** 53 });
    await listening.raw();
    const closed = listening.server.close({ timeout: 2 ** 53 });
    await listening.server.close({ timeout: 0 });
    await closed;
  });

  it("closes many in groups, so that not all come back at once", async () => {
    await using listening = await Listening.start();
    const peers = await Promise.all(Array.from({ length: 250 }, () => listening.raw()));
    const told: number[] = [];
    for (const { peer } of peers)
      void peer.readFrame().then(({ payload }) => {
        told.push(performance.now());
        peer.send(op.close, payload);
        peer.end();
      });
    await listening.server.close();
    expect(told).toHaveLength(250);
    // Three groups: there is time between them.
    const gaps = told.slice(1).filter((time, i) => time - told[i]! > 25);
    expect(gaps.length).toBeGreaterThanOrEqual(2);
  });

  it("of a server that is attached answers 503 as long as it drains, and leaves the web server alone then", async () => {
    const web = createServer();
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const { port } = web.address() as AddressInfo;
    const server = new Server({ server: web });
    const peer = await RawPeer.open(port);
    const closed = server.close();
    await expect(connect(`ws://127.0.0.1:${port}/`)).rejects.toMatchObject({ status: 503 });
    peer.destroy();
    await closed;
    expect(web.listenerCount("upgrade")).toBe(0);
    await new Promise((resolve) => web.close(resolve));
  });

  it.each([
    [{ timeout: -1 }, "ERR_OPTION_RANGE"],
    [{ timeout: Infinity }, "ERR_OPTION_RANGE"],
    [{ timeout: "1" }, "ERR_OPTION_TYPE"],
    [{ status: 1 }, "ERR_OPTION_UNKNOWN"],
    [{ code: 1006 }, "ERR_CLOSE_CODE"],
  ])("refuses %j, and closes nothing", async (options, code) => {
    await using listening = await Listening.start();
    expect(() => listening.server.close(options as object)).toThrow(expect.objectContaining({ code }));
    await listening.pair();
  });
});
