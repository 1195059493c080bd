/**
 * Programs that users might write, to be run with the package as it is installed or bundled: every entry echoes a
 * message, and prints it behind its name.
 *
 * @module
 */

type Names = Record<string, string>;

const esm = (names: Names): string =>
  Object.entries(names).map(([entry, what]) => `import ${what} from "${entry}";\n`).join(""); // prettier-ignore
const cjs = (names: Names): string =>
  Object.entries(names).map(([entry, what]) => `const ${what.replace("* as ", "")} = require("${entry}");\n`).join(""); // prettier-ignore

const eventless: Names = {
  hybi: "{ Budget, Server, connect }",
  "hybi/driver": "{ makeClient }",
  "hybi/websocketstream": "{ WebSocketStream }",
};
const socketNames: Names = { ...eventless, "hybi/websocket": "{ WebSocket }" };
const memoryNames = { "hybi/codec": "{ Decoder, defaultCodec, encodeFrame }", "hybi/streams": "* as streams" };

const steps: Names = {
  hybi: `
  const ws = await connect(url);
  ws.send("Hi");
  console.log("hybi", await ws.read());`,
  "hybi/driver": `
  const client = makeClient(url);
  client.once("open", () => client.send("Hi"));
  client.startConnection();
  console.log("hybi/driver", await client.read());`,
  "hybi/websocket": `
  const standard = new WebSocket(url);
  standard.onopen = () => standard.send("Hi");
  const { data } = await new Promise((resolve) => (standard.onmessage = resolve));
  console.log("hybi/websocket", data);`,
  "hybi/websocketstream": `
  const { readable, writable } = await new WebSocketStream(url).opened;
  await writable.getWriter().write("Hi");
  console.log("hybi/websocketstream", (await readable.getReader().read()).value);`,
};

const overSockets = (names: Names): string => `
async function overSockets() {
  const server = new Server({ port: 0, host: "127.0.0.1" });
  server.on("connection", (ws) => ws.on("message", (message) => ws.send(message)));
  const { port } = await server.listen();
  const url = "ws://127.0.0.1:" + port;${Object.keys(names).map((name) => steps[name]).join("")}
  await server.close();
}
`; // prettier-ignore

const inMemory = `
async function inMemory() {
  const decoder = new Decoder({ role: "client" });
  decoder.decode(encodeFrame({ opcode: 1, payload: new TextEncoder().encode("Hi") }), {
    piece: ({ data }) => console.log("hybi/codec", new TextDecoder().decode(data), defaultCodec.build),
  });
  decoder.free();
  const up = new TransformStream();
  const down = new TransformStream();
  // Whichever build each entry comes from, what one makes is taken by the others.
  const server = new streams.Server({ codec: defaultCodec, budget: new Budget(1000) });
  server.on("connection", (ws) => ws.on("message", (message) => ws.send(message)));
  void server.accept({ readable: up.readable, writable: down.writable });
  const dial = () => ({ readable: down.readable, writable: up.writable });
  const ws = await streams.connect("ws://in.memory/", { dial });
  ws.send("Hi");
  console.log("hybi/streams", await ws.read());
  await ws.close();
  const error = await streams.connect("ws://in.memory/", { dial, signal: AbortSignal.abort() }).catch((e) => e);
  console.log(error.name, error.code);
}
`;

const program = (imports: (names: Names) => string, names = socketNames): string =>
  `${imports({ ...names, ...memoryNames })}${overSockets(names)}${inMemory}overSockets().then(inMemory);\n`;

/** Uses every entry, over sockets where they open them. */
export const everything = { esm: program(esm), cjs: program(cjs) };

/** What {@link everything} prints. */
export const saysEverything = (build = "simd"): string =>
  `hybi Hi\nhybi/driver Hi\nhybi/websocketstream Hi\nhybi/websocket Hi\n${saysInMemory(build)}`;

/** As {@link everything}, for where WebAssembly is missing: the events of Node 22 come with its `fetch`, which needs that. */
export const withoutEvents = program(esm, eventless);

/** What {@link withoutEvents} prints. */
export const saysWithoutEvents = (build: string): string => saysEverything(build).replace("hybi/websocket Hi\n", "");

const inPage = `
try {
  console.log("hybi", typeof connect, new Server().connections.size);
} catch (error) {
  console.log("hybi", typeof connect, error.code);
}
`;

/** Uses what needs no sockets, by the entries that a page in a browser takes. */
export const page = `${esm({ hybi: socketNames["hybi"]!, ...memoryNames })}${inPage}${inMemory}inMemory();\n`;

/** What {@link page} prints: in a page there is no server. */
export const saysInPage = (server = "ERR_UNSUPPORTED"): string => `hybi function ${server}\n${saysInMemory()}`;

/** What is printed by what needs no sockets. */
export const saysInMemory = (build = "simd"): string =>
  `hybi/codec Hi ${build}\nhybi/streams Hi\nConnectionError ERR_ABORTED\n`;
