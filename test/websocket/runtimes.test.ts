import { expect, it } from "vitest";
import { run, runtimes } from "../../e2e/run.ts";

const expected = `
"throws" ["TypeError","SyntaxError","SyntaxError","SyntaxError","ERR_OPTION_UNKNOWN","ERR_OPTION_UNKNOWN"]
"made" true 0 "[object WebSocket]" true "blob"
"connecting" "InvalidStateError"
"open" "open" 1 "chat" ""
"bufferedAmount" 29
"message" "ü\ufffd" true
"message" [98,108,111,98] true
"message" [2,3] true
"message" [0,0,0] true
"message" "[object Object]" true
"bufferedAmount" 0
"blob" "\\u0007"
"close throws" ["InvalidAccessError","SyntaxError"]
"close" true 3000 "done" true 3
"bufferedAmount" 4
"/bye" [["open",null,null,null],["close",4001,"bye",true]]
"/gone" [["open",null,null,null],["error",null,null,null],["close",1006,"",false]]
"/three" [["open",null,null,null],["message","1",null,null],["message","2",null,null],["message","3",null,null],["close",1005,"",true]]
"one by one" "1"
"one by one" "2"
"one by one" "3"
"refused" true "ERR_HANDSHAKE_RESPONSE" 1006 false
"stream" "chat" 4 "string"
"stream" "chat" 2 "object"
"stream" "chat" 100000 "string"
"closed" {"closeCode":4000,"reason":"bye"} {"done":true}
"written late" "InvalidStateError"
"held back" 262144 true
"all of it" 67108864 256 {"closeCode":1005,"reason":""}
"waits" true
"lost" true "WebSocketError" 1006 true
"aborted" "AbortError"
"end"
`;

it.each(runtimes)("on %s the standard's faces do the same", async (runtime) => {
  const { code, stdout, stderr } = await run(runtime, "test/websocket/programs/faces.mjs").ended;
  expect({ code, lines: stdout.split("\n"), stderr }).toEqual({
    code: 0,
    lines: expected.trimStart().split("\n"),
    stderr: "",
  });
});
