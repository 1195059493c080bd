// What hybi's host for Deno does there, for host.test.ts: one check a run, by its name. Nothing is printed, and nothing
// ends the process, unless the check fails.
/* global Deno */
import assert from "node:assert/strict";
import { once } from "node:events";
import * as net from "node:net";
import process from "node:process";
import { Client, connect, Server } from "hybi";
import { host } from "hybi/driver";

const address = { hostname: "127.0.0.1", port: 0 };
const path = process.argv[3];
const window = new Uint8Array(65_536);
const options = { host: "127.0.0.1", port: 0, handshakeTimeout: 1000, window };
const never = new AbortController().signal;

async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** What a transport reports. */
class Recorder {
  events = [];
  data(chunk) {
    this.events.push(String.fromCharCode(...chunk));
  }
  end() {
    this.events.push("end");
  }
  close(error) {
    this.events.push(["close", error?.code]);
  }
  async closed() {
    await until(() => Array.isArray(this.events.at(-1)));
    return this.events.at(-1);
  }
}

/** A transport over a socket that the host accepted, what it reports, and the peer: a socket of Deno's. */
async function accepted(where = options) {
  let take;
  const taken = new Promise((resolve) => (take = resolve));
  const listener = await host.listen(where, (transport) => take(transport));
  const { hostname, port } = listener.address;
  const peer = await Deno.connect(where.path === undefined ? { hostname, port } : { transport: "unix", path });
  const transport = await taken;
  const recorder = new Recorder();
  transport.start(recorder);
  return { listener, peer, transport, recorder };
}

const bytes = (text) => new TextEncoder().encode(text);

async function read(conn) {
  const into = new Uint8Array(100);
  const length = await conn.read(into);
  return length === null ? null : new TextDecoder().decode(into.subarray(0, length));
}

async function echoes(url, clientOptions) {
  const ws = await connect(url, clientOptions);
  ws.send("Hi");
  assert.equal(await ws.read(), "Hi");
  assert.equal((await ws.close()).wasClean, true);
}

function echo(serverOptions) {
  const server = new Server(serverOptions);
  server.on("connection", (ws) => ws.on("message", (message) => ws.send(message)));
  return server;
}

/** More than the system takes for a peer that does not read. */
const large = new Uint8Array(1 << 26);

async function halfClose(where) {
  const { listener, peer, transport, recorder } = await accepted(where);
  await listener.close();
  transport.write([bytes("last")], (error) => recorder.events.push(["written", error?.message]));
  transport.end();
  assert.equal(await read(peer), "last");
  assert.equal(await read(peer), null);
  await peer.write(bytes("still read"));
  await until(() => recorder.events.length === 2);
  await peer.closeWrite();
  assert.deepEqual(await recorder.closed(), ["close", undefined]);
  assert.deepEqual(recorder.events, [["written", undefined], "still read", "end", ["close", undefined]]);
  peer.close();
}

