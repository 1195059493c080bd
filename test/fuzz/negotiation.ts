import * as fc from "fast-check";
import { HybiError } from "../../src/errors.ts";
import {
  confirmExtensions,
  negotiate,
  parseExtensions,
  serializeExtensions,
  type Extension,
  type ExtensionOffer,
  type ExtensionParameter,
} from "../../src/protocol/extension.ts";
import { parseSubprotocols, selectSubprotocol } from "../../src/protocol/subprotocol.ts";
import { same } from "../helpers/decoding.ts";
import { property } from "./property.ts";

const words = ["foo", "bar", "x-webkit", "constructor", "__proto__", "permessage-deflate", "client_max_window_bits", "15", "08", "-1"]; // prettier-ignore
const anyWord = fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...words) }, fc.string({ maxLength: 6 }));
const anySpace = fc.constantFrom("", "", "", " ", "\t ", "  ");
/** Mostly a list of offers, of which any piece may be wrong. */
const anyList = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constantFrom(",", ";", "=", ", ", "; ", ",,", ""), anySpace, anyWord).map((parts) => parts.join("")),
      fc.tuple(anySpace, fc.constantFrom("=", " = "), anyWord).map(([space, is, word]) => `${space}${is}"${word}"`),
      fc.constantFrom('="a\\b"', '="\\', '"', '\\"', '="a b"', '=" a"', '="a "', '=""', "\0", "\xe9", "\r\n", "\u0141"),
    ),
    { maxLength: 8 },
  )
  .chain((parts) => fc.tuple(anySpace, anyWord, fc.shuffledSubarray(parts, { minLength: parts.length }), anySpace))
  .map(([before, first, parts, after]) => before + first + parts.join("") + after);
/** About as many elements, or characters, as a list may have. */
const anyLongText = fc.oneof(
  fc
    .tuple(
      fc.constantFrom("", "foo", "foo; bar"),
      fc.constantFrom(",", ", ", ";a", ",foo"),
      fc.integer({ min: 97, max: 101 }),
    )
    .map(([start, unit, count]) => start + unit.repeat(count)),
  fc
    .tuple(
      fc.constantFrom("", "foo", 'foo;a="', "foo;a="),
      fc.string({ unit: fc.constantFrom(...'a;,= \\"'), minLength: 1, maxLength: 3 }),
      fc.integer({ min: 8189, max: 8195 }),
    )
    .map(([start, unit, length]) => `${start}${unit.repeat(length)}`.slice(0, length)),
);
const anyText = fc.oneof(
  { weight: 20, arbitrary: anyList },
  { weight: 4, arbitrary: fc.string({ unit: fc.constantFrom(...'ab;,= \t"\\\0\xe9'), maxLength: 30 }) },
  { weight: 2, arbitrary: anyLongText },
);

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** RFC 6455 §9.1, with the limits of a list, over the pieces that the text falls into. */
function modelOf(text: string): ExtensionOffer[] | undefined {
  const pieces = text.match(/"(?:\\[^]|[^"\\])*"|[!#$%&'*+\-.^_`|~0-9A-Za-z]+|[,;=]|[ \t]+|[^]/g) ?? [];
  const meaningful = pieces.filter((piece) => !/^[ \t]+$/.test(piece));
  const elements: string[][] = [[]];
  for (const piece of meaningful) {
    if (piece === ",") elements.push([]);
    else elements.at(-1)!.push(piece);
  }
  const offers: ExtensionOffer[] = [];
  let count = elements.length;
  for (const element of elements.filter(({ length }) => length > 0)) {
    const [name, ...others] = element;
    const parameters: ExtensionParameter[] = [];
    while (others.length > 0) {
      count++;
      if (others.shift() !== ";") return undefined;
      const parameter = others.shift() ?? "";
      let value: string | true = true;
      if (others[0] === "=") {
        const raw = others.splice(0, 2)[1] ?? "";
        value = /^".*"$/s.test(raw) && raw.length > 1 ? raw.slice(1, -1).replace(/\\([^])/g, "$1") : raw;
      }
      if (!TOKEN.test(parameter) || (value !== true && !TOKEN.test(value))) return undefined;
      parameters.push([parameter, value]);
    }
    if (!TOKEN.test(name!)) return undefined;
    offers.push({ name: name!, parameters });
  }
  return text.length > 8192 || count > 100 || offers.length === 0 ? undefined : offers;
}

