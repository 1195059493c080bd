/** Listening, dialling, TLS's refusals, and sockets that others opened. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createPrivateKey } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tls from "node:tls";
import type { DialOptions, TlsOptions, Transport } from "../../../../src/driver/transport.ts";
import { host } from "../../../../src/hosts/bun.ts";
import { equal, noise } from "../../../helpers/bytes.ts";
import { plateau, turns, until } from "../../../helpers/until.ts";
import { Accepting, Recorder, certs, peerOf, received, rejection, run, window } from "./cases.ts";

const never = new AbortController().signal;
const dial = (port: number, options: Partial<DialOptions> = {}): Promise<Transport> =>
  host.dial({ hostname: "127.0.0.1", port, signal: never, window, ...options });

/** Both sides say something, and end in order. */
async function talk(client: Transport, server: Transport): Promise<void> {
  const recorders = [new Recorder(), new Recorder()] as const;
  const sides = [client, server] as const;
  for (const [i, side] of sides.entries()) {
    side.start(recorders[i as 0 | 1]);
    side.write([noise(200_000, i)], () => undefined);
  }
  await until(() => recorders.every(({ length }) => length === 200_000));
  assert(equal(recorders[0].bytes, noise(200_000, 1)));
  assert(equal(recorders[1].bytes, noise(200_000, 0)));
  server.end();
  await until(() => recorders[0].events.includes("end"));
  client.end();
  await until(() => recorders.every(({ isClosed }) => isClosed));
  for (const { others, error } of recorders) assert.deepEqual([others, error], [["end", "close"], undefined]);
}

/** What becomes of a TLS client of Node's kind: the error, or nothing when the server let it in. */
async function knock(port: number, options: tls.ConnectionOptions): Promise<Error | undefined> {
  const socket = tls.connect({ port, host: "127.0.0.1", ca: certs.ca, servername: "localhost", ...options });
  let error: Error | undefined;
  socket.on("error", (thrown) => (error ??= thrown));
  socket.once("secureConnect", () => socket.write("GET / HTTP/1.1\r\n\r\n"));
  // With TLS 1.3 the client believes itself in until it reads.
  socket.resume();
  await new Promise((resolve) => socket.once("close", resolve));
  return error;
}

/**
 * A program that listens, and accepts nothing: its queue is full, so the next to come waits. It is one of Node's, since
 * Bun keeps a queue of 512, whatever one asks for.
 */
