import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chromium, type Browser } from "playwright-core";

/** Where Debian, and others, put Chromium. */
const places = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const install = "apt-get install --yes --no-install-recommends chromium";

/** The browser's program, or undefined. */
const find = (): string | undefined => [...places, chromium.executablePath()].find((place) => existsSync(place));

/**
 * Starts Chromium: the system's, or the one that Playwright has put somewhere. Where there is none it is installed, if we
 * may.
 *
 * @param args flags of Chromium's
 * @throws when it is not to be had, so that no test passes without the browser that it is about.
 */
export async function launch(...args: string[]): Promise<Browser> {
  const isRoot = process.getuid?.() === 0;
  let executablePath = find();
  if (executablePath === undefined && isRoot) {
    const [command, ...args] = install.split(" ") as [string, ...string[]];
    spawnSync("apt-get", ["update"], { stdio: "ignore" });
    spawnSync(command, args, { stdio: "ignore", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } });
    executablePath = find();
  }
  if (executablePath === undefined)
    throw new Error(`Not tested: there is no Chromium. Install it, by "${isRoot ? install : `sudo ${install}`}".`);
  // Chromium's own sandbox refuses to run as root.
  return chromium.launch({ executablePath, args, chromiumSandbox: !isRoot });
}