/** An extension that takes any offer but one with the parameter `bar`; `open` counts the sessions that are not closed. */
function extension(name: string, rsv: number, open: { count: number }): Extension {
  const session = () => {
    open.count++;
    return {
      rsv,
      encode: () => undefined,
      decode: (_: number, data: Uint8Array) => data,
      close: () => {
        open.count--;
      },
    };
  };
  const fits = (offer: ExtensionOffer): boolean => offer.parameters.every(([key]) => key !== "bar");
  return {
    name,
    offer: () => [{ name, parameters: [] }],
    accept(offers) {
      const response = offers.find(fits);
      return response && { response, session: session() };
    },
    confirm(response) {
      if (!fits(response)) throw new HybiError("ERR_HANDSHAKE_RESPONSE", "bar");
      return session();
    },
  };
}

const anyConfigured = fc.uniqueArray(fc.tuple(fc.constantFrom(...words), fc.constantFrom(0x40, 0x20, 0x10, 0)), {
  selector: ([name]) => name,
  maxLength: 4,
});

export const extensions = property(
  "extensions: the model's grammar, a sound negotiation",
  2000,
  fc.tuple(anyText, anyConfigured),
  ([text, configured]) => {
    const offers = parseExtensions(text);
    same(offers, modelOf(text), "parser and model");
    if (!offers) return;
    // What is written has its spaces, so that it may be longer.
    const written = serializeExtensions(offers);
    if (written.length <= 8192) same(parseExtensions(written), offers, "written and read again");

    const open = { count: 0 };
    const known = configured.map(([name, rsv]) => extension(name, rsv, open));
    const { responses, sessions } = negotiate(offers, known);
    same(open.count, sessions.length, "sessions left open");
    const names = responses.map(({ name }) => name);
    const inOrder = [...new Set(offers.map(({ name }) => name))].filter((name) => names.includes(name));
    same(names, inOrder, "in the client's order, each once");
    for (const response of responses) same(offers.includes(response), true, "one of the offers");
    same(
      sessions.reduce((sum, { rsv }) => sum + rsv, 0),
      sessions.reduce((bits, { rsv }) => bits | rsv, 0),
      "bits apart",
    );
    const byName = new Map(configured);
    same(
      sessions.map(({ rsv }) => rsv),
      names.map((name) => byName.get(name)),
      "sessions of the responses",
    );

    open.count = 0;
    try {
      const confirmed = confirmExtensions(offers, known);
      same(open.count, confirmed.length, "sessions left open");
      same(
        confirmed.map(({ rsv }) => rsv),
        offers.map(({ name }) => byName.get(name)),
        "sessions of the offers",
      );
    } catch (error) {
      if (!(error instanceof HybiError)) throw error;
      same([error.code, open.count], ["ERR_HANDSHAKE_RESPONSE", 0], "a refused response");
    }
  },
);

export const subprotocols = property(
  "subprotocols: the model's list, the client's first",
  1000,
  fc.tuple(anyText, fc.array(fc.constantFrom(...words), { maxLength: 4 })),
  ([text, accepted]) => {
    const parts = text.split(",");
    const names = parts.map((part) => part.replace(/^[ \t]+|[ \t]+$/g, "")).filter((part) => part !== "");
    const isList = names.length > 0 && names.every((name) => TOKEN.test(name)) && new Set(names).size === names.length;
    const offered = parseSubprotocols(text);
    same(offered, isList && parts.length <= 100 && text.length <= 8192 ? names : undefined, "parser and model");
    if (!offered) return;
    same(selectSubprotocol(offered, accepted), names.filter((name) => accepted.includes(name))[0], "the choice");
    same(parseSubprotocols(offered.join(", ")), offered, "written and read again");
  },
);
