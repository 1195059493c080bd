import * as net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A way between two peers that the test can make slow, or cut without either of them being told. */
export class Proxy {
  readonly port: number;
  /** Milliseconds that whatever comes is held back, each way. */
  delay = 0;
  /** Bytes a millisecond that go through to the client, or to the server; and after how many bytes that is over. */
  rate = { toClient: Infinity, toServer: Infinity, until: Infinity };
  #isSilent = false;
  readonly #server: net.Server;
  readonly #sockets = new Set<net.Socket>();

  private constructor(server: net.Server, target: number) {
    this.#server = server;
    this.port = (server.address() as net.AddressInfo).port;
    server.on("connection", (client) => {
      const behind = net.connect({ port: target, host: "127.0.0.1", allowHalfOpen: true });
      for (const socket of [client, behind]) {
        this.#sockets.add(socket.setNoDelay(true));
        socket.on("error", () => undefined);
        socket.on("close", () => {
          this.#sockets.delete(socket);
          // What broke on one side breaks on the other, as long as there is a way.
          if (!this.#isSilent) (socket === client ? behind : client).destroy();
        });
      }
      void this.#carry(client, behind, () => this.rate.toServer);
      void this.#carry(behind, client, () => this.rate.toClient);
    });
  }

  static to(target: number): Promise<Proxy> {
    const server = net.createServer({ allowHalfOpen: true });
    return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(new Proxy(server, target))));
  }

  /** From here on nothing goes through, no end either; all sockets stay open. */
  silence(): void {
    this.#isSilent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  async #carry(from: net.Socket, to: net.Socket, rate: () => number): Promise<void> {
    const start = performance.now();
    let carried = 0;
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        if (this.delay > 0) await sleep(this.delay);
        while (carried < this.rate.until && carried > rate() * (performance.now() - start)) await sleep(1);
        if (this.#isSilent) return await new Promise(() => undefined);
        carried += chunk.length;
        if (!to.write(chunk) && !to.destroyed)
          await new Promise((resolve) => to.once("drain", resolve).once("close", resolve));
      }
      if (!this.#isSilent) to.end();
    } catch {
      // It broke, which its `close` tells.
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
