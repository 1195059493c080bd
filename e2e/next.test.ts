import { afterAll, beforeAll, expect, test } from "vitest";
import { Project } from "./project.ts";
import { freePort, type Program } from "./run.ts";

// Next.js is too large to be a dependency of this package's development: it is installed for this test alone.
const packages = ["next@16", "react@19", "react-dom@19"];

const layout = `export default ({ children }) => <html><body>{children}</body></html>;`;

const page = `
  "use client";
  import { encodeFrame } from "hybi/codec";
  export default () => <p>{String(encodeFrame({ opcode: 1, payload: new Uint8Array(2) }))}</p>;
`;

const onNode = `
  import { Server, connect } from "hybi";
  export const dynamic = "force-dynamic";
  export async function GET() {
    await using server = new Server({ port: 0, host: "127.0.0.1" });
    server.on("connection", (ws) => ws.on("message", (message) => ws.send(message)));
    const { port } = await server.listen();
    const ws = await connect("ws://127.0.0.1:" + port);
    ws.send("Hi");
    return new Response(await ws.read());
  }
`;

const onEdge = `
  import { Server, connect } from "hybi";
  import { defaultCodec } from "hybi/codec";
  export const runtime = "edge";
  export async function GET() {
    const up = new TransformStream();
    const down = new TransformStream();
    const server = new Server();
    server.on("connection", (ws) => ws.on("message", (message) => ws.send(message + " from " + defaultCodec.build)));
    void server.accept({ readable: up.readable, writable: down.writable });
    const ws = await connect("ws://in.memory/", { dial: () => ({ readable: down.readable, writable: up.writable }) });
    ws.send("Hi");
    return new Response(await ws.read());
  }
`;

let project: Project;
let origin: string;
let served: Program;

beforeAll(async () => {
  process.env["NEXT_TELEMETRY_DISABLED"] = "1";
  project = await Project.create();
  const install = await project.run("npm", "install", "--loglevel=error", "--prefer-offline", ...packages);
  if (install.code !== 0) throw new Error(`Not tested: Next.js. It could not be installed: ${install.stderr}`);
  await project.write("app/layout.js", layout);
  await project.write("app/page.js", page);
  await project.write("app/node/route.js", onNode);
  await project.write("app/edge/route.js", onEdge);
  const next = ["--no-warnings", "node_modules/next/dist/bin/next"];
  const built = await project.run(process.execPath, ...next, "build");
  expect(built.code, built.stdout + built.stderr).toBe(0);
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  served = project.start(process.execPath, ...next, "start", "--hostname", "127.0.0.1", "--port", String(port));
  await served.printed(/Ready/);
}, 240_000);

afterAll(() => project.remove());

test.each([
  ["/node", "Hi"],
  ["/edge", "Hi from simd"],
])("Next.js bundles hybi for the route %s", async (path, expected) => {
  const response = await fetch(origin + path);
  expect([response.status, await response.text()]).toEqual([200, expected]);
});

test("Next.js bundles hybi/codec for a page", async () => {
  const response = await fetch(origin);
  expect(await response.text()).toContain("<p>129,2,0,0</p>");
});
