// The row G05 of "gather / wait / shield": wait().
import { assertEquals, assertThrows } from "@std/assert";
import {
  CancelledError,
  createTask,
  type EventLoop,
  type Future,
  sleep,
  wait,
  type WaitResult,
} from "../../../loop/mod.ts";
import { rejectionOf } from "../_outcome.ts";
import { caughtBy, runVirtual, TestLoop } from "../_test_loop.ts";

/** How many are done and how many pending. */
function counts({ done, pending }: WaitResult<Future<unknown>>): [number, number] {
  return [done.size, pending.size];
}

/** A task that fails after `delay` seconds. */
function failAfter(delay: number): Future<void> {
  return createTask(function* () {
    yield* sleep(delay);
    throw new Error("planted");
  });
}

Deno.test("G05 wait() for firstCompleted gives what is done then, one of two", async () => {
  await runVirtual(function* (loop) {
    const tasks = [createTask(() => sleep(1)), createTask(() => sleep(5))];
    const result = yield* wait(tasks, { returnWhen: "firstCompleted" });
    assertEquals([...counts(result), loop.time()], [1, 1, 1]);
    assertEquals([...result.done], [tasks[0]]);
  });
});

Deno.test("G05 wait() in an async function gives the same", async () => {
  await runVirtual(async (loop) => {
    const tasks = [createTask(() => sleep(1)), createTask(() => sleep(5))];
    assertEquals(counts(await wait(tasks, { returnWhen: "firstCompleted" })), [1, 1]);
    assertEquals(counts(await wait(tasks, { timeout: 1 })), [1, 1]);
    assertEquals(counts(await wait(tasks)), [2, 0]);
    assertEquals(loop.time(), 5);
  });
});

Deno.test("G05 wait() leaves what is pending at its time limit alone", async () => {
  await runVirtual(function* (loop) {
    const task = createTask(() => sleep(5, "value"));
    assertEquals(counts(yield* wait([task], { timeout: 1 })), [0, 1]);
    assertEquals([task.cancelled(), loop.time()], [false, 1]);
    assertEquals(yield* task, "value");
  });
});

Deno.test("G05 wait() with a limit of zero sees only what is done", async () => {
  await runVirtual(function* (loop) {
    const [now, later] = [loop.createFuture<void>(), loop.createFuture<void>()];
    now.setResult();
    assertEquals(counts(yield* wait([now, later], { timeout: 0 })), [1, 1]);
    assertEquals(loop.time(), 0);
  });
});

Deno.test("G05 wait() for firstException ends with the first error, and ignores a cancelled task", async () => {
  await runVirtual(function* (loop) {
    const cancelled = createTask(() => sleep(10));
    const failing = failAfter(2);
    const pending = createTask(() => sleep(10));
    loop.callLater(1, () => cancelled.cancel());

    const result = yield* wait([cancelled, failing, pending], { returnWhen: "firstException" });

    assertEquals([...result.done], [cancelled, failing]);
    assertEquals([...result.pending], [pending]);
    assertEquals(loop.time(), 2);
  });
});

Deno.test("G05 wait() for firstException without an error waits for all", async () => {
  await runVirtual(async (loop) => {
    const tasks = [createTask(() => sleep(1)), createTask(() => sleep(3))];
    assertEquals(counts(await wait(tasks, { returnWhen: "firstException" })), [2, 0]);
    assertEquals(loop.time(), 3);
  });
});

Deno.test("G05 wait() refuses no list, an empty one, coroutines, and an unknown returnWhen", async () => {
  await runVirtual((loop: EventLoop) => {
    const future = loop.createFuture<void>();
    const message = (act: () => unknown) => String(assertThrows(act));
    assertEquals(
      message(() => wait(future as never)),
      "TypeError: Cannot wait: expected a list, as in wait([a, b]), got <Future pending>",
    );
    assertEquals(message(() => wait([])), "RangeError: Cannot wait: the list of futures is empty");
    assertEquals(
      message(() => wait([future], { returnWhen: "x" as never })),
      'RangeError: Cannot wait: option "returnWhen" must be "firstCompleted" or "firstException" ' +
        'or "allCompleted", got "x"',
    );
    assertThrows(() => wait([(function* () {})() as never]), TypeError, "expected futures only");
    assertThrows(() => wait([(() => {}) as never]), TypeError, "expected futures only");
  });
});

Deno.test("G05 wait() that is cancelled cancels none of the futures", async () => {
  await runVirtual(async () => {
    const inner = createTask(() => sleep(5, "value"));
    const waits = [
      createTask(async () => await wait([inner])),
      createTask(function* () {
        return yield* wait([inner]);
      }),
    ];
    await sleep(1);
    for (const task of waits) task.cancel("m");
    for (const task of waits) {
      assertEquals(String(await rejectionOf(task)), "CancelledError: m");
    }
    assertEquals(inner.done(), false);
    assertEquals(await inner, "value");
  });
});

Deno.test("wait() gives an error as long to be looked at as if it came with the result", async () => {
  await runVirtual(async (loop) => {
    const failing = failAfter(1);
    const { done } = await wait([failing, createTask(() => sleep(10))]);
    assertEquals(loop.takeMessages(), []);
    assertEquals([...done].map((future) => future === failing && future.exception() !== null), [
      true,
      false,
    ]);
    await sleep(10);
  });
});

Deno.test("wait() does not hide an error that nobody looks at afterwards", async () => {
  await runVirtual(async (loop) => {
    await wait([failAfter(1), createTask(() => sleep(10))]);
    await sleep(0.9);
    assertEquals(loop.takeMessages(), []);
    await sleep(0.2);
    assertEquals(loop.takeMessages(), ["Task exception was never retrieved"]);

    const waiting = createTask(async () => await wait([failAfter(1), createTask(() => sleep(10))]));
    await sleep(5);
    waiting.cancel();
    await rejectionOf(waiting);
    await sleep(1.1);
    assertEquals(loop.takeMessages(), ["Task exception was never retrieved"]);
  });
});

Deno.test("EventLoop.close() reports an error that a wait() still holds", async () => {
  const loop = new TestLoop();
  await loop.runUntilComplete(async () => {
    createTask(() => wait([failAfter(1), createTask(() => sleep(100))]));
    await sleep(5);
    assertEquals(loop.takeMessages(), []);
  });
  loop.close();
  assertEquals(loop.takeMessages(), ["Task exception was never retrieved"]);
});

Deno.test("wait() gives the futures in the order given, each once", async () => {
  await runVirtual(function* () {
    const slow = createTask(() => sleep(2));
    const fast = createTask(() => sleep(1));
    const { done } = yield* wait([slow, fast, slow]);
    assertEquals([...done], [slow, fast]);
  });
});

Deno.test("wait() that is cancelled by its own future throws that cancellation", async () => {
  await runVirtual(function* () {
    const waiting = wait([createTask(() => sleep(5))]);
    waiting.cancel("own");
    const error = yield* caughtBy(waiting);
    assertEquals(String(error), "CancelledError: own");
    assertEquals(error instanceof CancelledError, true);
  });
});
