// How a client answers the bench: it connects when it is given an address, counts messages, and waits for the end when told to.
import process from "node:process";
import { sample } from "../sample.mjs";

/** @param connect - gets an address and what to call with each message; resolves to what waits for its end. */
export function run(connect) {
  let count = 0;
  let end;
  const answers = {
    async connect({ url }) {
      count = 0;
      end = await connect(url, () => count++);
      return {};
    },
    sample: () => ({ ...sample(), count }),
    async stop() {
      await end();
      return {};
    },
  };
  process.on("message", async (message) => {
    process.send(await answers[typeof message === "string" ? message : "connect"](message));
  });
  process.on("disconnect", () => process.exit());
  process.send({ pid: process.pid });
}

/** For those that have the interface of browsers. */
export const standard = (WebSocket) => (url, counted) =>
  new Promise((resolve, reject) => {
    const ws = new WebSocket(url);
    ws.binaryType = "arraybuffer";
    const closed = new Promise((done) => (ws.onclose = () => done()));
    ws.onopen = () => resolve(() => closed);
    ws.onerror = ({ error, message }) => reject(error ?? new Error(message));
    ws.onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer)) throw new Error("A message is no ArrayBuffer.");
      counted();
    };
  });
