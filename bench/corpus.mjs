/**
 * What the tests and the benches of DEFLATE compress: the same bytes everywhere, from a seed, of the kinds that people
 * send each other, and of the kinds that are hard on a compressor.
 *
 * @module
 */
import { readFileSync } from "node:fs";

const utf8 = new TextEncoder();

/** A source of numbers that look random and come again with the seed (xorshift, 32 bits). */
export function chance(seed = 1) {
  let state = Math.imul(seed, 0x9e3779b1) ^ 0x2545f491 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  /** An integer from 0 up to, but not including, `below`. */
  const integer = (below) => next() % below;
  return {
    integer,
    one: (choices) => choices[integer(choices.length)],
    /** One of the first more often than one of the last, as words are in a language. */
    early: (choices) => choices[Math.floor(choices.length * (integer(1000) / 1000) ** 3)],
    hex: (length) => Array.from({ length }, () => integer(16).toString(16)).join(""),
    list: (length, make) => Array.from({ length }, (_, i) => make(i)),
    bytes: (length) => Uint8Array.from({ length }, next),
  };
}

const words = (
  "the a to of and in is it that for on with as we at this be have from or not are but by an you they was will one all " +
  "when can there more if what so out up about time some them other into only over new than then these work day water " +
  "message frame server client window stream table letter number river market winter morning window garden engine " +
  "mountain question answer thousand carefully yesterday somewhere together different language important however " +
  "between although returned compressed literal distance harbour lantern orchestra whistle gravel copper meadow"
).split(" ");
const names = "Ada Grace Linus Edsger Barbara Donald Radia Ken Margaret Alan Frances Niklaus Sophie Tim".split(" ");
const rooms = "general random support releases incident-42 frontend coffee".split(" ");
const symbols = "BTC-USD ETH-USD SOL-EUR XRP-USD ADA-EUR DOGE-USD LTC-EUR AVAX-USD".split(" ");
const foreign =
  "Größe naïve señor Łódź пример вода море 日本語 東京 こんにちは 한국어 שלום مرحبا ελληνικά 😀 🚀 👩‍💻 €".split(" ");

const START = 1_764_000_000_000;

function sentence(random, from = words) {
  const length = 4 + random.integer(14);
  const text = random.list(length, () => random.early(from)).join(" ");
  return text[0].toUpperCase() + text.slice(1) + random.one([".", ".", ".", ",", "!", "?", ";"]);
}

const prose = (random, from) =>
  random.list(3 + random.integer(6), () => sentence(random, from)).join(" ") + random.one(["\n", "\n\n", " "]);

const person = (random) => {
  const id = random.integer(14);
  const name = names[id];
  return {
    id: 48_211 + 37 * id,
    name,
    avatar: `https://cdn.example.org/avatars/${id}/${(0xabc123 * (id + 1)).toString(16)}.png`,
  };
};

/** A chat message, with what such services wrap around it. */
function chat(random, i) {
  const at = new Date(START + i * 1733 + random.integer(900)).toISOString();
  return {
    type: "message.created",
    id: `msg_${random.hex(20)}`,
    seq: 100_000 + i,
    room: { id: `room_${random.integer(7)}`, name: random.one(rooms), private: random.integer(5) === 0 },
    author: {
      ...person(random),
      status: random.one(["online", "away", "busy"]),
      roles: ["member", "staff"].slice(0, 1 + random.integer(2)),
    },
    text: random.list(4 + random.integer(4), () => sentence(random)).join(" "),
    mentions: random.list(random.integer(3), () => person(random)),
    reactions: random.list(random.integer(4), () => ({
      emoji: random.one(["👍", "🎉", "👀", "heart"]),
      count: 1 + random.integer(9),
      me: random.integer(2) === 0,
    })),
    thread: random.integer(3) === 0 ? { id: `msg_${random.hex(20)}`, replies: random.integer(40) } : null,
    createdAt: at,
    editedAt: null,
    flags: { pinned: false, silent: false, urgent: random.integer(9) === 0 },
  };
}

/** A step of an order book. */
function ticker(random, i) {
  const price = 20_000 + random.integer(4000) / 100;
  const level = (sign) => (j) => [
    (price + sign * (j + 1) * 0.25 + random.integer(20) / 100).toFixed(2),
    (random.integer(900_000) / 1e5).toFixed(5),
  ];
  return {
    stream: "depth.update",
    symbol: random.one(symbols),
    seq: 900_000_000 + i * 3,
    time: START + i * 250 + random.integer(40),
    last: price.toFixed(2),
    volume: (random.integer(1e9) / 1e4).toFixed(4),
    bids: random.list(21, level(-1)),
    asks: random.list(21, level(1)),
    checksum: random.integer(2 ** 31),
  };
}

/** `count` messages of about 1 KiB of JSON, as one connection may see them one behind the other. */
export function messages(count = 200, seed = 1) {
  const random = chance(seed);
  return random.list(count, (i) => utf8.encode(JSON.stringify(i % 3 === 2 ? ticker(random, i) : chat(random, i))));
}

