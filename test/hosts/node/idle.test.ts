import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as net from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it, vi } from "vitest";
import { Server } from "../../../src/index.ts";
import { request } from "../../helpers/raw-peer.ts";
import { turns } from "../../helpers/until.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const FIRST = 100;
/** So many that what else happens in the process hardly counts. */
const COUNT = 3000;
// One by one, they take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

/**
 * Opens as many connections as each line of its input says, has one message echoed on each, and leaves them idle. It
 * does so in a process of its own, so that the peers' memory is not counted.
 */
const peers = `
const { connect } = require("node:net");
const [port, request] = process.argv.slice(1);
const open = () => new Promise((resolve, reject) => {
  const socket = connect(port, "127.0.0.1", () => socket.write(request));
  socket.on("error", reject);
  socket.once("data", () => {
    socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x48, 0x69]));
    socket.once("data", resolve);
  });
});
process.stdin.on("data", async (line) => {
  for (let count = Number(line); count > 0; count--) await open();
  console.log("open");
});
process.stdin.on("end", () => process.exit());
`;

async function heap(): Promise<number> {
  // What a collection leaves to finalizers is gone by the next.
  for (let i = 0; i < 4; i++) {
    collect();
    await turns(10);
  }
  return process.memoryUsage().heapUsed;
}

/** Bytes of heap that an idle connection to `port` of this process costs. */
async function costOf(port: number): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, ["-e", peers, String(port), request()], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const open = async (count: number): Promise<void> => {
    child.stdin!.write(`${count}\n`);
    await once(child.stdout!, "data");
  };
  // The first bring code and tables that all the others share.
  await open(FIRST);
  const before = await heap();
  await open(COUNT);
  const cost = ((await heap()) - before) / COUNT;
  child.stdin!.end();
  await once(child, "exit");
  return cost;
}

/** They connect one after the other, which may take long on a machine that is busy: milliseconds. */
const timeout = 120_000;

it(
  "an idle connection costs at most 1,400 bytes of heap more than a raw socket with a listener",
  { timeout },
  async () => {
    const raw = net.createServer((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n");
        socket.on("data", (chunk) => socket.write(chunk));
      });
      socket.on("error", () => undefined);
    });
    await once(raw.listen(0, "127.0.0.1"), "listening");
    const costOfRaw = await costOf((raw.address() as net.AddressInfo).port);
    raw.close();

    const server = new Server({ port: 0, host: "127.0.0.1" });
    server.on("connection", (ws) => {
      ws.on("message", (message) => {
        ws.send(message);
      });
    });
    const { port } = (await server.listen()) as { port: number };
    const cost = await costOf(port);
    await server.close();
    expect(cost - costOfRaw).toBeLessThan(1400);
  },
);
