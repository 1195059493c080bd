// All the connections of a load.
import { Connection } from "./connection.mjs";

/** So many dial at a time, which no server has to turn away. */
const AT_ONCE = 100;
/** Milliseconds within which what is in flight has to come back in the end. */
const SOON = 10_000;

export class Crowd {
  connections = [];
  /** Messages that came back. */
  count = 0;
  /** What has gone wrong first. */
  error;

  /** Opens connections; `onMessages` gets how many messages came on one, and the connection. */
  static async open({ connections, ...address }, frames, onMessages) {
    const crowd = new Crowd();
    const counted = (messages, connection) => {
      crowd.count += messages;
      onMessages(messages, connection);
    };
    const failed = (error) => (crowd.error ??= error);
    while (crowd.connections.length < connections) {
      const count = Math.min(AT_ONCE, connections - crowd.connections.length);
      const opened = Array.from({ length: count }, () => Connection.open(address, frames, counted, failed));
      crowd.connections.push(...(await Promise.all(opened)));
    }
    return crowd;
  }

  /** How many messages came so far; throws what has gone wrong. */
  get counted() {
    if (this.error) throw this.error;
    return { count: this.count };
  }

  /** Waits for the last messages of `sent`, and breaks off. Throws when they do not come. */
  async end(sent) {
    for (const from = performance.now(); this.count < sent() && performance.now() - from < SOON && !this.error;)
      await new Promise((resolve) => setTimeout(resolve, 5));
    for (const connection of this.connections) connection.end();
    const { count } = this.counted;
    if (count < sent()) throw new Error(`${sent() - count} messages did not come back.`);
  }
}
