/**
 * TLS by `node:tls`, for the runtimes where that is the one that does all of it.
 *
 * @module
 */
import * as net from "node:net";
import type * as Tls from "node:tls";
import type { DialOptions, Listener, ListenOptions, TlsOptions, Transport } from "../driver/transport.ts";
import { connecting, DuplexTransport, listening } from "./duplex.ts";

/** Loaded when it is first needed: that takes Node as long as to load all of hybi. */
const nodeTls = (): typeof Tls => process.getBuiltinModule("node:tls");

export function secureContext({ ca, cert, key, passphrase }: TlsOptions): Tls.SecureContextOptions {
  const pem = (value: string | Uint8Array): string | Buffer =>
    typeof value === "string" ? value : Buffer.from(value.buffer, value.byteOffset, value.length);
  return {
    ...(ca !== undefined && { ca: typeof ca === "string" || ca instanceof Uint8Array ? pem(ca) : ca.map(pem) }),
    ...(cert !== undefined && { cert: pem(cert) }),
    ...(key !== undefined && { key: pem(key) }),
    ...(passphrase !== undefined && { passphrase }),
    ALPNProtocols: ["http/1.1"],
  } as Tls.SecureContextOptions;
}

export async function dialTls(secure: TlsOptions, { hostname, port, path, signal }: DialOptions): Promise<Transport> {
  const { serverName = hostname, verify = true } = secure;
  const tls = nodeTls();
  const socket = tls.connect({
    ...(path === undefined ? { host: hostname, port } : { path }),
    ...secureContext(secure),
    // RFC 6066 §3: an address is no server name; the certificate is checked against it all the same.
    servername: net.isIP(serverName) === 0 ? serverName : "",
    checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(serverName, certificate),
    rejectUnauthorized: verify,
  });
  return connecting(new DuplexTransport(socket, false), socket, "secureConnect", signal);
}

export async function listenTls(
  secure: TlsOptions,
  options: ListenOptions,
  connected: (transport: Transport) => void,
): Promise<Listener> {
  const server = nodeTls().createServer(
    {
      ...secureContext(secure),
      handshakeTimeout: options.handshakeTimeout,
      requestCert: secure.verify ?? false,
      rejectUnauthorized: secure.verify ?? false,
    },
    (socket) => connected(new DuplexTransport(socket, false)),
  );
  // Node reports a handshake that failed, but one that took too long it leaves open.
  server.on("tlsClientError", (_error: Error, socket: Tls.TLSSocket) => socket.destroy());
  return listening(server, options);
}
