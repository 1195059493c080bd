// The clients of the soak: a number of places, in each of which one connection follows the other. What becomes of each
// depends on the seed: most talk, some are slow to read what floods them, and some are raw sockets that misbehave.
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { connect as dial } from "node:net";
import process from "node:process";
import { Client } from "hybi";
import { REQUEST } from "../request.mjs";
import { Tally, chance, compose, fault, send } from "./traffic.mjs";

/** So many dial at a time. */
const AT_ONCE = 50;
/** Milliseconds within which the server has to end what it is to end. */
const SOON = 60_000;

const tally = new Tally();
const violations = [];
let isDraining = false;
const sleepers = new Set();
/** What a wait is multiplied by, so that a short soak sees as many connections come and go. */
let pace = 1;

function violation(text) {
  tally.add("violations");
  if (violations.length < 20) violations.push(text);
}

/** Waits, but not once the places are to be emptied. */
async function pause(ms) {
  if (isDraining) return;
  await new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      sleepers.delete(wake);
      resolve();
    };
    const timer = setTimeout(wake, ms * pace);
    sleepers.add(wake);
  });
}

let dialing = 0;
const queue = [];

async function turn() {
  if (dialing >= AT_ONCE) await new Promise((resolve) => queue.push(resolve));
  dialing++;
  return () => {
    dialing--;
    queue.shift()?.();
  };
}

/** A connection, open, with all that its end will say. */
async function open(url) {
  const done = await turn();
  // How long a busy machine takes is not the question.
  const ws = new Client(url, { handshakeTimeout: 60_000, heartbeat: false });
  const errors = [];
  ws.on("error", (error) => errors.push(error));
  const closed = new Promise((resolve) => ws.on("close", (code, reason) => resolve({ code, reason })));
  const isOpen = await Promise.race([
    new Promise((resolve) => ws.on("open", () => resolve(true))),
    closed.then(() => false),
  ]);
  done();
  if (!isOpen) violation(`a client could not connect: ${errors[0]?.message}`);
  else tally.add("connections");
  return isOpen ? { ws, errors, closed } : undefined;
}

/** Talks: each message gets one answer. */
async function talk(base, random) {
  const most = 1 + random(20);
  const inFlight = 1 + random(3);
  const thinking = 1000 + random(20_000);
  const ending = ["close", "close", "close", "server", "terminate"][random(5)];
  const one = await open(ending === "server" ? `${base}/talk/${most}` : `${base}/talk`);
  if (!one) return;
  const { ws, errors, closed } = one;
  let sent = 0;
  let answered = 0;
  let isOver = false;
  let answer;
  ws.on("message", (message) => {
    const wrong = fault(message, answered);
    if (wrong) violation(`a client: ${wrong}`);
    answered++;
    answer?.();
  });
  void closed.then(() => {
    isOver = true;
    answer?.();
  });
  while (sent < most && !isOver && !isDraining) {
    send(ws, compose(sent++, random), random);
    if (sent - answered >= inFlight) await new Promise((resolve) => (answer = resolve));
    await pause(thinking);
  }
  if (ending === "terminate" && !isDraining) {
    ws.terminate();
    await closed;
    return;
  }
  while (answered < sent && !isOver) await new Promise((resolve) => (answer = resolve));
  const isServers = ending === "server" && sent === most;
  if (!isServers) void ws.close(1000, "done");
  const { code } = await closed;
  if (errors.length > 0) violation(`a client that talks: ${errors[0].message}`);
  if (answered !== sent) violation(`${answered} of ${sent} messages were answered before the close with ${code}`);
  if (code !== (isServers ? 4000 : 1000)) violation(`a client that talks was closed with ${code}`);
  tally.add("messages acknowledged", answered);
}

/** Reads slowly what it is flooded with, in order, and leaves in the middle. */
async function read(base, random) {
  const one = await open(`${base}/flood`);
  if (!one) return;
  const { ws, errors } = one;
  let left = 20 + random(200);
  let seq = 0;
  try {
    for await (const message of ws) {
      const wrong = fault(message, seq++);
      if (wrong) violation(`a slow reader: ${wrong}`);
      if (--left <= 0 || isDraining) break;
      await pause(random(400));
    }
    if (errors.length > 0) violation(`a slow reader: ${errors[0].message}`);
  } catch (error) {
    // A Ping behind megabytes that it has not read yet is answered late, and the server may give it up by then.
    if (error.code !== "ERR_CLOSED") throw error;
    tally.add("slow readers given up");
  }
  tally.add("messages read slowly", seq);
  ws.terminate();
  await one.closed;
}

// --- raw sockets

/** A frame as a client sends it, masked with zeros in the place of a key. */
function frame(first, payload, length = payload.length) {
  const head = Buffer.from([first, 0x80 | 126, length >> 8, length & 255, 0, 0, 0, 0]);
  return Buffer.concat([head, payload]);
}

