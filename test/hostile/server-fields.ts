import { request } from "../helpers/raw-peer.ts";
import type { PartyOptions } from "../conformance/party.ts";
import { BAD, changed, declined, refused, tokens, type Rows } from "./server-answers.ts";

const LISTED: PartyOptions = { origins: ["https://a.example", "https://b.example"] };

/** Requests that ask for what they do not get, or in lists that are none. */
export const fields = {
  "Sec-WebSocket-Protocol with 32,000 spaces, 5,000 tokens, duplicates: 400, in linear time": [
    // Over the default of the whole head, which would be 431: the list itself is to hold.
    changed("12,000 spaces", { "Sec-WebSocket-Protocol": `a${" ".repeat(12_000)}b` }, BAD),
    changed("8,000 spaces", { "Sec-WebSocket-Protocol": `a${" ".repeat(8000)}b` }, BAD),
    changed("32,000 spaces", { "Sec-WebSocket-Protocol": `a${" ".repeat(32_000)}b` }, [431]),
    changed("spaces and commas in turns", { "Sec-WebSocket-Protocol": " ,".repeat(4000) }, BAD),
    changed("commas alone", { "Sec-WebSocket-Protocol": ",".repeat(8000) }, BAD),
    changed("5,000 tokens", { "Sec-WebSocket-Protocol": tokens(5000) }, [431]),
    changed("2,000 tokens", { "Sec-WebSocket-Protocol": tokens(2000) }, BAD),
    changed("101 tokens", { "Sec-WebSocket-Protocol": tokens(101) }, BAD),
    changed("90 fields of 20 tokens", { "Sec-WebSocket-Protocol": Array<string>(90).fill(tokens(20)) }, BAD),
    changed("a duplicate", { "Sec-WebSocket-Protocol": "v1, v2, v1" }, BAD),
    changed("a duplicate in a second field", { "Sec-WebSocket-Protocol": ["v1", "v2, v1"] }, BAD),
    changed("nothing", { "Sec-WebSocket-Protocol": "" }, BAD),
    changed("a word in quotes", { "Sec-WebSocket-Protocol": '"v1"' }, BAD),
    changed("two words without a comma", { "Sec-WebSocket-Protocol": "v1 v2" }, BAD),
    declined(
      "names of objects",
      { "Sec-WebSocket-Protocol": "constructor, __proto__, toString" },
      { acceptProtocols: ["v1"] },
    ),
  ],
  "Sec-WebSocket-Extensions with names of objects, unclosed quotes, wrong window bits: 400 or declined, in linear time":
    [
      ...["constructor", "__proto__", "toString", "hasOwnProperty; constructor=1", "x-reversing; __proto__"].map(
        (value) => declined(value, { "Sec-WebSocket-Extensions": value }),
      ),
      declined("names of objects, where there are extensions", { "Sec-WebSocket-Extensions": "constructor, __proto__; __proto__=1" }, { extensions: ["reversing"] }), // prettier-ignore
      changed(
        "an unclosed quote with 4,000 escapes",
        { "Sec-WebSocket-Extensions": `a; b="${"\\c".repeat(4000)}` },
        BAD,
      ),
      changed(
        "the same closed, which is no token",
        { "Sec-WebSocket-Extensions": `a; b="${"\\c".repeat(1000)}\\,"` },
        BAD,
      ),
      changed("a quote that ends in an escape", { "Sec-WebSocket-Extensions": 'a; b="c\\' }, BAD),
      changed("thousands of unclosed quotes", { "Sec-WebSocket-Extensions": 'a; b=" '.repeat(1000) }, BAD),
      changed("thousands of semicolons", { "Sec-WebSocket-Extensions": `a${";".repeat(8000)}` }, BAD),
      changed("thousands of parameters", { "Sec-WebSocket-Extensions": `a${"; b".repeat(2500)}` }, BAD),
      changed("thousands of spaces", { "Sec-WebSocket-Extensions": `a${" ".repeat(8000)}b` }, BAD),
      changed("thousands of extensions", { "Sec-WebSocket-Extensions": tokens(1500) }, BAD),
      changed("nothing", { "Sec-WebSocket-Extensions": "" }, BAD),
      changed("a parameter without a name", { "Sec-WebSocket-Extensions": "a; =1" }, BAD),
      changed("a parameter without its value", { "Sec-WebSocket-Extensions": "a; b=" }, BAD),
      changed("an empty quote", { "Sec-WebSocket-Extensions": 'a; b=""' }, BAD),
      ...["0", "7", "16", "08", "999999999999999999999"].map((bits) =>
        declined(`window bits ${bits}`, {
          "Sec-WebSocket-Extensions": `permessage-deflate; server_max_window_bits=${bits}`,
        }),
      ),
      declined("window bits -1", { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=-1" }),
      declined("window bits without a value", {
        "Sec-WebSocket-Extensions": "permessage-deflate; server_max_window_bits",
      }),
    ],
  "a foreign Origin: 403": [
    ...Object.entries({
      "another host": "http://evil.example",
      "another port": "http://localhost:81",
      "a host that begins the same": "http://localhost.evil.example",
      "a host that ends the same": "http://evil-localhost",
      "a user that looks like the host": "http://localhost@evil.example",
      "an opaque origin": "null",
      nothing: "",
      "no origin at all": "localhost",
      "a file": "file://",
    }).map(([name, Origin]) => changed(name, { Origin }, [403])),
    changed("two of them", { Origin: ["http://localhost", "http://evil.example"] }, [403]),
    refused("one that is not in the list", request({ Origin: "https://c.example" }), [403], LISTED),
    refused(
      "one with a dot behind, which is not in the list",
      request({ Origin: "https://a.example." }),
      [403],
      LISTED,
    ),
    declined("one in the list is let in", { Origin: "https://a.example" }, LISTED),
    declined("the same host is let in", { Origin: "http://localhost" }),
  ],
  "no such path, absolute form, two slashes: 404, 400": [
    refused("no such path", request({}, "GET /other HTTP/1.1"), [404], { path: "/chat" }),
    refused("a path that goes on", request({}, "GET /chat/ HTTP/1.1"), [404], { path: "/chat" }),
    refused("a path that is written otherwise", request({}, "GET /%63hat HTTP/1.1"), [404], { path: "/chat" }),
    ...[
      "http://localhost/chat",
      "ws://evil.example/chat",
      "//evil.example",
      "//",
      "/\\evil.example",
      "*",
      "localhost:80",
      "chat",
      "?chat",
      "/chat#x",
    ].map((target) => refused(target, request({}, `GET ${target} HTTP/1.1`), BAD, { path: "/chat" })),
  ],
} satisfies Rows;
