import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect, type ClientOptions } from "../../../src/index.ts";
import { equal, noise } from "../../helpers/bytes.ts";
import { certificates, type Certificates } from "../../helpers/certificates.ts";
import { Listening } from "../../helpers/peers.ts";
import { RawPeer, request } from "../../helpers/raw-peer.ts";
import { thrownBy, until } from "../../helpers/until.ts";
import { Workerd } from "../../helpers/workerd.ts";

let certs: Certificates;
let workerd: Workerd;
beforeAll(async () => {
  certs = await certificates();
  const { server, client, ca } = certs;
  const files = {
    "ca.pem": ca,
    "server-key.pem": server.key,
    "server.pem": server.cert,
    "client-key.pem": client.key,
    "client.pem": client.cert,
  };
  const keypair = (name: string): string =>
    `keypair = (privateKey = embed "${name}-key.pem", certificateChain = embed "${name}.pem")`;
  const trusted = `trustedCertificates = [embed "ca.pem"]`;
  workerd = await Workerd.start({
    files,
    sockets: {
      tls: { tcp: `(tlsOptions = (${keypair("server")}))` },
      mutual: { tcp: `(tlsOptions = (${keypair("server")}, requireClientCerts = true, ${trusted}))` },
    },
    tls: `${keypair("client")}, ${trusted}`,
  });
});
afterAll(() => workerd[Symbol.asyncDispose]());

describe("a TLS socket of the configuration", () => {
  const reach = async (socket: string, options: ClientOptions["tls"]): Promise<void> => {
    const url = `wss://localhost:${workerd.ports.get(socket)!}/echo`;
    const ws = await connect(url, { tls: { ca: certs.ca, ...options } });
    ws.send("over TLS");
    ws.send(noise(1 << 20));
    expect(await ws.read()).toBe("over TLS");
    expect(equal((await ws.read()) as Uint8Array, noise(1 << 20))).toBe(true);
    expect(await ws.close(4000)).toMatchObject({ code: 4000, wasClean: true });
  };
  const refused = { code: "ERR_CONNECT" };

  it("is accepted like any other", async () => {
    await reach("tls", {});
  });

  it("does not pass for one of an unknown authority", async () => {
    expect(await thrownBy(() => reach("tls", { ca: certs.unknown.cert }))).toMatchObject(refused);
    await reach("tls", {});
  });

  it("demands certificates of clients, if told so", async () => {
    await reach("mutual", certs.client);
    expect(await thrownBy(() => reach("mutual", {}))).toMatchObject(refused);
    expect(await thrownBy(() => reach("mutual", certs.unknownClient))).toMatchObject(refused);
    await reach("mutual", certs.client);
  });

  it("ends what speaks plaintext", async () => {
    const peer = await RawPeer.connect(workerd.ports.get("tls")!);
    peer.write(request());
    await until(() => peer.ended);
    expect(peer.pending).toBeLessThan(100); // at most an alert (RFC 8446 §6), never an HTTP answer
    peer.destroy();
    await reach("tls", {});
  });
});

describe("a worker that dials wss:", () => {
  const dial = async (listening: Listening, hostname: string, options?: object): Promise<Record<string, unknown>> => {
    listening.server.on("connection", (ws) => ws.on("message", (message) => ws.send(message)));
    return workerd.ask("/dial", { url: `wss://${hostname}:${listening.port}/`, ...(options && { options }) });
  };
  const refused = { error: { name: "ConnectionError", code: "ERR_CONNECT" } };

  it.each(["localhost", "127.0.0.1"])("trusts whom the configuration trusts (%s)", async (hostname) => {
    await using listening = await Listening.start({ tls: certs.server });
    expect(await dial(listening, hostname)).toEqual({
      answer: "Hi",
      remoteAddress: hostname,
      remotePort: listening.port,
      secure: true,
    });
    // Said, though it is so anyway.
    const options = { tls: { serverName: hostname, verify: true } };
    expect(await dial(listening, hostname, options)).toMatchObject({ answer: "Hi", secure: true });
  });

  it("refuses a server of an unknown authority", async () => {
    await using listening = await Listening.start({ tls: certs.unknown });
    expect(await dial(listening, "localhost")).toMatchObject(refused);
  });

  it("refuses a server of another name, which serverName changes", async () => {
    await using listening = await Listening.start({ tls: certs.elsewhere });
    expect(await dial(listening, "localhost")).toMatchObject(refused);
    expect(await dial(listening, "localhost", { tls: { serverName: "other.example" } })).toMatchObject(refused);
    const names: unknown[] = [];
    listening.server.on("connection", ({ socket }) =>
      names.push((socket!.raw as TLSSocket & { servername: unknown }).servername),
    );
    expect(await dial(listening, "localhost", { tls: { serverName: "elsewhere.example" } })).toMatchObject({
      answer: "Hi",
      secure: true,
    });
    expect(names).toEqual(["elsewhere.example"]);
  });

  it.each(["localhost", "elsewhere.example"])("is not held up by a handshake that stalls (%s)", async (serverName) => {
    const sockets: Socket[] = [];
    const stalling = createServer({ pauseOnConnect: true }, (socket) => void sockets.push(socket)).listen(
      0,
      "127.0.0.1",
    );
    await once(stalling, "listening");
    const { port } = stalling.address() as AddressInfo;
    for (const [body, code] of [
      [{ abortAfter: 50, options: { tls: { serverName } } }, "ERR_ABORTED"],
      [{ options: { handshakeTimeout: 50, tls: { serverName } } }, "ERR_HANDSHAKE_TIMEOUT"],
    ] as const) {
      const given = (await workerd.ask<string[]>("/log")).length;
      const asked = workerd.ask("/dial", { url: `wss://localhost:${port}/`, ...body, linger: 2000 });
      let isOver = false;
      void asked.then(() => (isOver = true));
      while ((await workerd.ask<string[]>("/log")).length === given);
      // workerd does not close a socket before it is open: it does so as soon as it is.
      const secured = new TLSSocket(sockets.pop()!, {
        isServer: true,
        ...(serverName === "localhost" ? certs.server : certs.elsewhere),
      });
      secured.on("error", () => undefined).resume();
      await until(() => secured.closed);
      expect(isOver).toBe(false);
      expect(await asked).toMatchObject({ error: { code } });
    }
    stalling.close();
  });

  it("presents the certificate of the configuration", async () => {
    const { ca, server, client } = certs;
    await using listening = await Listening.start({ tls: { ...server, ca, verify: true } });
    const presented: string[] = [];
    listening.server.on("connection", ({ socket }) =>
      presented.push((socket!.raw as TLSSocket).getPeerX509Certificate()!.fingerprint256),
    );
    expect(await dial(listening, "localhost")).toMatchObject({ answer: "Hi" });
    expect(presented).toEqual([new X509Certificate(client.cert).fingerprint256]);
  });

  it("is refused by a server that speaks plaintext", async () => {
    await using listening = await Listening.start();
    expect(await dial(listening, "localhost")).toMatchObject(refused);
  });
});
