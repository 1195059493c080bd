import { vi } from "vitest";
import { connect, type Client } from "../../src/browser.ts";
import type { ClientOptions, ServerConnection } from "../../src/index.ts";
import { Listening } from "../helpers/peers.ts";
import { RawServer, type RawPeer } from "../helpers/raw-peer.ts";

/** Servers for a page's client, while some WebSocket stands where a browser has its own. */
export class Servers {
  readonly listening: Listening;
  raw: RawServer;

  private constructor(listening: Listening, raw: RawServer) {
    this.listening = listening;
    this.raw = raw;
  }

  static async start(WebSocket: unknown): Promise<Servers> {
    vi.stubGlobal("WebSocket", WebSocket);
    const listening = await Listening.start({ acceptProtocols: ["v2.chat", "v1.chat"], path: "/" });
    return new Servers(listening, await RawServer.listen());
  }

  async stop(): Promise<void> {
    vi.unstubAllGlobals();
    await this.listening[Symbol.asyncDispose]();
    await this.raw.close();
  }

  async pair(options: ClientOptions = {}): Promise<{ client: Client; server: ServerConnection }> {
    const [client, server] = await Promise.all([connect(this.listening.url, options), this.listening.connection()]);
    return { client, server };
  }

  async rawPair(options: ClientOptions = {}): Promise<{ client: Client; peer: RawPeer }> {
    const [client, peer] = await Promise.all([connect(this.raw.url, options), this.raw.open()]);
    return { client, peer };
  }
}
