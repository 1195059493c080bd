// A WebSocket client that sends back what it gets, until the server closes. Exits with 0 after a clean close.
//
//   node examples/echo-client.mjs ws://127.0.0.1:5000/echo [--deflate]
import process from "node:process";
import { parseArgs } from "node:util";
import { connect } from "hybi";
import { permessageDeflate } from "hybi/deflate";

const { values, positionals } = parseArgs({ options: { deflate: { type: "boolean" } }, allowPositionals: true });
const [url] = positionals;

try {
  if (!url) throw new Error("Name the URL to connect to, as in ws://127.0.0.1:5000/echo");
  const ws = await connect(url, values.deflate ? { extensions: [permessageDeflate()] } : {});
  for await (const message of ws) {
    if (!ws.send(message)) await new Promise((resolve) => ws.once("drain", resolve).once("close", resolve));
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