function html(random) {
  const rows = random.list(
    4,
    () => `    <tr class="row"><td>${random.integer(1000)}</td><td>${random.early(words)}</td></tr>\n`,
  );
  return `  <section id="s${random.integer(500)}" class="card card--${random.one(["wide", "small"])}">\n    <h2>${sentence(random)}</h2>\n    <p>${sentence(random)} <a href="/${random.early(words)}/${random.integer(99)}">${random.early(words)}</a></p>\n  </section>\n  <table>\n${rows.join("")}  </table>\n`;
}

/** Records of 32 bytes: a counter, a time, two measurements that wander, flags. */
function records(random, length) {
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let [x, y] = [20, -3];
  for (let at = 0; at + 32 <= length; at += 32) {
    x += (random.integer(100) - 50) / 1000;
    y += (random.integer(100) - 50) / 100;
    view.setUint32(at, at / 32, true);
    view.setFloat64(at + 4, START + at * 10 + random.integer(10), true);
    view.setFloat32(at + 12, x, true);
    view.setFloat64(at + 16, y, true);
    view.setUint8(at + 24, random.integer(16));
  }
  return bytes;
}

function floats(random, length) {
  const values = Float32Array.from(
    { length: length >> 2 },
    (_, i) => Math.sin(i / 40) * 100 + random.integer(100) / 1000,
  );
  return fill(length, () => new Uint8Array(values.buffer));
}

/** Pieces one behind the other, cut at `length`. */
function fill(length, piece) {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const next = piece();
    if (next.length === 0) break;
    bytes.set(next.subarray(0, length - at), at);
    at += next.length;
  }
  return bytes;
}

const fillText = (length, piece) => fill(length, () => utf8.encode(piece()));

const root = new URL("../", import.meta.url);
const ownFiles = [
  "ARCHITECTURE.md",
  "README.md",
  "bench/cases.mjs",
  "bench/corpus.mjs",
  "src/client.ts",
  "src/connection.ts",
];
let own;
/** This project's own files; text and source that people wrote. It changes as they do. */
function source() {
  own ??= ownFiles.map((name) => readFileSync(new URL(name, root), "utf8")).join("\n");
  return own;
}

/** Each kind of content, by name: `length` bytes of it. */
export const kinds = {
  chat: (length, seed) => {
    const random = chance(seed);
    let i = 0;
    return fillText(length, () => `${JSON.stringify(chat(random, i++))}\n`);
  },
  ticker: (length, seed) => {
    const random = chance(seed);
    let i = 0;
    return fillText(length, () => `${JSON.stringify(ticker(random, i++))}\n`);
  },
  prose: (length, seed) => {
    const random = chance(seed);
    return fillText(length, () => prose(random));
  },
  foreign: (length, seed) => {
    const random = chance(seed);
    return fillText(length, () => prose(random, [...foreign, ...words.slice(0, 40)]));
  },
  html: (length, seed) => {
    const random = chance(seed);
    return fillText(length, () => html(random));
  },
  source: (length, seed = 1) => {
    const text = utf8.encode(source());
    let at = Math.imul(seed - 1, 4099) % text.length;
    return fill(length, () => {
      const piece = text.subarray(at);
      at = 0;
      return piece;
    });
  },
  records: (length, seed) => records(chance(seed), length),
  floats: (length, seed) => floats(chance(seed), length),
  random: (length, seed) => chance(seed).bytes(length),
  zeros: (length) => new Uint8Array(length),
  repeats: (length, seed) => {
    const random = chance(seed);
    return fill(length, () => {
      const pattern = random.bytes(1 + random.integer(9));
      return fill(pattern.length * (1 + random.integer(300)), () => pattern);
    });
  },
  /** Every byte as often as any other, but with matches at all distances. */
  echoes: (length, seed) => {
    const random = chance(seed);
    const bytes = random.bytes(length);
    for (let at = 64; at + 300 < length; at += 20 + random.integer(300)) {
      const from = at - 1 - random.integer(Math.min(at, 40_000));
      bytes.copyWithin(at, from, from + 3 + random.integer(290));
    }
    return bytes;
  },
  /** Letters whose codes are as unlike in length as can be: each half as frequent as the one before. */
  skewed: (length, seed) => {
    const random = chance(seed);
    return Uint8Array.from({ length }, () => 64 + Math.clz32(random.integer(2 ** 31)));
  },
};

/** Lengths around which something ends: nothing, a byte, a match, a window, a stored block. */
export const lengths = [0, 1, 2, 3, 10, 257, 258, 259, 1000, 4096, 32_768, 65_535, 65_536, 65_537, 200_000];

/** Samples of every kind at each of the lengths, which are up to 1 MiB. */
export function samples(some = [0, 1, 100, 1000, 32_768, 100_000], seed = 1) {
  return Object.entries(kinds).flatMap(([kind, make]) =>
    some.map((length) => ({ name: `${kind}, ${length} bytes`, kind, bytes: make(length, seed) })),
  );
}
