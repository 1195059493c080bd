// The same things done with the browser's own classes and with hybi's, for the tests to compare what happens.
import { WebSocket as HybiWebSocket } from "hybi/websocket";
import { WebSocketStream as HybiWebSocketStream } from "hybi/websocketstream";

const { WebSocket, WebSocketStream } = globalThis;
const classes = {
  own: { WebSocket, WebSocketStream },
  hybi: { WebSocket: HybiWebSocket, WebSocketStream: HybiWebSocketStream },
};

const nameOf = (value) => value.constructor.name;

/** What is thrown, by its name; or "nothing". */
function thrown(work) {
  try {
    work();
    return "nothing";
  } catch (error) {
    return error.name;
  }
}

async function rejection(promise) {
  try {
    await promise;
    return "nothing";
  } catch (error) {
    const { name, closeCode, reason } = error;
    return [name, closeCode, reason];
  }
}

/** What a message's data is, in a form that can leave the page. */
async function shown(data) {
  if (typeof data === "string") return data;
  const bytes = data instanceof Blob ? await data.arrayBuffer() : data;
  return [nameOf(data), ...new Uint8Array(bytes)];
}

/** A WebSocket with all its events, as they come; `closed` resolves behind the last. */
function watched(ws) {
  const events = [];
  const log = (event, ...rest) => events.push([event.type, nameOf(event), ws.readyState, ...rest]);
  ws.onopen = (event) => log(event, ws.protocol, ws.extensions);
  ws.onmessage = (event) => log(event, event.data, event.origin === new URL(ws.url).origin);
  ws.onerror = (event) => log(event);
  const closed = new Promise((resolve) => {
    ws.onclose = (event) => resolve(log(event, event.code, event.reason, event.wasClean));
  });
  return { events, closed };
}

const heard = (ws, type) => new Promise((resolve) => ws.addEventListener(type, resolve, { once: true }));

/** Tells a raw server to go on, by another connection. */
const goOn = (raw) => heard(new WebSocket(raw), "open");

