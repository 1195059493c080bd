import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { bin, runtimes, type Runtime } from "../../e2e/run.ts";
import { Proxy } from "../helpers/proxy.ts";
import { until } from "../helpers/until.ts";

const heartbeat = { interval: 400, timeout: 300 };
/** What the machine may take for it. */
const ALLOWANCE = 1500;

/** Two network namespaces with a cable between them, which can be pulled out. */
class Namespaces {
  readonly names = [`hybi-${process.pid}-a`, `hybi-${process.pid}-b`] as const;
  readonly address = "10.213.7.1";

  static make(): Namespaces | undefined {
    const made = new Namespaces();
    const [a, b] = made.names;
    try {
      for (const name of made.names) ip(`netns add ${name}`);
      ip(`link add hybi-a netns ${a} type veth peer name hybi-b netns ${b}`);
      made.names.forEach((name, i) => {
        const device = `hybi-${"ab"[i]!}`;
        ip(`-n ${name} addr add 10.213.7.${i + 1}/24 dev ${device}`);
        ip(`-n ${name} link set ${device} up`);
      });
      return made;
    } catch {
      // Not Linux, or not root, or a container without the right to.
      made.remove();
      return undefined;
    }
  }

  cut(): void {
    ip(`-n ${this.names[0]} link set hybi-a down`);
  }

  mend(): void {
    ip(`-n ${this.names[0]} link set hybi-a up`);
  }

  remove(): void {
    for (const name of this.names) {
      try {
        ip(`netns del ${name}`);
      } catch {
        // It was never made.
      }
    }
  }
}

function ip(command: string): void {
  execFileSync("ip", command.split(" "), { stdio: "pipe" });
}

const namespaces = Namespaces.make();
afterAll(() => namespaces?.remove());

/** One end, in a process of its own. */
class End {
  readonly events: unknown[][] = [];
  errors = "";
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(runtime: Runtime, namespace: string | undefined, ...args: string[]) {
    const program = {
      node: [process.execPath],
      deno: [bin("deno"), "run", "--quiet", "--allow-all"],
      bun: [bin("bun")],
    };
    const [command, ...rest] = [
      ...(namespace === undefined ? [] : ["ip", "netns", "exec", namespace]),
      ...program[runtime],
      "test/faults/programs/half-open.mjs",
      ...args,
      JSON.stringify(heartbeat),
    ];
    this.#child = spawn(command, rest, { stdio: ["pipe", "pipe", "pipe"] });
    this.#exited = once(this.#child, "exit");
    createInterface({ input: this.#child.stdout! }).on("line", (line) =>
      this.events.push(JSON.parse(line) as unknown[]),
    );
    this.#child.stderr!.on("data", (text: Buffer) => (this.errors += text.toString()));
  }

  async saw(event: string, count = 1): Promise<unknown[]> {
    const found = (): unknown[][] => this.events.filter(([name]) => name === event);
    await until(() => found().length >= count || this.#child.exitCode !== null);
    if (found().length < count) throw new Error(`It ended without ${event}: ${this.errors}`);
    return found()[count - 1]!;
  }

  say(): void {
    this.#child.stdin!.write("now\n");
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

const how = namespaces ? "between two network namespaces" : "by a silent proxy, since there are no namespaces here";

describe.each(runtimes)(`a half-open connection of %s ${how}`, (runtime) => {
  const ends: { stop(): unknown }[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end.stop();
    namespaces?.mend();
  });

  it("is found by both ends, and reported once", async () => {
    const [there, here] = namespaces?.names ?? [];
    const address = namespaces?.address ?? "127.0.0.1";
    const server = new End(runtime, there, "server", address);
    ends.push(server);
    let port = (await server.saw("port"))[1] as number;
    const proxy = namespaces ? undefined : await Proxy.to(port);
    if (proxy) {
      ends.push({ stop: () => proxy.close() });
      port = proxy.port;
    }
    const client = new End(runtime, here, "client", `ws://${address}:${port}/`);
    ends.push(client);
    // Each has pinged the other several times, and is alive.
    for (const end of [server, client]) await end.saw("ping", 4);
    if (proxy) proxy.silence();
    else namespaces!.cut();
    const start = performance.now();
    for (const end of [server, client]) end.say();
    for (const end of [server, client]) await end.saw("close");
    expect(performance.now() - start).toBeLessThan(heartbeat.interval + heartbeat.timeout + ALLOWANCE);
    for (const { events, errors } of [server, client]) {
      const of = (name: string): unknown[][] => events.filter(([event]) => event === name);
      expect(of("error")).toEqual([["error", "ERR_DEAD_PEER"]]);
      expect(of("close")).toEqual([["close", 1006]]);
      expect(of("answered")).toEqual([["answered", true], ["answered", false]]); // prettier-ignore
      // It is the system that has it.
      expect(of("taken")).toEqual([["taken", true]]);
      expect(errors).toBe("");
    }
  });
});
