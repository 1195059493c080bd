import { WebSocket } from "ws";
import { bin, type Project } from "./project.ts";
import { freePort } from "./run.ts";

/** A worker that echoes, which knows the package by this name, and its codec by that one. */
export const worker = (hybi: string, codec?: string): string => `
  import { Server } from "${hybi}";
  ${codec ? `import { defaultCodec } from "${codec}";` : "const defaultCodec = undefined;"}
  const server = new Server({ codec: defaultCodec });
  server.on("connection", (ws) => ws.on("message", (message) => ws.send(message)));
  export default { connect: (socket) => server.accept(socket) };
`;

/** Has workerd serve these modules, given as names and files of the project, the worker first; answers what it echoes to "Hi". */
export async function echoOfWorkerd(project: Project, modules: Record<string, string>): Promise<string> {
  const port = await freePort();
  const list = Object.entries(modules).map(([name, file]) => `(name = "${name}", esModule = embed "${file}")`);
  const config = await project.write(
    "config.capnp",
    `using Workerd = import "/workerd/workerd.capnp";
     const config :Workerd.Config = (
       services = [(name = "main", worker = .worker)],
       sockets = [(name = "main", address = "127.0.0.1:${port}", tcp = (), service = "main")],
     );
     const worker :Workerd.Worker = (compatibilityDate = "2026-01-01", modules = [${list.join(", ")}]);`,
  );
  const workerd = project.start(bin("workerd"), "serve", config, "--control-fd=1");
  await workerd.printed(/"event":"listen"/);
  const ws = new WebSocket(`ws://127.0.0.1:${port}`);
  try {
    return await new Promise<string>((resolve, reject) => {
      ws.on("open", () => ws.send("Hi"));
      ws.on("message", (data: Buffer) => resolve(data.toString()));
      ws.on("error", reject);
    });
  } finally {
    ws.terminate();
    workerd.child.kill();
    await workerd.ended;
  }
}