const checks = {
  async "listens on all addresses"() {
    const server = echo({ port: 0 });
    const { hostname, port } = await server.listen();
    const theirs = net.createServer().listen(0);
    await once(theirs, "listening");
    assert.equal(hostname, theirs.address().address);
    theirs.close();
    await echoes(`ws://127.0.0.1:${port}`);
    if (hostname === "::") await echoes(`ws://[::1]:${port}`);
    await server.close();
  },

  async "listens on one address"() {
    const server = echo({ host: "127.0.0.1", port: 0 });
    const { hostname, port } = await server.listen();
    assert.equal(hostname, "127.0.0.1");
    await echoes(`ws://127.0.0.1:${port}`);
    await server.close();
  },

  async "listens on a Unix domain socket, and takes it away"() {
    const server = echo({ unix: path });
    assert.deepEqual(await server.listen(), { path });
    await echoes(`ws+unix:${path}:/`);
    const { isSocket } = Deno.statSync(path);
    assert.equal(isSocket, true);
    await server.close();
    assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
    // So the path can be listened on again.
    const again = echo({ unix: path });
    await again.listen();
    await again.close();
  },

  async "rejects with Deno's error where something listens already"() {
    const other = Deno.listen(address);
    const taken = new Server({ host: "127.0.0.1", port: other.addr.port });
    await assert.rejects(taken.listen(), (error) => error instanceof Deno.errors.AddrInUse);
    await taken.close();
    other.close();
    const unix = Deno.listen({ transport: "unix", path });
    const takenPath = new Server({ unix: path });
    await assert.rejects(takenPath.listen(), (error) => error instanceof Deno.errors.AddrInUse);
    await takenPath.close();
    assert.equal(Deno.statSync(path).isSocket, true);
    unix.close();
  },

  async "leaves the port free once it is closed"() {
    let port = 0;
    for (let i = 0; i < 20; i++) {
      const listener = await host.listen({ ...options, port }, () => assert.fail("Nobody connects."));
      port = listener.address.port;
      await listener.close();
    }
  },

  async "accepts on after an error, and not at once"() {
    const listen = Deno.listen;
    const times = [];
    Deno.listen = (where) => {
      const listener = listen(where);
      const accept = listener.accept.bind(listener);
      listener.accept = () => {
        times.push(Date.now());
        if (times.length < 4) return Promise.reject(Object.assign(new Error("No descriptors."), { code: "EMFILE" }));
        return accept();
      };
      return listener;
    };
    const server = echo({ host: "127.0.0.1", port: 0 });
    const { port } = await server.listen();
    await echoes(`ws://127.0.0.1:${port}`);
    assert.equal(times.length, 5);
    assert.ok(times[3] - times[0] >= 3 * 90, String(times));
    await server.close();
    assert.equal(times.length, 5);
  },

  async "ends a wait of accept with the server"() {
    const listen = Deno.listen;
    Deno.listen = (where) => Object.assign(listen(where), { accept: () => Promise.reject(new Error("Never.")) });
    const server = echo({ host: "127.0.0.1", port: 0 });
    await server.listen();
    await server.close();
  },

  async "gives a dial up"() {
    // A queue that is full lets nobody else in, and does not say so. Linux lets in one more than it was asked to.
    const tcpBacklog = 1;
    const listener = Deno.listen({ ...address, tcpBacklog });
    const { hostname, port } = listener.addr;
    const conns = [];
    while (conns.length <= tcpBacklog) conns.push(await Deno.connect({ hostname, port }));
    const controller = new AbortController();
    const dialing = host.dial({ hostname, port, signal: controller.signal, window });
    const reason = new Error("no longer wanted");
    controller.abort(reason);
    await assert.rejects(dialing, reason);
    const client = new Client(`ws://${hostname}:${port}`);
    const closed = new Promise((resolve) => client.once("close", resolve));
    client.terminate();
    await closed;
    for (const conn of conns) conn.close();
    listener.close();
  },

  async "does not begin a dial that was given up before"() {
    const listener = Deno.listen(address);
    const { hostname, port } = listener.addr;
    const connected = listener.accept().then(
      () => assert.fail("Somebody dialed."),
      () => undefined,
    );
    const reason = new Error("not wanted");
    for (const where of [
      { hostname, port },
      { hostname, port, path: "/nowhere" },
    ]) {
      await assert.rejects(host.dial({ ...where, signal: AbortSignal.abort(reason), window }), reason);
    }
    listener.close();
    await connected;
  },

  async "rejects a dial with Deno's error"() {
    const listener = Deno.listen(address);
    const { hostname, port } = listener.addr;
    listener.close();
    const refused = (error) => error instanceof Deno.errors.ConnectionRefused;
    await assert.rejects(host.dial({ hostname, port, signal: never, window }), refused);
    await assert.rejects(connect(`ws://${hostname}:${port}`), ({ code, cause }) => {
      return code === "ERR_CONNECT" && refused(cause);
    });
    const missing = (error) => error instanceof Deno.errors.NotFound;
    await assert.rejects(host.dial({ hostname, port, path, signal: never, window }), missing);
  },

  async "ends its stream, and reads on"() {
    await halfClose(options);
    await halfClose({ ...options, path });
  },

  async "destroys what is being read and written"() {
    const { listener, peer, transport, recorder } = await accepted();
    await listener.close();
    const errors = [];
    for (const chunks of [[large], [bytes("never sent")]]) {
      transport.write(chunks, (error) => errors.push(error.message));
    }
    // The system has taken what it does, and waits for the peer.
    await until(() => transport.bufferedAmount < large.length);
    const { bufferedAmount } = transport;
    assert.ok(bufferedAmount > 0);
    transport.destroy();
    assert.deepEqual(recorder.events, []);
    assert.deepEqual(await recorder.closed(), ["close", undefined]);
    assert.equal(errors.length, 2);
    let received = 0;
    for await (const chunk of peer.readable) received += chunk.length;
    assert.ok(received < large.length, String(received));
  },

  async "closes with the error when the peer resets"() {
    const { listener, transport, recorder } = await accepted();
    await listener.close();
    transport.destroy();
    await recorder.closed();
    const other = await host.listen(options, (late) => {
      const events = new Recorder();
      late.start(events);
      late.write([large], (error) => events.events.push(["written", error.code]));
      events.closed().then(() => {
        assert.ok(["ECONNRESET", "EPIPE"].includes(events.events.at(-1)[1]), String(events.events));
        assert.deepEqual(events.events, [["written", events.events.at(-1)[1]], events.events.at(-1)]);
        other.close();
      });
    });
    const socket = net.connect(other.address.port, "127.0.0.1");
    await once(socket, "readable");
    socket.resetAndDestroy();
  },

  async "keeps no process alive by a timer alone"() {
    host.setTimer(() => assert.fail("It was waited for."), 30_000);
    const cancel = host.setTimer(() => assert.fail("It was cancelled."), 1);
    cancel();
    await new Promise((resolve) => {
      host.setTimer(resolve, 20);
      // Something else does.
      setTimeout(() => assert.fail("The timer did not come."), 20_000).unref();
      const alive = setInterval(() => undefined, 5);
      host.setTimer(() => clearInterval(alive), 30);
    });
  },

  async "is kept alive by a server, and by a connection"() {
    const server = echo({ host: "127.0.0.1", port: 0 });
    const { port } = await server.listen();
    let isOver = false;
    globalThis.addEventListener("unload", () => assert.equal(isOver, true));
    await new Promise((resolve) => host.setTimer(resolve, 100));
    const ws = await connect(`ws://127.0.0.1:${port}`);
    await new Promise((resolve) => host.setTimer(resolve, 100));
    await ws.close();
    await server.close();
    isOver = true;
  },

  async "takes sockets that Deno's own listeners accept"() {
    const server = echo();
    const plain = Deno.listen(address);
    const unix = Deno.listen({ transport: "unix", path });
    const { cert, key, ca } = JSON.parse(process.argv[4]);
    const secure = Deno.listenTls({ ...address, cert, key });
    const urls = [
      [plain, `ws://127.0.0.1:${plain.addr.port}`, false],
      [unix, `ws+unix:${path}:/`, false],
      [secure, `wss://127.0.0.1:${secure.addr.port}`, true],
    ];
    for (const [listener, url, isSecure] of urls) {
      const echoed = echoes(url, isSecure ? { tls: { ca } } : {});
      const conn = await listener.accept();
      const open = new Promise((resolve) => server.once("connection", resolve));
      const closed = server.accept(conn);
      const ws = await open;
      assert.equal(ws.socket.secure, isSecure);
      assert.equal(ws.socket.raw, conn);
      assert.equal(ws.socket.remoteAddress, listener === unix ? undefined : "127.0.0.1");
      await Promise.all([echoed, closed]);
      listener.close();
    }
  },

  async "takes streams of Node's and of the web, and nothing else"() {
    const server = echo();
    const theirs = net.createServer((socket) => void server.accept(socket)).listen(0, "127.0.0.1");
    await once(theirs, "listening");
    await echoes(`ws://127.0.0.1:${theirs.address().port}`);
    theirs.close();
    const listener = Deno.listen(address);
    const echoed = echoes(`ws://127.0.0.1:${listener.addr.port}`);
    const { readable, writable } = await listener.accept();
    await Promise.all([server.accept({ readable, writable }), echoed]);
    listener.close();
    for (const socket of [undefined, null, 5, {}, new WebSocketStreamLike()]) {
      await assert.rejects(server.accept(socket), { code: "ERR_OPTION_TYPE" });
    }
  },

  async "refuses PEM that is none, and a key that is another's, before anyone connects"() {
    const { cert, key, otherKey, encrypted, ca } = JSON.parse(process.argv[4]);
    for (const tls of [
      { cert: "no", key },
      { cert, key: "no" },
      { cert, key: otherKey },
      { cert, key: encrypted },
      { cert, key: encrypted, passphrase: "wrong" },
    ]) {
      const server = new Server({ host: "127.0.0.1", port: 0, tls });
      await assert.rejects(server.listen(), Error, JSON.stringify(tls));
      await server.close();
      await assert.rejects(connect("wss://127.0.0.1:1", { tls }), ({ code, cause }) => {
        return code === "ERR_CONNECT" && cause.code !== "ECONNREFUSED";
      });
    }
    for (const tls of [
      { cert, key: encrypted, passphrase: "open sesame" },
      { cert: bytes(cert), key: bytes(key) },
    ]) {
      const server = echo({ host: "127.0.0.1", port: 0, tls });
      const { port } = await server.listen();
      await echoes(`wss://127.0.0.1:${port}`, { tls: { ca: bytes(ca) } });
      await server.close();
    }
  },

  async "trusts nobody beside the authorities it was given"() {
    // The runtime itself trusts `ca`, by DENO_CERT.
    const { cert, key, ca, otherCa } = JSON.parse(process.argv[4]);
    const server = echo({ host: "127.0.0.1", port: 0, tls: { cert, key } });
    const { port } = await server.listen();
    await echoes(`wss://127.0.0.1:${port}`);
    await echoes(`wss://127.0.0.1:${port}`, { tls: { ca } });
    await assert.rejects(connect(`wss://127.0.0.1:${port}`, { tls: { ca: otherCa } }), { code: "ERR_CONNECT" });
    await server.close();
  },
};

class WebSocketStreamLike {
  readable = true;
  writable = true;
}

await checks[process.argv[2]]();
