import { answerOf, expressionOf, programOf, type Driven } from "./driven.ts";
import { Program, freePort } from "./run.ts";

const driver = programOf("WebKitWebDriver");
const display = programOf("Xvfb");

/** What it takes to start WebKit, or undefined. */
export const webkitPrograms = driver && display ? { driver, display } : undefined;

/** Longer than any test: milliseconds. */
const SCRIPT_TIMEOUT = 600_000;

/** WebKitGTK as it is installed, on a screen of its own that nobody sees, by classic WebDriver. */
export class WebKit implements Driven {
  readonly #programs: readonly Program[];
  readonly #server: string;
  #session = "";

  private constructor(server: string, programs: readonly Program[]) {
    this.#server = server;
    this.#programs = programs;
  }

  static async launch(): Promise<WebKit> {
    const { driver, display } = webkitPrograms!;
    const screen = new Program(display, ["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"], "/");
    const [number] = await screen.printed(/\d+/);
    const port = await freePort();
    const program = new Program(driver, [`--port=${port}`, "--host=127.0.0.1"], "/", { DISPLAY: `:${number}` });
    const webkit = new WebKit(`http://127.0.0.1:${port}`, [program, screen]);
    await webkit.#listening();
    const { sessionId } = await webkit.#call<{ sessionId: string }>("/session", { capabilities: {} });
    webkit.#session = `/session/${sessionId}`;
    await webkit.#call(`${webkit.#session}/timeouts`, { script: SCRIPT_TIMEOUT });
    return webkit;
  }

  /** It does not say when it listens. */
  async #listening(): Promise<void> {
    let hasEnded = false;
    void this.#programs[0]!.ended.finally(() => (hasEnded = true));
    for (;;) {
      try {
        await fetch(`${this.#server}/status`);
        return;
      } catch (cause) {
        if (hasEnded) throw new Error("WebKitWebDriver has ended.", { cause });
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async #call<Result>(path: string, body: object, method = "POST"): Promise<Result> {
    const init = method === "POST" ? { method, body: JSON.stringify(body) } : { method };
    const response = await fetch(this.#server + path, init);
    const { value } = (await response.json()) as { value: Result & { message?: string } };
    if (!response.ok) throw new Error(`WebKit: ${value.message}`);
    return value;
  }

  async open(url: string): Promise<void> {
    await this.#call(`${this.#session}/url`, { url });
  }

  async evaluate<Args extends readonly unknown[], T>(
    work: (...args: Args) => T | Promise<T>,
    ...args: Args
  ): Promise<T> {
    const script = `${expressionOf(work, args)}.then(arguments[0])`;
    return answerOf(await this.#call(`${this.#session}/execute/async`, { script, args: [] })) as T;
  }

  async close(): Promise<void> {
    await this.#call(this.#session, {}, "DELETE");
    for (const { child, ended } of this.#programs) {
      child.kill();
      await ended;
    }
  }
}
