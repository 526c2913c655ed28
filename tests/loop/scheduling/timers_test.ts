// The rows T01 to T08 of "Timers". What needs the host's clock is in deno_clock_test.ts.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CancelledError, type Coroutine, createTask, sleep } from "../../../loop/mod.ts";
import { countIterations, runVirtual, TestLoop } from "../_test_loop.ts";

Deno.test("T01 timers fire in the order of their deadlines, and a cancelled one does not", async () => {
  const loop = new TestLoop();
  const log: number[] = [];
  loop.callLater(0.03, () => log.push(30));
  loop.callLater(0.01, () => log.push(10));
  const cancelled = loop.callLater(0.015, () => log.push(15));
  loop.callLater(0.02, () => log.push(20));
  loop.callLater(0.04, () => loop.stop());
  cancelled.cancel();

  await loop.runForever();

  assertEquals(log, [10, 20, 30]);
  loop.close();
});

Deno.test("T01 TimerHandle.when() gives the deadline, also after a cancel", () => {
  const loop = new TestLoop();
  loop.clock.advance(5);
  const timer = loop.callLater(1.5, () => {});

  timer.cancel();

  assertEquals(timer.when(), 6.5);
  assertEquals(loop.callAt(7, () => {}).when(), 7);
  loop.close();
});

Deno.test("T02 delays below zero fire at once, the earlier deadline first", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  loop.callLater(-1, () => log.push("a"));
  loop.callLater(-2, () => log.push("b"));

  await loop.runOnce();

  assertEquals(log, ["b", "a"]);
  loop.close();
});

Deno.test("T02 callLater() and callAt() refuse a delay that is not a number", () => {
  const loop = new TestLoop();
  const nothing = null as unknown as number;
  const text = "1" as unknown as number;

  assertThrows(
    () => loop.callLater(nothing, () => {}),
    TypeError,
    "delay must be a number of seconds",
  );
  assertThrows(
    () => loop.callLater(text, () => {}),
    TypeError,
    "delay must be a number of seconds",
  );
  assertThrows(() => loop.callAt(nothing, () => {}), TypeError, "when must be a number of seconds");
  assertThrows(() => loop.callLater(NaN, () => {}), RangeError, "NaN");
  assertThrows(() => loop.callAt(NaN, () => {}), RangeError, "NaN");
  loop.close();
});

Deno.test("T03 a timer can cancel another one that is due in the same iteration", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  loop.callLater(0.01, () => {
    log.push("first");
    second.cancel();
  });
  const second = loop.callLater(0.01, () => log.push("second"));
  loop.callLater(0.02, () => loop.stop());

  await loop.runForever();

  assertEquals(log, ["first"]);
  loop.close();
});

Deno.test("T04 no timer fires before its deadline", async () => {
  const loop = new TestLoop();
  const early: number[] = [];
  for (const delay of [0, 1e-9, 0.0003, 0.001, 0.0499, 0.05, 1 / 3]) {
    const timer = loop.callLater(delay, () => {
      if (loop.time() < timer.when()) early.push(delay);
    });
  }
  loop.callLater(1, () => loop.stop());

  await loop.runForever();

  assertEquals(early, []);
  loop.close();
});

Deno.test("T04 time goes on while a callback blocks, and timers due by then fire after it", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  loop.callLater(0.02, () => log.push(`timer at ${loop.time()}`));
  loop.callSoon(() => {
    loop.clock.advance(0.05);
    log.push(`blocked until ${loop.time()}`);
  });

  await loop.runReady();

  assertEquals(log, ["blocked until 0.05", "timer at 0.05"]);
  loop.close();
});

Deno.test("T05 callLater(0) and callSoon() that schedule themselves alternate", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  let count = 0;
  const tick = () => {
    const turn = count++;
    log.push(`t${turn}`);
    if (turn === 2) return loop.stop();
    loop.callSoon(() => log.push(`s${turn}`));
    loop.callLater(0, tick);
  };
  loop.callLater(0, tick);

  await loop.runForever();

  assertEquals(log, ["t0", "s0", "t1", "s1", "t2"]);
  loop.close();
});

Deno.test("T06 a very long sleep neither fires nor throws, and is cancelled cleanly", async () => {
  await runVirtual(function* (loop) {
    for (const delay of [1e9, Infinity, 2 ** 31, 3e6, Number.MAX_VALUE]) {
      const task = createTask(sleeper(delay));
      yield* sleep(60);
      assertEquals(task.done(), false);

      task.cancel();
      yield* sleep(0);
      yield* sleep(0);

      assertEquals(task.cancelled(), true);
      assertEquals(loop.statistics().timers, 0);
    }
  });

  function* sleeper(delay: number): Coroutine<void> {
    yield* sleep(delay);
  }
});

Deno.test("T07 sleep() of a negative delay takes one iteration and gives its result", async () => {
  await runVirtual(function* (loop) {
    let result = "";
    function* sleeper(): Coroutine<void> {
      result = yield* sleep(-5, "r");
    }

    assertEquals(yield* countIterations(loop, sleeper()), 1);
    assertEquals(result, "r");
  });
});

Deno.test("T07 sleep() refuses what is not a number", async () => {
  await runVirtual(() => {
    assertThrows(() => sleep(NaN), RangeError, "NaN");
    assertThrows(
      () => sleep("1" as unknown as number),
      TypeError,
      "delay must be a number of seconds",
    );
  });
});

Deno.test("T08 timers with equal deadlines fire in one iteration, in the order of creation", async () => {
  const loop = new TestLoop();
  const log: string[] = [];
  for (let index = 0; index < 8; index += 1) {
    loop.callAt(1, () => log.push(`${index} in ${loop.statistics().iterations}`));
  }
  loop.callAt(2, () => loop.stop());

  await loop.runForever();

  const iteration = log[0]?.split(" ").at(-1);
  assertEquals(log, [0, 1, 2, 3, 4, 5, 6, 7].map((index) => `${index} in ${iteration}`));
  loop.close();
});

Deno.test("sleep() outside of a loop is refused", async () => {
  await assertRejects(
    // deno-lint-ignore require-await -- an async function turns the throw into a rejection.
    async () => sleep(1),
    Error,
    "Cannot sleep: no event loop is running here",
  );
});

Deno.test("sleep() takes its time, and its timer goes when it is cancelled", async () => {
  await runVirtual(function* (loop) {
    assertEquals(yield* sleep(3600, "awake"), "awake");
    assertEquals(loop.time(), 3600);

    const future = sleep(10);
    future.cancel("enough");
    let caught: unknown = null;
    try {
      yield* future;
    } catch (error) {
      caught = error;
    }

    assertEquals(caught instanceof CancelledError && caught.message, "enough");
    assertEquals(loop.statistics().timers, 0);
    assertEquals(loop.time(), 3600);
  });
});
