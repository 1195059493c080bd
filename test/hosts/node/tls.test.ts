import { createPrivateKey } from "node:crypto";
import * as https from "node:https";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tls from "node:tls";
import { WebSocketServer } from "ws";
import { beforeAll, describe, expect, it } from "vitest";
import { connect, Server, type ServerOptions } from "../../../src/index.ts";
import { equal, noise } from "../../helpers/bytes.ts";
import { certificates, type Certificates } from "../../helpers/certificates.ts";
import { Listening } from "../../helpers/peers.ts";
import { RawPeer, frame, op, request } from "../../helpers/raw-peer.ts";
import { next, thrownBy, until } from "../../helpers/until.ts";

let certs: Certificates;
beforeAll(async () => {
  certs = await certificates();
});

const start = (options: ServerOptions["tls"] = certs.server, more: ServerOptions = {}): Promise<Listening> =>
  Listening.start({ ...more, tls: options });

/** The server serves as if nothing had been. */
async function lives(listening: Listening, identity: object = {}): Promise<void> {
  const { client, server } = await listening.pair({ tls: { ca: certs.ca, ...identity } });
  client.send("alive");
  expect(await server.read()).toBe("alive");
  await client.close();
}

const refused = { name: "ConnectionError", code: "ERR_CONNECT" };

