import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Client } from "hybi";
import { answerOf, expressionOf, programOf, type Driven } from "./driven.ts";
import { Program } from "./run.ts";

export const firefoxProgram = programOf("firefox-esr", "firefox");

interface Answer {
  readonly type: "success" | "error" | "event";
  readonly id: number;
  readonly message?: string;
  readonly result: unknown;
}

/** Firefox as it is installed, by WebDriver BiDi. */
export class Firefox implements Driven {
  readonly #program: Program;
  readonly #profile: string;
  readonly #ws: Client;
  readonly #calls = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  #context = "";
  #last = 0;

  private constructor(program: Program, profile: string, ws: Client) {
    this.#program = program;
    this.#profile = profile;
    this.#ws = ws;
    ws.on("message", (message) => this.#received(JSON.parse(String(message)) as Answer));
    ws.on("close", () => {
      for (const { reject } of this.#calls.values()) reject(new Error("Firefox is gone."));
    });
  }

  static async launch(): Promise<Firefox> {
    const profile = await mkdtemp(join(tmpdir(), "hybi-firefox-"));
    const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"];
    const program = new Program(firefoxProgram!, args, profile);
    const [, url] = await program.printed(/BiDi listening on (ws:\S+)/);
    const firefox = new Firefox(program, profile, await connect(`${url}/session`));
    await firefox.#call("session.new", { capabilities: {} });
    const { context } = await firefox.#call<{ context: string }>("browsingContext.create", { type: "tab" });
    firefox.#context = context;
    return firefox;
  }

  #call<Result>(method: string, params: object): Promise<Result> {
    return new Promise((resolve, reject) => {
      const id = ++this.#last;
      this.#calls.set(id, { resolve, reject });
      this.#ws.send(JSON.stringify({ id, method, params }));
    });
  }

  #received({ type, id, message, result }: Answer): void {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (type === "success") call?.resolve(result as never);
    else if (type === "error") call?.reject(new Error(`Firefox: ${message}`));
  }

  async open(url: string): Promise<void> {
    await this.#call("browsingContext.navigate", { context: this.#context, url, wait: "complete" });
  }

  async evaluate<Args extends readonly unknown[], T>(
    work: (...args: Args) => T | Promise<T>,
    ...args: Args
  ): Promise<T> {
    const expression = expressionOf(work, args);
    const target = { context: this.#context };
    const { result } = await this.#call<{ result: { value: string } }>("script.evaluate", {
      expression,
      target,
      awaitPromise: true,
    });
    return answerOf(result.value) as T;
  }

  async close(): Promise<void> {
    this.#program.child.kill();
    await this.#program.ended;
    await rm(this.#profile, { recursive: true, force: true });
  }
}
