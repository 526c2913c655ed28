import { assertEquals, assertThrows } from "@std/assert";
import { Handle, TimerHandle } from "../../../loop/mod.ts";
import { TestLoop } from "../_test_loop.ts";

Deno.test("callSoon() gives a Handle, callLater() and callAt() a TimerHandle", () => {
  const loop = new TestLoop();

  assertEquals(loop.callSoon(() => {}) instanceof Handle, true);
  assertEquals(loop.callSoon(() => {}) instanceof TimerHandle, false);
  assertEquals(loop.callLater(1, () => {}) instanceof TimerHandle, true);
  assertEquals(loop.callAt(1, () => {}) instanceof Handle, true);
  loop.close();
});

Deno.test("callSoon(), callLater() and callAt() pass their arguments on", async () => {
  const loop = new TestLoop();
  const log: unknown[] = [];
  const note = (...args: unknown[]) => log.push(args);
  loop.callSoon(note);
  loop.callSoon(note, 1, undefined, "three");
  loop.callSoonThreadsafe(note, "threadsafe");
  loop.callLater(0, note, "later");
  loop.callAt(0, note, "at");

  await loop.runOnce();

  assertEquals(log, [[], [1, undefined, "three"], ["threadsafe"], ["later"], ["at"]]);
  loop.close();
});

Deno.test("callSoon() refuses what is not a function, by its name", () => {
  const loop = new TestLoop();
  const schedule = (callback: unknown) => loop.callSoon(callback as () => void);

  assertThrows(() => schedule(null), TypeError, "expected a function, got null");
  assertThrows(() => schedule("text"), TypeError, 'expected a function, got "text"');
  assertThrows(() => schedule(new Date(0)), TypeError, "expected a function, got Date");
  loop.close();
});

Deno.test("Handle.cancel() is idempotent and lets go of the callback and its arguments", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  const handle = loop.callSoon((text) => log.push(text), "never");
  assertEquals(handle.cancelled(), false);

  handle.cancel();
  handle.cancel();
  await loop.runOnce();

  assertEquals(handle.cancelled(), true);
  assertEquals(log, []);
  loop.close();
});

Deno.test("TimerHandle.cancel() is counted once, and not at all after the timer has fired", async () => {
  const loop = new TestLoop();
  const fired = loop.callLater(0, () => {});
  const pending = [1, 2, 3].map((delay) => loop.callLater(delay, () => {}));
  await loop.runOnce();
  assertEquals(loop.statistics().timers, 3);

  fired.cancel();
  pending[1]?.cancel();
  pending[1]?.cancel();

  assertEquals(loop.statistics().timers, 2);
  loop.close();
});

Deno.test("TimerHandle that expired and is cancelled before its turn does not fire", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  loop.callLater(0, () => {
    second.cancel();
    assertEquals(loop.statistics().timers, 0);
  });
  const second = loop.callLater(0, () => log.push("second"));

  await loop.runOnce();

  assertEquals(log, []);
  assertEquals(second.cancelled(), true);
  loop.close();
});
