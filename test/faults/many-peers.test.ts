import * as http from "node:http";
import * as net from "node:net";
import { afterEach, expect, it } from "vitest";
import { driverFor, type Host, type ServerConnection } from "../../src/driver.ts";
import { host as node } from "../../src/hosts/node.ts";
import { request } from "../helpers/raw-peer.ts";
import { until } from "../helpers/until.ts";

const COUNT = 1000;
const heartbeat = { interval: 3000, timeout: 2000 };

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Node, of which every timer is counted that hybi sets. */
class CountedHost {
  timersSet = 0;
  most = 0;
  #timers = 0;

  readonly host: Host = {
    ...node,
    setTimer: (callback, ms) => {
      this.timersSet++;
      this.most = Math.max(this.most, ++this.#timers);
      let isSet = true;
      const over = (): void => {
        if (isSet) this.#timers--;
        isSet = false;
      };
      const cancel = node.setTimer(() => {
        over();
        callback();
      }, ms);
      return () => {
        over();
        cancel();
      };
    },
  };
}

it("1,000 connections that open together have one timer, and are pinged one after the other", async () => {
  const counted = new CountedHost();
  const { makeServer } = driverFor(counted.host);
  const connections: ServerConnection[] = [];
  const web = http.createServer().listen(0, "127.0.0.1");
  ends.push(() => web.close());
  web.on("upgrade", ({ method, url, headers, httpVersion }: http.IncomingMessage, socket, head) => {
    const connection = makeServer({ method, url, headers, httpVersion, socket, head }, { heartbeat });
    connections.push(connection);
    connection.startConnection();
  });
  await until(() => web.listening);
  const { port } = web.address() as net.AddressInfo;

  /** When the first Ping came to each. */
  const times: number[] = [];
  for (let i = 0; i < COUNT; i++) {
    const socket = net.connect({ port, host: "127.0.0.1" });
    ends.push(() => socket.destroy());
    socket.write(request());
    let isOpen = false;
    let isPinged = false;
    socket.on("data", (bytes) => {
      // A Ping of the heartbeat, which has eight bytes, comes alone.
      if (isOpen && !isPinged && bytes[0] === 0x89 && bytes.length === 10) isPinged = times.push(performance.now()) > 0;
      isOpen = true;
    });
    if (i % 100 === 99) await until(() => connections.length === i + 1);
  }
  await until(() => times.length === COUNT);
  expect(counted.most).toBe(1);
  expect(counted.timersSet).toBeLessThan(COUNT / 4);
  // They have a fifth of the interval for it; a sixth of that would do for most only if the machine stood still.
  times.sort((a, b) => a - b);
  const slice = heartbeat.interval / 5 / 6;
  const most = Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + slice).length));
  expect(most).toBeLessThan(COUNT * 0.8);
  expect(times.at(-1)! - times[0]!).toBeGreaterThan(heartbeat.interval / 10);
  for (const { readyState } of connections) expect(readyState).toBe("open");
});
