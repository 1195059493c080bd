// Connections that send at a fixed rate, whatever comes back, and how long each message takes from the moment it was
// to be sent. So what has to wait behind a pause, in the server or in here, counts with all its waiting.
import { build } from "hdr-histogram-js";
import { Crowd } from "./crowd.mjs";
import { frames } from "./frames.mjs";

/** The histograms count in tenths of a microsecond, up to ten seconds. */
const TENTHS = 10_000;
const bounds = { lowestDiscernibleValue: 1, highestTrackableValue: 1e8, numberOfSignificantValueDigits: 3 };

const microseconds = (histogram, percentile) => histogram.getValueAtPercentile(percentile) / 10;

export async function paced(order) {
  const { connections, rate } = order;
  const latencies = build(bounds);
  const delays = build(bounds);
  let isOver = false;
  let isMeasured = false;
  let sent = 0;

  const record = (histogram, from, now) => {
    if (isMeasured) histogram.recordValue(Math.min(bounds.highestTrackableValue, Math.max(1, (now - from) * TENTHS)));
  };

  /** When the message was to be sent that is that connection's next to come back. */
  const due = new Map();
  const crowd = await Crowd.open(order, frames(order), (messages, connection) => {
    const now = performance.now();
    const times = due.get(connection);
    for (let i = 0; i < messages; i++) record(latencies, times.shift(), now);
  });
  for (const connection of crowd.connections) due.set(connection, []);

  const begin = performance.now();
  const turn = () => {
    if (isOver) return;
    const now = performance.now();
    for (let at; (at = begin + (sent * 1000) / rate) <= now; sent++) {
      const connection = crowd.connections[sent % connections];
      due.get(connection).push(at);
      record(delays, at, now);
      connection.send(1);
    }
    // A timer is too coarse for this: the load keeps its core busy.
    setImmediate(turn);
  };
  turn();

  return {
    sample() {
      isMeasured = !isMeasured;
      return crowd.counted;
    },
    async stop() {
      isOver = true;
      await crowd.end(() => sent);
      const [p50, p99, p999, most] = [50, 99, 99.9, 100].map((percentile) => microseconds(latencies, percentile));
      return { rate, p50, p99, p999, most, delay: microseconds(delays, 99) };
    },
  };
}
