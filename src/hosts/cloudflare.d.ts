/** What hybi uses of workerd's module for TCP sockets. */
declare module "cloudflare:sockets" {
  export interface Socket {
    readonly readable: ReadableStream<Uint8Array>;
    readonly writable: WritableStream<Uint8Array>;
    /** Resolves once connected, TLS included. */
    readonly opened: Promise<{ readonly remoteAddress?: string | null }>;
    readonly closed: Promise<void>;
    readonly secureTransport: "on" | "off" | "starttls";
    close(): Promise<void>;
    startTls(options?: { expectedServerHostname?: string }): Socket;
  }

  export function connect(
    address: { hostname: string; port: number },
    options: { secureTransport: "on" | "off" | "starttls"; allowHalfOpen: boolean },
  ): Socket;
}
