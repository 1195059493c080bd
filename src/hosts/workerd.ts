/**
 * workerd: `connect(socket)` handlers and `cloudflare:sockets`.
 *
 * @module
 */
import { connect } from "cloudflare:sockets";
import type { DialOptions, Host, TlsOptions, Transport } from "../driver/transport.ts";
import { ConnectionError } from "../errors.ts";
import { host as streams, StreamsTransport } from "./streams.ts";

const unsupported = (what: string): ConnectionError => new ConnectionError("ERR_UNSUPPORTED", what);

/** Refuses what workerd takes from nowhere but its configuration. */
function checkTls(hostname: string, { ca, cert, key, passphrase, serverName, verify }: TlsOptions): void {
  const network = "the tlsOptions of the network service in workerd's configuration";
  if (ca !== undefined) throw unsupported(`"ca" goes to "trustedCertificates" in ${network}.`);
  if (cert !== undefined || key !== undefined || passphrase !== undefined)
    throw unsupported(`"cert" and "key" go, without a passphrase, to "keypair" in ${network}.`);
  if (serverName !== undefined && serverName !== hostname)
    throw unsupported('workerd expects the name of the URL\'s host: leave "serverName" out.');
  if (verify === false) throw unsupported(`workerd verifies every server: trust its authority in ${network}.`);
}

async function dial({ hostname, port, path, tls, signal }: DialOptions): Promise<Transport> {
  if (path !== undefined) throw unsupported("workerd has no Unix domain sockets for its workers.");
  if (tls) checkTls(hostname, tls);
  const socket = connect(
    { hostname: hostname.includes(":") ? `[${hostname}]` : hostname, port },
    { secureTransport: tls ? "on" : "off", allowHalfOpen: true },
  );
  socket.closed.catch(() => undefined);
  await new Promise<unknown>((resolve, reject) => {
    const abort = (): void => {
      reject(new Error("The caller gave up."));
      socket.close().catch(() => undefined);
    };
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    const opened = socket.opened.finally(() => signal.removeEventListener("abort", abort));
    opened.then(resolve, reject);
  });
  return new StreamsTransport(socket);
}

export const host: Host = {
  ...streams,
  name: "workerd",
  dial,
  listen: () =>
    Promise.reject(unsupported("A worker does not listen: pass the socket of its connect(socket) to Server.accept.")),
};