async function busyListener(): Promise<{ port: number; end: () => void }> {
  const code = `const net = require("node:net"); const server = net.createServer(); server.listen(
    { port: 0, host: "127.0.0.1", backlog: 1 }, () => { const { port } = server.address();
    require("node:fs").writeSync(1, port + "\\n"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); });`;
  const child = spawn(process.argv[2]!, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const port = Number(line.toString());
  const fillers = Array.from({ length: 4 }, () => net.connect(port, "127.0.0.1").on("error", () => undefined));
  await Promise.all(fillers.slice(0, 2).map((socket) => once(socket, "connect")));
  return {
    port,
    end: () => {
      for (const socket of fillers) socket.destroy();
      child.kill();
    },
  };
}

const listening: Record<string, () => Promise<void>> = {
  "a port that is taken": async () => {
    const accepting = await Accepting.start();
    assert.equal((await rejection(Accepting.start({ port: accepting.port }))).code, "EADDRINUSE");
    await accepting.listener.close();
    await (await Accepting.start({ port: accepting.port })).listener.close();
  },

  "a host that is not there": async () => {
    assert.equal((await rejection(Accepting.start({ host: "no.such.name.invalid" }))).code, "ENOTFOUND");
    assert.equal((await rejection(Accepting.start({ host: "192.0.2.1" }))).code, "EADDRNOTAVAIL");
  },

  "a backlog that is not Bun's": async () => {
    await (await Accepting.start({ backlog: 10 })).listener.close();
  },

  "a host by its name": async () => {
    const { listener } = await Accepting.start({ host: "localhost" });
    assert(net.isIP((listener.address as { hostname: string }).hostname));
    await listener.close();
  },

  "by default, all addresses": async () => {
    const accepting = await Accepting.start({ host: undefined });
    for (const hostname of ["127.0.0.1", "::1", "localhost"]) {
      const client = await dial(accepting.port, { hostname });
      await talk(client, await accepting.next());
    }
    await accepting.listener.close();
  },

  "a Unix domain socket, whose file goes with it": async () => {
    const folder = await mkdtemp(join(tmpdir(), "hybi-bun-"));
    const path = join(folder, "socket");
    const accepting = await Accepting.start({ path });
    assert.deepEqual(accepting.listener.address, { path });
    assert.equal((await rejection(Accepting.start({ path }))).code, "EADDRINUSE");
    const client = await dial(0, { path });
    const server = await accepting.next();
    assert.deepEqual([server.remoteAddress, server.remotePort], [undefined, undefined]);
    await talk(client, server);
    await accepting.listener.close();
    assert(!existsSync(path));
    assert.equal((await rejection(dial(0, { path }))).code, "ENOENT");
    assert.equal((await rejection(Accepting.start({ path: join(folder, "none", "socket") }))).code, "ENOENT");
    await rm(folder, { recursive: true });
  },

  "certificates that are none": async () => {
    const { cert, key } = certs.server;
    for (const wrong of [
      { cert: "garbage", key },
      { cert, key: certs.client.key },
      { cert, key: "garbage" },
    ])
      assert((await rejection(Accepting.start({ tls: wrong }))) instanceof Error);
  },

  "without a certificate it is TLS all the same, and lets nobody in": async () => {
    const accepting = await Accepting.start({ tls: {} });
    assert((await knock(accepting.port, {})) instanceof Error);
    const plain = await peerOf(accepting.port, false);
    plain.write("GET / HTTP/1.1\r\n\r\n");
    plain.resume();
    await new Promise((resolve) => plain.once("end", resolve));
    plain.destroy();
    assert.equal(accepting.accepted.length, 0);
    await accepting.listener.close();
  },
};

const dialling: Record<string, () => Promise<void>> = {
  "a port where nobody listens": async () => {
    const { port, listener } = await Accepting.start();
    await listener.close();
    assert.equal((await rejection(dial(port))).code, "ECONNREFUSED");
    assert.equal((await rejection(dial(port, { tls: {} }))).code, "ECONNREFUSED");
    assert.equal((await rejection(dial(port, { hostname: "no.such.name.invalid" }))).code, "ENOTFOUND");
  },

  "given up before it began": async () => {
    const accepting = await Accepting.start();
    await rejection(dial(accepting.port, { signal: AbortSignal.abort() }));
    await turns(50);
    for (const transport of accepting.accepted) {
      const recorder = new Recorder();
      transport.start(recorder);
      transport.end();
      await until(() => recorder.isClosed);
    }
    await accepting.listener.close();
  },

  "given up while the other side does not accept": async () => {
    const busy = await busyListener();
    const controller = new AbortController();
    const outcome = rejection(dial(busy.port, { signal: controller.signal }));
    await turns(50);
    controller.abort();
    await outcome;
    busy.end();
  },

  "given up in the middle of TLS's handshake": async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const controller = new AbortController();
    const { port } = server.address() as net.AddressInfo;
    const outcome = rejection(dial(port, { tls: { ca: certs.ca }, signal: controller.signal }));
    const [socket] = (await once(server, "connection")) as [net.Socket];
    const closed = new Promise((resolve) => socket.on("error", () => undefined).once("close", resolve));
    await once(socket, "data");
    controller.abort();
    await outcome;
    socket.resume();
    await closed;
    server.close();
  },

  "a signal that comes once it is open does nothing": async () => {
    const accepting = await Accepting.start();
    const controller = new AbortController();
    const client = await dial(accepting.port, { signal: controller.signal });
    controller.abort();
    await talk(client, await accepting.next());
    await accepting.listener.close();
  },

  "bytes that come with the connection are held until start": async () => {
    for (const secure of [false, true]) {
      const accepting = await Accepting.start(secure ? { tls: certs.server } : {});
      const dialled = dial(accepting.port, secure ? { tls: { ca: certs.ca, serverName: "localhost" } } : {});
      const server = await accepting.next();
      server.write([noise(100_000)], () => undefined);
      server.end();
      const client = await dialled;
      await turns(100);
      const recorder = new Recorder();
      recorder.call(() => client.start(recorder));
      await until(() => recorder.events.includes("end"));
      assert(equal(recorder.bytes, noise(100_000)));
      server.start(new Recorder());
      client.end();
      await until(() => recorder.isClosed);
      await accepting.listener.close();
    }
  },

  "it reads on over Bun's own socket": async () => {
    const accepting = await Accepting.start();
    const client = await dial(accepting.port);
    assert.equal(typeof (client.raw as { reload?: unknown }).reload, "function");
    await talk(client, await accepting.next());
    await accepting.listener.close();
  },
};

