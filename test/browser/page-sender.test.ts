import { afterEach, beforeEach, expect, it, vi, type Mock } from "vitest";
import { PageSender } from "../../src/browser/page-sender.ts";
import { settingsOf } from "../../src/browser/settings.ts";
import type { ClientOptions } from "../../src/index.ts";
import { ScriptedSocket } from "./scripted-socket.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A sender, the WebSocket that it has to ask what has left, and how often it said that the peer has caught up. */
function sending(options: ClientOptions = {}): { sender: PageSender; socket: ScriptedSocket; caughtUp: Mock } {
  const caughtUp = vi.fn();
  const sender = new PageSender(settingsOf(options), { caughtUp });
  const socket = new ScriptedSocket("", []);
  sender.attach(socket);
  return { sender, socket, caughtUp };
}

it("calls each back, in order, once the browser has sent it", () => {
  const { sender, socket } = sending();
  const told: number[] = [];
  for (let i = 0; i < 4; i++) {
    sender.send(i % 2 ? "€" : new Uint8Array(3));
    if (i !== 2) sender.wrote(() => told.push(i));
    else sender.wrote();
  }
  expect([sender.bufferedAmount, sender.bufferedFrames]).toEqual([12, 4]);
  for (const [left, expected, frames] of [
    [12, [], 4],
    [10, [], 4],
    [9, [0], 3],
    [4, [0, 1], 2],
    [3, [0, 1], 1],
    [0, [0, 1, 3], 0],
  ] as const) {
    socket.bufferedAmount = left;
    vi.advanceTimersByTime(64);
    expect([told, sender.bufferedFrames]).toEqual([expected, frames]);
  }
  expect(vi.getTimerCount()).toBe(0);
});

it("asks the browser at once after something has left, and ever less often while nothing does", () => {
  const { sender, socket } = sending();
  const timer = vi.spyOn(globalThis, "setTimeout");
  const waits = (): unknown[] => timer.mock.calls.splice(0).map(([, ms]) => ms);
  sender.send("abc");
  sender.wrote(() => undefined);
  // Only who waits has it ask, and one question is enough for all.
  sender.wrote(() => undefined);
  expect(waits()).toEqual([1]);
  for (let i = 0; i < 8; i++) vi.advanceTimersToNextTimer();
  expect(waits()).toEqual([2, 4, 8, 16, 32, 64, 64, 64]);
  socket.bufferedAmount = 1;
  vi.advanceTimersToNextTimer();
  expect(waits()).toEqual([1]);
  socket.bufferedAmount = 0;
  vi.advanceTimersToNextTimer();
  expect([waits(), vi.getTimerCount()]).toEqual([[], 0]);
  timer.mockRestore();
});

it("asks nothing when nobody waits, and keeps nothing", () => {
  const { sender, socket } = sending({ maxQueuedMessages: 3 });
  for (let i = 0; i < 5; i++) {
    socket.bufferedAmount = 0;
    sender.send("abc");
    expect(sender.wrote()).toBe(true);
  }
  socket.bufferedAmount = 0;
  expect([vi.getTimerCount(), sender.bufferedFrames, sender.isBehind]).toEqual([0, 0, false]);
});

it.each([
  ["bytes", { highWaterMark: 9 }, 4],
  ["bytes, if its queue takes no more,", { maxQueuedBytes: 9 }, 4],
  ["messages", { maxQueuedMessages: 3 }, 3],
])("is behind from so many %s on, until half of them are left", (_what, options, left) => {
  const { sender, socket, caughtUp } = sending(options);
  const send = (): boolean => {
    sender.send("abc");
    return sender.wrote();
  };
  expect([send(), send(), sender.isBehind, send(), sender.isBehind]).toEqual([true, true, false, false, true]);
  socket.bufferedAmount = left + 1;
  vi.advanceTimersByTime(1000);
  expect([sender.isBehind, caughtUp.mock.calls.length]).toEqual([true, 0]);
  socket.bufferedAmount = left;
  vi.advanceTimersByTime(1000);
  expect([sender.isBehind, caughtUp.mock.calls.length, vi.getTimerCount()]).toEqual([false, 1, 0]);
});

it.each([{ maxQueuedBytes: 0 }, { maxQueuedMessages: 1 }])(
  "is not behind with %j when all has left at once",
  (options) => {
    const { sender, socket } = sending(options);
    socket.send = () => undefined;
    for (let i = 0; i < 2; i++) {
      sender.send("abc");
      expect(sender.wrote(() => undefined)).toBe(true);
    }
    expect(sender.abandon()).toEqual([]);
  },
);

it("tells, once it is closed, what had left and what had not", () => {
  const { sender, socket } = sending({ highWaterMark: 3 });
  const left = vi.fn();
  const lost = [vi.fn(), vi.fn(), vi.fn()];
  for (const callback of [left, ...lost]) {
    sender.send("abc");
    sender.wrote(callback);
  }
  socket.bufferedAmount = 9;
  expect(sender.abandon()).toEqual(lost);
  expect([left.mock.calls, ...lost.map(({ mock }) => mock.calls)]).toEqual([[[]], [], [], []]);
  expect([sender.isBehind, sender.bufferedAmount, sender.bufferedFrames, vi.getTimerCount()]).toEqual([false, 0, 0, 0]);
});

it("is caught up only once, after each time that it was behind", () => {
  const { sender, socket, caughtUp } = sending({ highWaterMark: 4 });
  for (let i = 1; i <= 2; i++) {
    sender.send("abcd");
    expect(sender.wrote()).toBe(false);
    socket.bufferedAmount = 3;
    vi.advanceTimersByTime(64);
    expect(caughtUp).toHaveBeenCalledTimes(i - 1);
    socket.bufferedAmount = 2;
    vi.advanceTimersByTime(1000);
    expect([sender.isBehind, vi.getTimerCount()]).toEqual([false, 0]);
    expect(caughtUp).toHaveBeenCalledTimes(i);
    socket.bufferedAmount = 0;
  }
});
