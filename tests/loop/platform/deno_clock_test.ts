// The host's clock. What needs no host is tested in virtual time.
import { setImmediate } from "node:timers";
import { assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import { DenoClock } from "../../../loop/platform/deno_clock.ts";
import { EventLoop, sleep } from "../../../loop/mod.ts";

/** Waits until `alarm` rings at `deadline`. */
function ringAt(clock: DenoClock, deadline: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const alarm = clock.createAlarm(() => {
    alarm.close();
    resolve(clock.now());
  });
  alarm.set(deadline);
  return promise;
}

Deno.test("DenoClock.now() counts seconds and never goes back", async () => {
  const clock = new DenoClock();
  const start = clock.now();
  const hostStart = performance.now();
  let last = start;
  for (let count = 0; count < 1000; count += 1) {
    const now = clock.now();
    assertGreaterOrEqual(now, last);
    last = now;
  }
  await new Promise((resolve) => setTimeout(resolve, 2));
  assertLess(Math.abs((clock.now() - start) - (performance.now() - hostStart) / 1000), 0.001);
});

Deno.test("DenoClock.soon() calls back after the microtasks", async () => {
  const log: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();

  new DenoClock().soon(() => {
    log.push("soon");
    resolve();
  });
  for (let hop = 0; hop < 10; hop += 1) await undefined;
  log.push("microtasks");
  await promise;

  assertEquals(log, ["microtasks", "soon"]);
});

Deno.test("an alarm rings at its deadline, in the past too", async () => {
  const clock = new DenoClock();
  for (const delay of [0.002, 0.0001, 0, -5, -Infinity]) {
    const deadline = clock.now() + delay;
    assertGreaterOrEqual(await ringAt(clock, deadline), deadline - 0.000_001);
  }
});

Deno.test("an alarm replaces its deadline, whether that moves forward or back", async () => {
  const clock = new DenoClock();
  const rung: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const start = clock.now();
  const alarm = clock.createAlarm(() => {
    rung.push(clock.now());
    alarm.close();
    resolve();
  });

  alarm.set(start + 0.001);
  alarm.set(start + 60);
  alarm.set(start + 0.004);
  await promise;

  assertEquals(rung.length, 1);
  assertGreaterOrEqual(rung[0] ?? 0, start + 0.003_999);
});

Deno.test("T06 an alarm beyond the longest delay of the host neither rings nor throws", async () => {
  const clock = new DenoClock();
  const rung: number[] = [];
  const delays = [2 ** 31 / 1000, 2 ** 31, 3e6, 1e9, Number.MAX_VALUE, Infinity];
  const alarms = delays.map((delay) => {
    const alarm = clock.createAlarm(() => rung.push(delay));
    alarm.set(clock.now() + delay);
    return alarm;
  });

  // A host timer that overflowed would fire within a millisecond.
  await ringAt(clock, clock.now() + 0.005);

  for (const alarm of alarms) alarm.close();
  assertEquals(rung, []);
});

Deno.test("an alarm that is closed rings no more and leaves no timer", async () => {
  const clock = new DenoClock();
  let rung = false;
  const alarm = clock.createAlarm(() => rung = true);
  alarm.set(clock.now() + 0.001);

  alarm.close();
  await ringAt(clock, clock.now() + 0.003);

  assertEquals(rung, false);
});

Deno.test("T04 on the host's clock no timer fires early, and they fire in order", async () => {
  const loop = new EventLoop();
  const early: number[] = [];
  const order: number[] = [];
  const start = loop.time();
  for (const delay of [0.004, 0, 0.0021, 0.0005, 0.001, 0.002]) {
    const timer = loop.callAt(start + delay, () => {
      order.push(delay);
      if (loop.time() < timer.when()) early.push(delay);
    });
  }
  loop.callLater(0.006, () => loop.stop());

  await loop.runForever();

  loop.close();
  assertEquals(early, []);
  assertEquals(order, [0, 0.0005, 0.001, 0.002, 0.0021, 0.004]);
});

Deno.test("T04 on the host's clock time goes on while a callback blocks", async () => {
  const loop = new EventLoop();
  const elapsed = await loop.runUntilComplete(function* () {
    const start = loop.time();
    loop.callSoon(() => {
      const hostStart = performance.now();
      while (performance.now() - hostStart < 50);
    });
    yield* sleep(0);
    return loop.time() - start;
  });

  assertGreaterOrEqual(elapsed, 0.049);
  loop.close();
});

Deno.test("a loop that is closed leaves nothing of the host behind", async () => {
  const loop = new EventLoop();
  loop.callLater(1e6, () => {});
  loop.callLater(0.001, () => loop.stop());
  await loop.runForever();
  loop.close();

  // The sanitizers of this test look for timers.
  await new Promise((resolve) => setImmediate(resolve));
});
