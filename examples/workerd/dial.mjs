// An HTTP service on workerd that says "Hi" to a WebSocket server, and answers with what came back.
//
//   npx workerd serve examples/workerd/dial.capnp --socket-addr dial=127.0.0.1:5001
//   curl "http://127.0.0.1:5001/?url=ws://127.0.0.1:5000/echo"
import { connect } from "hybi";

export default {
  async fetch(request) {
    const url = new URL(request.url).searchParams.get("url") ?? "ws://127.0.0.1:5000/echo";
    try {
      await using ws = await connect(url);
      ws.send("Hi");
      return new Response(`${await ws.read()}\n`);
    } catch (error) {
      return new Response(`${error.message}\n`, { status: 502 });
    }
  },
};
