// What `npm start` runs: the echo server, and a client that says "Hi" to it. The server goes on until Ctrl-C.
import { connect } from "hybi";
import { server } from "./echo-server.mjs";

const ws = await connect(`ws://127.0.0.1:${server.address.port}/echo`);
console.log("Connected.");
ws.on("message", (message) => {
  console.log(`Got: ${message}`);
});
ws.on("close", (code) => {
  console.log(`Closed with ${code}.`);
});
ws.send("Hi");