const encrypted = createPrivateKey(certs.server.key)
  .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "open sesame" })
  .toString();
const bytes = (pem: string): Uint8Array => new TextEncoder().encode(pem);

const encryption: Record<string, () => Promise<void>> = {
  "text, bytes and lists; a passphrase": async () => {
    const { cert, key } = certs.server;
    const ca = certs.ca;
    const ways: [server: TlsOptions, client: TlsOptions][] = [
      [{ cert, key }, { ca }],
      [{ cert: bytes(cert), key: bytes(key) }, { ca: bytes(ca) }],
      [{ cert, key: encrypted, passphrase: "open sesame" }, { ca: [certs.unknown.cert, ca] }],
      [{ cert, key }, { ca: [bytes(ca)] }],
      [{ cert, key }, { verify: false }],
    ];
    for (const [server, client] of ways) {
      const accepting = await Accepting.start({ tls: server });
      const dialled = await dial(accepting.port, { tls: { serverName: "localhost", ...client } });
      const accepted = await accepting.next();
      assert.deepEqual([dialled.secure, accepted.secure], [true, true]);
      await talk(dialled, accepted);
      await accepting.listener.close();
    }
    const wrong = { cert, key: encrypted, passphrase: "wrong" };
    assert((await rejection(Accepting.start({ tls: wrong }))) instanceof Error);
  },

  "the client refuses an authority it does not know": async () => {
    const accepting = await Accepting.start({ tls: certs.unknown });
    for (const secure of [{}, { ca: certs.ca }, { ca: certs.ca, verify: true }]) {
      const error = await rejection(dial(accepting.port, { tls: { serverName: "localhost", ...secure } }));
      assert.match(error.code!, /CERT|SIGNATURE|ISSUER/);
    }
    await until(() => accepting.accepted.length <= 3);
    for (const transport of accepting.accepted) transport.destroy();
    await accepting.listener.close();
  },

  "the client refuses another name or address, which serverName changes": async () => {
    const accepting = await Accepting.start({ tls: certs.elsewhere });
    const ca = certs.ca;
    for (const serverName of ["localhost", "127.0.0.1", "other.example", undefined]) {
      const error = await rejection(dial(accepting.port, { tls: { ca, ...(serverName && { serverName }) } }));
      assert.equal(error.code, "ERR_TLS_CERT_ALTNAME_INVALID");
    }
    for (const transport of accepting.accepted.splice(0)) transport.destroy();
    const client = await dial(accepting.port, { tls: { ca, serverName: "elsewhere.example" } });
    await talk(client, await accepting.next());
    await accepting.listener.close();
  },

  "an address is verified where serverName is one, and not asked for": async () => {
    const seen: unknown[] = [];
    const server = tls.createServer(certs.server, (socket) => {
      seen.push((socket as unknown as { servername: unknown }).servername);
      socket.on("error", () => undefined).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    const ca = certs.ca;
    for (const [hostname, serverName] of [
      ["127.0.0.1", "127.0.0.1"],
      ["localhost", "127.0.0.1"],
    ] as const) {
      const client = await dial(port, { hostname, tls: { ca, serverName } });
      client.destroy();
    }
    const error = await rejection(dial(port, { hostname: "localhost", tls: { ca, serverName: "192.0.2.1" } }));
    assert.equal(error.code, "ERR_TLS_CERT_ALTNAME_INVALID");
    await until(() => seen.length >= 2);
    for (const name of seen) assert(!name);
    server.close();
  },

  "the server demands a certificate, by an authority it knows": async () => {
    const accepting = await Accepting.start({ tls: { ...certs.server, ca: certs.ca, verify: true } });
    for (const identity of [{}, certs.unknownClient]) {
      await knock(accepting.port, identity);
      assert.equal(accepting.accepted.length, 0);
      for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const)
        await knock(accepting.port, { ...identity, maxVersion });
      assert.equal(accepting.accepted.length, 0);
    }
    const client = await dial(accepting.port, { tls: { ca: certs.ca, serverName: "localhost", ...certs.client } });
    await talk(client, await accepting.next());
    await accepting.listener.close();
  },

  "HTTP/1.1 is agreed on (ALPN)": async () => {
    const accepting = await Accepting.start({ tls: certs.server });
    const where = { port: accepting.port, host: "127.0.0.1", ca: certs.ca, servername: "localhost" };
    const peer = tls.connect({ ...where, ALPNProtocols: ["h2", "http/1.1"] });
    await new Promise((resolve) => peer.once("secureConnect", resolve));
    assert.equal(peer.alpnProtocol, "http/1.1");
    (await accepting.next()).destroy();
    peer.destroy();
    assert((await knock(accepting.port, { ALPNProtocols: ["h2"] })) instanceof Error);
    assert.equal(accepting.accepted.length, 0);
    const client = await dial(accepting.port, { tls: { ca: certs.ca, serverName: "localhost" } });
    assert.equal((client.raw as { alpnProtocol?: unknown }).alpnProtocol, "http/1.1");
    await talk(client, await accepting.next());
    await accepting.listener.close();
  },

  "handshakes that stall, break, or are none": async () => {
    const accepting = await Accepting.start({ tls: certs.server, handshakeTimeout: 200 });
    const hello = Buffer.from("1603010200010001fc0303", "hex");
    for (const first of [undefined, hello, "GET / HTTP/1.1\r\n\r\n"]) {
      const peer = await peerOf(accepting.port, false);
      const closed = new Promise((resolve) => peer.once("close", resolve));
      if (first) peer.write(first);
      peer.resume().once("end", () => peer.end());
      await closed;
    }
    const gone = await peerOf(accepting.port, false);
    gone.write(hello);
    gone.resetAndDestroy();
    assert.equal(accepting.accepted.length, 0);
    // One that is done in time lives on.
    const client = await dial(accepting.port, { tls: { ca: certs.ca, serverName: "localhost" } });
    const server = await accepting.next();
    // The deadline of one that came later is over, and so its own would be.
    const later = await peerOf(accepting.port, false);
    const closed = new Promise((resolve) => later.once("close", resolve));
    later.resume().once("end", () => later.end());
    await closed;
    await talk(client, server);
    await accepting.listener.close();
  },
};

interface Theirs {
  stop(closeConnections: boolean): void;
  readonly port: number;
}
declare const Bun: { listen(options: object): Theirs };

const others: Record<string, () => Promise<void>> = {
  "a reset is told as one, whether a write finds it first or a read": async () => {
    const peers: net.Socket[] = [];
    const server = net.createServer({ pauseOnConnect: true }, (peer) => peers.push(peer));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const block = noise(1 << 20);
    for (let i = 0; i < 8; i++) {
      const client = await dial((server.address() as net.AddressInfo).port);
      const recorder = new Recorder();
      client.start(recorder);
      for (let mib = 0; mib < 16; mib++) client.write([block], () => undefined);
      await plateau(() => client.bufferedAmount);
      await until(() => peers.length === i + 1);
      const peer = peers[i]!;
      let taken = 0;
      // While there is room again, and Bun is about to tell so.
      peer.on("data", ({ length }) => (taken += length) > block.length && peer.resetAndDestroy());
      peer.resume();
      await until(() => recorder.isClosed);
      assert.deepEqual(recorder.events, ["close"]);
      assert.match((recorder.error as { code?: string }).code!, /^(ECONNRESET|EPIPE)$/);
    }
    server.close();
  },

  "a socket that another Bun.listen accepted": async () => {
    for (const secure of [false, true]) {
      let accepted: { socket: object; head: Uint8Array } | undefined;
      const socket = {
        open: () => undefined,
        data: (theirs: { pause(): void }, head: Uint8Array): void => {
          theirs.pause();
          accepted = { socket: theirs, head };
        },
      };
      const tlsPart = secure && { tls: { cert: certs.server.cert, key: certs.server.key } };
      const theirs = Bun.listen({ hostname: "127.0.0.1", port: 0, allowHalfOpen: true, socket, ...tlsPart });
      const peer = await peerOf(theirs.port, secure);
      const got = received(peer);
      peer.write("head ");
      await until(() => accepted !== undefined);
      const transport = host.wrap(accepted!.socket, accepted!.head);
      assert.equal(transport.secure, secure);
      peer.end("and more");
      const recorder = new Recorder();
      recorder.call(() => transport.start(recorder));
      await until(() => recorder.events.includes("end"));
      assert.equal(recorder.bytes.toString(), "head and more");
      transport.write([bytes("an answer")], () => undefined);
      transport.end();
      await until(() => recorder.isClosed && got.hasEnded);
      assert.equal(got.bytes.toString(), "an answer");
      theirs.stop(false);
    }
  },

  "a socket that was paused before anything came": async () => {
    let accepted: object | undefined;
    const socket = {
      open(theirs: { pause(): void }): void {
        theirs.pause();
        accepted = theirs;
      },
      data: () => assert.fail("It had been taken over."),
    };
    const theirs = Bun.listen({ hostname: "127.0.0.1", port: 0, allowHalfOpen: true, socket });
    const peer = await peerOf(theirs.port, false);
    await until(() => accepted !== undefined);
    const transport = host.wrap(accepted);
    peer.write("first");
    await turns(50);
    const recorder = new Recorder();
    transport.start(recorder);
    await until(() => recorder.length === 5);
    transport.destroy();
    await until(() => recorder.isClosed);
    peer.destroy();
    theirs.stop(false);
  },

  "what is no socket": () => {
    for (const wrong of [{}, [], new Map()])
      assert.throws(() => host.wrap(wrong), { name: "TypeError", code: "ERR_OPTION_TYPE" });
    return Promise.resolve();
  },

  "a timer keeps no process alive": () => {
    host.setTimer(() => undefined, 3_600_000);
    return Promise.resolve();
  },

  "a timer that is cancelled stays silent": async () => {
    const fired: string[] = [];
    const cancel = host.setTimer(() => void fired.push("cancelled"), 1);
    await new Promise<void>((resolve) => {
      // Something else has to keep the process alive.
      const alive = setInterval(() => undefined, 1000);
      host.setTimer(() => {
        fired.push("other");
        clearInterval(alive);
        resolve();
      }, 20);
      cancel();
    });
    assert.deepEqual(fired, ["other"]);
  },
};

await run({ ...listening, ...dialling, ...encryption, ...others });