const uses = {
  async messages({ WebSocket }, url) {
    const ws = new WebSocket(url, ["v2.chat", "v1.chat"]);
    const { events, closed } = watched(ws);
    const early = [ws.url, ws.binaryType, thrown(() => ws.send("early"))];
    await heard(ws, "open");
    const sent = [
      "Hello",
      "",
      "Grüße, 你好 😀",
      "\ud800",
      new Blob(["blob"]),
      Uint8Array.of(0, 255),
      new ArrayBuffer(2),
    ];
    for (const data of sent) {
      ws.binaryType = data instanceof Blob ? "blob" : "arraybuffer";
      ws.send(data);
      await heard(ws, "message");
    }
    ws.close(4321, "théière");
    const before = ws.bufferedAmount;
    const late = [ws.readyState, thrown(() => ws.send("late")), ws.bufferedAmount - before];
    await closed;
    for (const event of events) if (event[0] === "message") event[3] = await shown(event[3]);
    return { early, events, late, end: [ws.readyState, ws.bufferedAmount] };
  },

  async endings({ WebSocket }, url) {
    const endings = [];
    for (const code of [1000, 1001, 1011, 3000, 4999, "nothing"]) {
      const ws = new WebSocket(url);
      const { events, closed } = watched(ws);
      await heard(ws, "open");
      ws.send(`/close ${code}`);
      await closed;
      endings.push(events);
    }
    return endings;
  },

  async closing({ WebSocket }, url) {
    const ws = new WebSocket(url);
    const { events, closed } = watched(ws);
    await heard(ws, "open");
    const codes = [0, 999, 1001, 1005, 2999, 5000, 65_536 + 1000, "x", NaN, null];
    const refused = codes.map((code) => thrown(() => ws.close(code)));
    refused.push(thrown(() => ws.close(1000, "é".repeat(62))));
    // Chromium takes an undefined code for 0; the standard takes it for none.
    ws.close(1000, "why");
    ws.close(3000, "too late");
    await closed;
    return { refused, events };
  },

  async refused({ WebSocket }, url) {
    const { events, closed } = watched(new WebSocket(`${url}elsewhere`));
    await closed;
    return events;
  },

  /** There is nothing at that port. */
  async unreachable({ WebSocket }, url) {
    const { events, closed } = watched(new WebSocket(url.replace(/:\d+/, ":0")));
    await closed;
    return events;
  },

  /** The server takes none of the subprotocols. */
  async disagreed({ WebSocket }, url) {
    const ws = new WebSocket(url, ["v9.chat"]);
    const { events, closed } = watched(ws);
    void heard(ws, "open").then(() => ws.close());
    await closed;
    return { events };
  },

  /** Before it is open. */
  async givenUp({ WebSocket }, url) {
    const ws = new WebSocket(url);
    const { events, closed } = watched(ws);
    ws.close();
    const { readyState } = ws;
    await closed;
    return { readyState, events };
  },

  making({ WebSocket }) {
    const { host } = location;
    const urls = [`ws://${host}/#`, "ftp://x", "ws://", "ws://x:99999", "mailto:a@b", "wss://x y/"];
    const refused = urls.map((url) => thrown(() => new WebSocket(url)));
    const subprotocols = ["", "a b", ["a", "a"], "a,b", [""]];
    refused.push(...subprotocols.map((protocols) => thrown(() => new WebSocket(`ws://${host}`, protocols))));
    refused.push(
      thrown(() => WebSocket("ws://x")),
      thrown(() => new WebSocket()),
    );
    return {
      refused,
      shape: [
        WebSocket.length,
        WebSocket.name,
        String(WebSocket.prototype),
        WebSocket.OPEN,
        WebSocket.prototype.CLOSED,
      ],
      relative: ["/chat", "?a", "http://127.0.0.1:1/x", "HTTPS://127.0.0.1:1"].map((url) => new WebSocket(url).url),
    };
  },

  /** What is sent once the peer has begun to close. */
  async late({ WebSocket }, _, raw) {
    const ws = new WebSocket(raw);
    const { events, closed } = watched(ws);
    await heard(ws, "open");
    while (ws.readyState === WebSocket.OPEN) await new Promise((resolve) => setTimeout(resolve, 1));
    const before = ws.bufferedAmount;
    const late = [ws.readyState, thrown(() => ws.send("late")), ws.bufferedAmount - before];
    await goOn(raw);
    await closed;
    return { late, events, left: ws.bufferedAmount };
  },

  async streams({ WebSocketStream }, url) {
    const stream = new WebSocketStream(url, { protocols: ["v1.chat"] });
    const { readable, writable, protocol, extensions } = await stream.opened;
    const writer = writable.getWriter();
    const reader = readable.getReader();
    const echoes = [];
    for (const data of ["Hello", "Grüße", Uint8Array.of(1, 2), new ArrayBuffer(3)]) {
      await writer.write(data);
      const { value } = await reader.read();
      echoes.push(typeof value === "string" ? value : [...new Uint8Array(value)]);
    }
    const refused = [rejection(writer.write(Symbol("no"))).then(([name]) => name)];
    stream.close({ closeCode: 3001, reason: "enough" });
    const { closeCode, reason } = await stream.closed;
    const { done } = await reader.read();
    return {
      url: stream.url,
      protocol,
      extensions,
      echoes,
      refused: await Promise.all(refused),
      closeCode,
      reason,
      done,
    };
  },

  async streamEndings({ WebSocketStream }, url) {
    const endings = [];
    for (const code of [1000, 1001, 4999, "terminate"]) {
      const stream = new WebSocketStream(url);
      const { readable, writable } = await stream.opened;
      await writable.getWriter().write(`/close ${code}`);
      const closed = await Promise.allSettled([stream.closed]);
      endings.push(
        closed.map(({ status, value, reason }) => [status, (value ?? reason).closeCode, (value ?? reason).reason]),
      );
      endings.push(await rejection(readable.getReader().read()));
    }
    const refused = new WebSocketStream(`${url}elsewhere`);
    endings.push((await Promise.all([rejection(refused.opened), rejection(refused.closed)])).map(([name]) => name));
    const signal = AbortSignal.abort();
    const aborted = new WebSocketStream(url, { signal });
    endings.push((await Promise.all([rejection(aborted.opened), rejection(aborted.closed)])).map(([name]) => name));
    endings.push(
      thrown(() => new WebSocketStream("ftp://x")),
      thrown(() => new WebSocketStream(url, { protocols: ["a", "a"] })),
    );
    return endings;
  },

  /** Hybi's own options in the second place; browsers get it, for `protocols`. */
  async bag({ WebSocket }, url) {
    const ws = new WebSocket(url, { protocols: ["v2.chat", "v1.chat"], maxLength: 5 });
    await heard(ws, "open");
    const { protocol } = ws;
    ws.send("longer");
    const { error } = await heard(ws, "error");
    const refused = [{ headers: {} }, { tls: {} }, { dial: () => undefined }, { protocol: "v1.chat" }].map(
      (options) => {
        try {
          return new WebSocket(url, options);
        } catch (error) {
          return error.code;
        }
      },
    );
    return { protocol, code: error.code, refused };
  },
};

globalThis.faces = { use: (name, whose, url, raw) => uses[name](classes[whose], url, raw) };
document.documentElement.dataset.ready = "";
