import { expect, it } from "vitest";
import { permessageDeflate } from "../../src/deflate/index.ts";
import { WebSocket } from "../../src/websocket.ts";
import { WebSocketStream } from "../../src/websocketstream.ts";
import { EventLog, event } from "../helpers/face.ts";
import { certificates } from "../helpers/certificates.ts";
import { Listening, WsListening } from "../helpers/peers.ts";
import { until } from "../helpers/until.ts";

it("over TLS both faces trust whom they are told to, and nobody else", async () => {
  const { server, ca } = await certificates();
  await using listening = await Listening.start({ tls: server });
  listening.server.on("connection", (ws) => void ws.readable.pipeTo(ws.writable));
  const url = listening.url.replace("wss:", "https:");
  const ws = new WebSocket(url, [], { tls: { ca } });
  await event(ws, "open");
  ws.send("safe");
  const { data, origin } = await event<MessageEvent>(ws, "message");
  expect([data, origin]).toEqual(["safe", `wss://localhost:${listening.port}`]);
  ws.close();
  const stream = new WebSocketStream(url, {}, { tls: { ca } });
  const { readable, writable } = await stream.opened;
  await writable.getWriter().write("safe, too");
  expect((await readable.getReader().read()).value).toBe("safe, too");
  stream.close();
  await stream.closed;
  const log = new EventLog(new WebSocket(url));
  await log.closed();
  expect(log.types).toEqual(["error", "close"]);
  expect(log.error?.code).toBe("ERR_CONNECT");
});

it("with permessage-deflate `extensions` is what `ws` took, and messages are whole", async () => {
  await using listening = await WsListening.start({ perMessageDeflate: { threshold: 0 } });
  const options = { extensions: [permessageDeflate()] };
  const ws = new WebSocket(listening.url, [], options);
  const [{ ws: other }] = await Promise.all([listening.connection(), event(ws, "open")]);
  expect(ws.extensions).toMatch(/^permessage-deflate\b/);
  other.socket.on("message", (data, isBinary) => other.socket.send(data, { binary: isBinary }));
  const log = new EventLog(ws);
  const texts = ["", "a", "Again and again. ".repeat(10_000), "😀".repeat(1000)];
  for (const text of texts) ws.send(text);
  expect(ws.bufferedAmount).toBe(Buffer.byteLength(texts.join("")));
  await until(() => log.data.length === texts.length);
  expect(log.data).toEqual(texts);
  ws.close(1000);
  expect(await log.closed()).toEqual({ code: 1000, reason: "", wasClean: true });
  const stream = new WebSocketStream(listening.url, {}, options);
  expect((await stream.opened).extensions).toBe(ws.extensions);
  stream.close();
  await stream.closed;
});

it("a subclass is a WebSocket, too", async () => {
  await using listening = await Listening.start();
  class Chat extends WebSocket {
    said: unknown[] = [];
    constructor() {
      super(listening.url);
      this.addEventListener("message", ({ data }) => this.said.push(data));
    }
  }
  const chat = new Chat();
  const [server] = await Promise.all([listening.connection(), event(chat, "open")]);
  server.send("Hello");
  await until(() => chat.said.length === 1);
  expect([chat.said, chat instanceof WebSocket, chat.readyState]).toEqual([["Hello"], true, Chat.OPEN]);
  chat.close();
});