describe("wss:", () => {
  it("carries messages of all sizes both ways", async () => {
    await using listening = await start();
    const { client, server } = await listening.pair({ tls: { ca: certs.ca } });
    expect([client.socket!.secure, server.socket!.secure]).toEqual([true, true]);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.send("text");
      from.send(noise(1 << 22));
      from.sendPing("p");
      expect(await to.read()).toBe("text");
      expect(equal((await to.read()) as Uint8Array, noise(1 << 22))).toBe(true);
      await until(() => from.bufferedAmount === 0);
    }
    expect(await client.close(4000, "done")).toEqual({ code: 4000, reason: "done", wasClean: true });
  });

  it("takes its PEM as text, as bytes, and as a list", async () => {
    const { cert, key } = certs.server;
    const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
    await using listening = await start({ cert: bytes(cert), key: bytes(key) });
    for (const ca of [certs.ca, bytes(certs.ca), [certs.unknown.cert, certs.ca], [bytes(certs.ca)]])
      await lives(listening, { ca });
  });

  it("takes a key that is encrypted, with its passphrase", async () => {
    const { cert, key } = certs.server;
    const encrypted = createPrivateKey(key)
      .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "open sesame" })
      .toString();
    await using listening = await start({ cert, key: encrypted, passphrase: "open sesame" });
    await lives(listening);
    const wrong = new Server({ port: 0, tls: { cert, key: encrypted, passphrase: "wrong" } });
    expect(await thrownBy(() => wrong.listen())).toBeInstanceOf(Error);
    expect(wrong.address).toBeUndefined();
    await wrong.close();
  });

  it("verifies the server: an unknown authority is refused, unless verify is false", async () => {
    await using listening = await start(certs.unknown);
    expect(await thrownBy(() => connect(listening.url))).toMatchObject(refused);
    expect(await thrownBy(() => connect(listening.url, { tls: { ca: certs.ca } }))).toMatchObject(refused);
    expect(await thrownBy(() => connect(listening.url, { tls: { verify: true } }))).toMatchObject(refused);
    const { client } = await listening.pair({ tls: { verify: false } });
    await client.close();
    await until(() => listening.server.connections.size === 0);
  });

  it("verifies the server's name, which serverName changes", async () => {
    await using listening = await start(certs.elsewhere);
    const ca = certs.ca;
    const error = await thrownBy(() => connect(listening.url, { tls: { ca } }));
    expect(error).toMatchObject({ ...refused, cause: { code: "ERR_TLS_CERT_ALTNAME_INVALID" } });
    expect(await thrownBy(() => connect(listening.url, { tls: { ca, serverName: "other.example" } }))).toMatchObject(
      refused,
    );
    const { client } = await listening.pair({ tls: { ca, serverName: "elsewhere.example" } });
    expect((client.socket!.raw as tls.TLSSocket & { servername: string }).servername).toBe("elsewhere.example");
    await client.close();
    const { client: careless } = await listening.pair({ tls: { verify: false } });
    await careless.close();
  });

  it("verifies an address like a name, and sends none for it (RFC 6066 §3)", async () => {
    await using listening = await start();
    const url = `wss://127.0.0.1:${listening.port}/`;
    const [client, server] = await Promise.all([connect(url, { tls: { ca: certs.ca } }), listening.connection()]);
    expect((server.socket!.raw as tls.TLSSocket & { servername: unknown }).servername).toBeFalsy();
    await client.close();
    await using other = await start(certs.elsewhere);
    expect(await thrownBy(() => connect(`wss://127.0.0.1:${other.port}/`, { tls: { ca: certs.ca } }))).toMatchObject(
      refused,
    );
  });

  it("demands certificates of clients under verify", async () => {
    const { ca, server, client, unknownClient } = certs;
    await using listening = await start({ ...server, ca, verify: true });
    await lives(listening, client);
    for (const identity of [{}, unknownClient]) {
      expect(await thrownBy(() => connect(listening.url, { tls: { ca, ...identity } }))).toMatchObject(refused);
      await lives(listening, client);
    }
    await until(() => listening.server.connections.size === 0);
  });

  it("does not ask for them otherwise", async () => {
    await using listening = await start({ ...certs.server, ca: certs.ca });
    const { client, server } = await listening.pair({ tls: { ca: certs.ca, ...certs.client } });
    expect((server.socket!.raw as tls.TLSSocket).getPeerCertificate()).toEqual({});
    await client.close();
    await lives(listening);
  });

  it("frees a socket that speaks plaintext, with nothing unhandled", async () => {
    await using listening = await start(certs.server, { handshakeTimeout: 300 });
    for (const bytes of [request(), "\0\0\0\0", frame(op.text, "x"), Buffer.alloc(100_000, 0x16)]) {
      const peer = await RawPeer.connect(listening.port);
      peer.write(bytes);
      await until(() => peer.ended);
      expect(peer.pending).toBeLessThan(100); // at most an alert (RFC 8446 §6), never an HTTP answer
      peer.destroy();
    }
    expect(await thrownBy(() => connect(listening.url.replace("wss:", "ws:")))).toMatchObject({
      code: expect.stringMatching(/ERR_CONNECT|ERR_HANDSHAKE_HEAD/) as string,
    });
    await lives(listening);
  });

  it("ends a TLS handshake that stalls at handshakeTimeout, begun or not", async () => {
    await using listening = await start(certs.server, { handshakeTimeout: 300 });
    // The first bytes of a ClientHello of 512 bytes.
    for (const bytes of ["", Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3)]) {
      const peer = await RawPeer.connect(listening.port);
      peer.write(bytes);
      await until(() => peer.ended);
      peer.destroy();
    }
    await lives(listening);
  });

  it("has one deadline for the request, too", async () => {
    await using listening = await start(certs.server, { handshakeTimeout: 300 });
    const socket = tls.connect({ port: listening.port, host: "localhost", ca: certs.ca });
    const peer = new RawPeer(socket);
    expect((await peer.readHead()).status).toBe(408);
    await until(() => peer.ended);
    peer.destroy();
  });

  it("is ended on either side by reset or terminate, once", async () => {
    await using listening = await start();
    const { client, server } = await listening.pair({ tls: { ca: certs.ca } });
    const both = Promise.all([next(client, "close"), next(server, "close")]);
    client.terminate();
    expect(await both).toEqual([
      [1006, ""],
      [1006, ""],
    ]);
  });

  it("is refused by a server that speaks plaintext", async () => {
    await using listening = await Listening.start();
    const url = listening.url.replace("ws:", "wss:");
    expect(await thrownBy(() => connect(url, { tls: { verify: false } }))).toMatchObject(refused);
    const { client } = await listening.pair();
    await client.close();
  });

  it("goes over a Unix domain socket, where the name is localhost", async () => {
    const directory = await mkdtemp(join(tmpdir(), "hybi-"));
    try {
      const unix = join(directory, "a.sock");
      await using server = new Server({ unix, tls: certs.server });
      const opened = next(server, "connection");
      await server.listen();
      const client = await connect(`wss+unix:${unix}:/p`, { tls: { ca: certs.ca } });
      const [connection] = await opened;
      expect([connection.socket!.secure, connection.request!.path]).toEqual([true, "/p"]);
      await client.close();
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it("serves a ws client, and is served by a ws server", async () => {
    await using listening = await start();
    const { ws, server } = await listening.ws({ ca: certs.ca });
    ws.socket.send("over TLS");
    expect(await server.read()).toBe("over TLS");

    const web = https.createServer({ cert: certs.server.cert, key: certs.server.key });
    const theirs = new WebSocketServer({ server: web });
    theirs.on("connection", (connection) => connection.on("message", (data) => connection.send(data)));
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    const client = await connect(`wss://localhost:${(web.address() as AddressInfo).port}/`, { tls: { ca: certs.ca } });
    client.send(noise(100_000));
    expect(equal((await client.read()) as Uint8Array, noise(100_000))).toBe(true);
    await client.close();
    theirs.close();
    web.close();
  });

  it("fails to listen, or to dial, with PEM that is none", async () => {
    const server = new Server({ port: 0, host: "127.0.0.1", tls: { cert: "no", key: "PEM" } });
    expect(await thrownBy(() => server.listen())).toBeInstanceOf(Error);
    await server.close();
    await using listening = await start();
    expect(await thrownBy(() => connect(listening.url, { tls: { cert: "no", key: "PEM" } }))).toMatchObject(refused);
    await lives(listening);
  });
});