/** A socket that has sent `bytes`, and what came of it. */
async function raw(base, bytes, path) {
  const done = await turn();
  const { hostname, port } = new URL(base);
  const socket = dial({ host: hostname, port: Number(port), allowHalfOpen: true });
  let response = "";
  const state = { socket, hasEnded: false, closed: undefined, opened: undefined };
  state.opened = new Promise((resolve) => {
    socket.on("data", (chunk) => {
      if (response.length < 4096) response += chunk.toString("latin1");
      if (response.includes("\r\n\r\n")) resolve();
    });
    socket.on("close", resolve);
  });
  state.ended = new Promise((resolve) => socket.on("end", resolve).on("close", resolve));
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
  if (bytes.length > 0) socket.write(bytes);
  if (path) {
    socket.write(REQUEST.replace("GET / ", `GET ${path} `));
    await state.opened;
    if (!response.startsWith("HTTP/1.1 101 ")) violation(`a raw client got ${JSON.stringify(response.slice(0, 60))}`);
  }
  done();
  return state;
}

/** A reset and nothing else: Node's `resetAndDestroy` first ends the stream. */
function reset({ socket }) {
  socket.resetAndClosing = true;
  socket.destroy();
}

/** The server has to end its side, soon. */
async function mustEnd(what, { socket, ended }) {
  const timer = setTimeout(() => violation(`the server did not end ${what}`), SOON);
  await ended;
  clearTimeout(timer);
  socket.destroy();
}

const misdeeds = {
  async "reset before a request"(base, random) {
    const one = await raw(base, REQUEST.slice(0, random(REQUEST.length - 1)));
    await pause(random(3000));
    reset(one);
  },
  async "silence in a request"(base, random) {
    await mustEnd("a silent client", await raw(base, REQUEST.slice(0, random(REQUEST.length - 1))));
  },
  async "end in a request"(base, random) {
    const one = await raw(base, REQUEST.slice(0, random(REQUEST.length - 1)));
    one.socket.end();
    await mustEnd("a request that ended", one);
  },
  async "reset in a frame"(base, random) {
    const one = await raw(base, "", "/talk");
    const bytes = frame(0x82, randomBytes(1000));
    one.socket.write(bytes.subarray(0, 1 + random(bytes.length - 1)));
    await pause(random(8000));
    reset(one);
  },
  async "end in a frame"(base, random) {
    const one = await raw(base, "", "/talk");
    const bytes = frame(0x82, randomBytes(1000));
    one.socket.end(bytes.subarray(0, random(bytes.length)));
    await mustEnd("a frame that ended", one);
  },
  async "end between fragments"(base) {
    const one = await raw(base, "", "/talk");
    one.socket.end(frame(0x02, randomBytes(5000)));
    await mustEnd("a message that ended", one);
  },
  async garbage(base, random) {
    const one = await raw(base, "", "/talk");
    await pause(random(3000));
    one.socket.write(Buffer.concat([Buffer.from([0xb0 | random(16)]), randomBytes(random(2000))]));
    one.ended.then(() => one.socket.end());
    await mustEnd("garbage", one);
  },
  async "garbage for a request"(base, random) {
    const one = await raw(base, Buffer.concat([randomBytes(1 + random(500)), Buffer.from("\r\n\r\n")]));
    one.ended.then(() => one.socket.end());
    await mustEnd("garbage for a request", one);
  },
  async "flood that nobody reads"(base, random) {
    const one = await raw(base, "", "/flood");
    one.socket.pause();
    await pause(1000 + random(15_000));
    if (random(2) === 0) reset(one);
    else one.socket.destroy();
  },
};

const names = Object.keys(misdeeds);

async function live(base, random) {
  const kind = random(100);
  if (kind < 80) return talk(base, random);
  if (kind < 85) return read(base, random);
  const name = names[random(names.length)];
  tally.add(name);
  await misdeeds[name](base, random);
}

/** One connection after the other, until the places are to be emptied. */
async function occupy(urls, seed, worker, place) {
  const random = chance(seed, worker, place);
  // Some hundreds a second come.
  await pause(4 * place + random(50));
  for (let life = 0; !isDraining; life++) {
    await live(urls[(place + life) % urls.length], chance(seed, worker, place, life));
  }
}

process.on("message", async (order) => {
  if (order === "drain") {
    isDraining = true;
    for (const wake of sleepers) wake();
    return;
  }
  const { urls, seed, worker, places } = order;
  isDraining = false;
  pace = order.pace;
  await Promise.all(Array.from({ length: places }, (_, place) => occupy(urls, seed, worker, place)));
  process.send({ counts: tally.counts, violations });
});
process.on("disconnect", () => process.exit());
