// The rows C01 to C11 of "Cancellation", for coroutines. async_function_test.ts has async functions.
import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  currentTask,
  sleep,
  wait,
} from "../../../loop/mod.ts";
import { caughtBy, runVirtual } from "../_test_loop.ts";

/** The message of a `CancelledError`; fails for any other value. */
function messageOf(error: unknown): string {
  assertInstanceOf(error, CancelledError);
  return error.message;
}

Deno.test("C01 Task.cancel() cancels the awaited future at once and the task when it wakes", async () => {
  await runVirtual(function* (loop) {
    const future = loop.createFuture<void>();
    let inner: unknown = null;
    const task = createTask(function* () {
      try {
        yield* future;
      } catch (error) {
        inner = error;
        throw error;
      }
    });
    yield* sleep(0);

    assertEquals(task.cancel("msg"), true);
    assertEquals(future.cancelled(), true);
    assertEquals(task.done(), false);
    assertEquals(task.cancelled(), false);
    assertEquals(task.cancelling(), 1);

    const outer = yield* caughtBy(task);
    assertEquals(messageOf(inner), "msg");
    assertEquals(messageOf(outer), "msg");
    assertEquals(task.cancelled(), true);
    assertEquals(task.cancel(), false);
    assertEquals(task.cancelling(), 1);
  });
});

Deno.test("C02 a task cancelled before its first step never runs its body", async () => {
  await runVirtual(function* () {
    const log: string[] = [];
    // deno-lint-ignore require-yield -- its body is what must not run.
    function* body(): Coroutine<void> {
      log.push("ran");
    }
    const tasks = [
      createTask(body()),
      createTask(body),
      createTask(() => void log.push("ran")),
      createTask(() => Promise.resolve(log.push("ran"))),
    ];
    for (const task of tasks) task.cancel("early");

    for (const task of tasks) {
      assertEquals(messageOf(yield* caughtBy(task)), "early");
      assertEquals(task.cancelled(), true);
    }
    assertEquals(log, []);
  });
});

Deno.test("C03 a coroutine that swallows the cancellation finishes with its result", async () => {
  await runVirtual(function* () {
    const task = createTask(function* () {
      try {
        yield* sleep(10);
      } catch (error) {
        messageOf(error);
      }
      return "v";
    });
    yield* sleep(0);

    task.cancel();

    assertEquals(yield* task, "v");
    assertEquals(task.cancelled(), false);
    assertEquals(task.cancelling(), 1);
  });
});

Deno.test("C04 Task.uncancel() counts down and never below zero", async () => {
  await runVirtual(function* () {
    const task = createTask(function* () {
      yield* sleep(10);
    });
    yield* sleep(0);

    assertEquals([task.cancel(), task.cancel()], [true, true]);
    assertEquals(task.cancelling(), 2);
    assertEquals([task.uncancel(), task.uncancel(), task.uncancel()], [1, 0, 0]);

    // The sleep was cancelled before the count went down, so the error arrives all the same.
    messageOf(yield* caughtBy(task));
    assertEquals(task.cancelling(), 0);
  });
});

Deno.test("C04 of two cancels before the wake-up, the one that reached the future is delivered", async () => {
  await runVirtual(function* (loop) {
    const task = createTask(function* () {
      yield* loop.createFuture();
    });
    yield* sleep(0);

    task.cancel("first");
    task.cancel("second");

    assertEquals(messageOf(yield* caughtBy(task)), "first");
  });
});

Deno.test("C05 a cancel between the result and the wake-up wins, and the future keeps its value", async () => {
  await runVirtual(function* (loop) {
    const future = loop.createFuture<string>();
    const task = createTask(function* () {
      return yield* future;
    });
    yield* sleep(0);

    future.setResult("value");
    assertEquals(task.cancel("late"), true);

    assertEquals(messageOf(yield* caughtBy(task)), "late");
    assertEquals(future.result(), "value");
    assertEquals(future.cancelled(), false);
  });
});

Deno.test("C05 a cancel between the error and the wake-up wins, and the error is not reported", async () => {
  await runVirtual(function* (loop) {
    const future = loop.createFuture<string>();
    const task = createTask(function* () {
      return yield* future;
    });
    yield* sleep(0);

    future.setException(new Error("planted"));
    task.cancel();

    messageOf(yield* caughtBy(task));
    yield* sleep(10);
    assertEquals(loop.takeMessages(), []);
  });
});

Deno.test("C06 a task that cancels itself passes a done future, and ends cancelled in spite of its result", async () => {
  await runVirtual(function* (loop) {
    const done = loop.createFuture<number>();
    done.setResult(1);
    let passed = false;
    const task = createTask(function* () {
      currentTask()?.cancel("x");
      yield* done;
      passed = true;
      return 12;
    });

    assertEquals(messageOf(yield* caughtBy(task)), "x");
    assertEquals(passed, true);
    assertEquals(task.cancelled(), true);
    assertEquals(task.cancelling(), 1);
  });
});

Deno.test("C06 a task that cancels itself gets the error at the next wait that suspends", async () => {
  await runVirtual(function* (loop) {
    const log: string[] = [];
    function* selfCancelling(wait: () => Iterable<unknown>): Coroutine<void> {
      currentTask()?.cancel("y");
      try {
        yield* wait();
      } catch (error) {
        log.push(messageOf(error));
        throw error;
      }
    }
    for (const wait of [() => sleep(0), () => sleep(5), () => loop.createFuture()]) {
      const task = createTask(selfCancelling(wait));
      assertEquals(messageOf(yield* caughtBy(task)), "y");
      assertEquals(task.cancelled(), true);
    }
    assertEquals(log, ["y", "y", "y"]);
    assertEquals(loop.time(), 0);
  });
});

Deno.test("C07 cancelling a task cancels the task it awaits, whose value it gets if that refuses", async () => {
  await runVirtual(function* () {
    let seen = "";
    const inner = createTask(function* () {
      try {
        yield* sleep(10);
      } catch (error) {
        seen = messageOf(error);
      }
      return "inner-value";
    });
    const outer = createTask(function* () {
      return yield* inner;
    });
    yield* sleep(0);
    yield* sleep(0);

    outer.cancel("m");

    assertEquals(yield* outer, "inner-value");
    assertEquals(seen, "m");
    assertEquals(outer.cancelled(), false);
    assertEquals(outer.cancelling(), 1);
    assertEquals(inner.cancelling(), 1);
  });
});

Deno.test("C08 Task.uncancel() to zero takes back a cancel that was not delivered yet", async () => {
  await runVirtual(function* (loop) {
    const future = loop.createFuture<number>();
    const task = createTask(function* () {
      return yield* future;
    });
    yield* sleep(0);

    future.setResult(42);
    task.cancel();
    assertEquals(task.uncancel(), 0);

    assertEquals(yield* task, 42);
  });
});

/** Logs "1" and "2" in nested finally blocks; the inner one waits. */
function* nested(log: unknown[]): Coroutine<void> {
  try {
    try {
      yield* sleep(10);
    } finally {
      log.push(1);
      log.push(`cancelling ${currentTask()?.cancelling()}`);
      yield* sleep(5);
      log.push("cleanup completed");
    }
  } finally {
    log.push(2);
  }
}

Deno.test("C09 finally blocks run from the inside out and may wait", async () => {
  await runVirtual(function* (loop) {
    const log: unknown[] = [];
    const task = createTask(nested(log));
    yield* sleep(1);

    task.cancel();

    messageOf(yield* caughtBy(task));
    assertEquals(log, [1, "cancelling 1", "cleanup completed", 2]);
    assertEquals(loop.time(), 6);
  });
});

Deno.test("C10 a second cancel interrupts the wait of a finally block", async () => {
  await runVirtual(function* (loop) {
    const log: unknown[] = [];
    const task = createTask(nested(log));
    yield* sleep(1);

    task.cancel("first");
    yield* sleep(1);
    assertEquals(task.cancel("second"), true);

    assertEquals(messageOf(yield* caughtBy(task)), "second");
    assertEquals(log, [1, "cancelling 1", 2]);
    assertEquals(task.cancelling(), 2);
    assertEquals(loop.time(), 2);
  });
});

Deno.test("C11 two cancels during one sleep(0) deliver one error", async () => {
  await runVirtual(function* () {
    const log: unknown[] = [];
    const task = createTask(function* () {
      try {
        yield* sleep(0);
      } catch {
        log.push("C");
      }
      log.push(1);
      yield* sleep(0);
      log.push(2);
    });
    yield* sleep(0);

    task.cancel();
    task.cancel();
    yield* task;

    assertEquals(log, ["C", 1, 2]);
    assertEquals(task.cancelling(), 2);
  });
});

Deno.test("Task.cancel() of a bare yield throws at that yield", async () => {
  await runVirtual(function* () {
    let caught: unknown = null;
    const task = createTask(function* () {
      try {
        yield;
      } catch (error) {
        caught = error;
      }
    });
    yield* sleep(0);

    task.cancel("at a bare yield");
    yield* task;

    assertEquals(messageOf(caught), "at a bare yield");
  });
});

Deno.test("Task.cancel() gives its message to the first who asks, as CPython does", async () => {
  await runVirtual(function* () {
    const task = createTask(function* () {
      yield* sleep(10);
    });
    yield* sleep(0);
    task.cancel("once");

    assertEquals(messageOf(yield* caughtBy(task)), "once");
    assertEquals(messageOf(yield* caughtBy(task)), "");
  });
});

Deno.test("Task.cancel() of tasks that wait for each other in a circle ends all of them", async () => {
  await runVirtual(function* () {
    const tasks = [0, 1, 2].map((index) =>
      createTask(function* (): Coroutine<void> {
        yield* sleep(0);
        yield* tasks[(index + 1) % 3] as Iterable<unknown>;
      })
    );
    yield* sleep(1);

    tasks[0]?.cancel();
    yield* sleep(1);

    assertEquals(tasks.map((task) => task.cancelled()), [true, true, true]);
  });
});

Deno.test("Task.cancel() reaches the future at the end of a long chain of tasks", async () => {
  await runVirtual(function* (loop) {
    const future = loop.createFuture<void>();
    let last = createTask(function* () {
      yield* future;
    });
    const tasks = [last];
    for (let depth = 0; depth < 200; depth += 1) {
      const inner = last;
      last = createTask(function* () {
        yield* inner;
      });
      tasks.push(last);
    }
    yield* sleep(1);

    last.cancel("from above");

    assertEquals(future.cancelled(), true);
    assertEquals(messageOf(yield* caughtBy(last)), "from above");
    assertEquals(tasks.every((task) => task.cancelled()), true);
  });
});

Deno.test("Task.cancel() reaches the end of a chain of 50,000 tasks", async () => {
  await runVirtual(function* () {
    let innermost: string | undefined;
    let task = createTask((function* (): Coroutine<void> {
      try {
        yield* sleep(3600);
      } catch (error) {
        innermost = (error as Error).message;
        throw error;
      }
    })());
    for (let depth = 0; depth < 50_000; depth += 1) {
      const inner = task;
      task = createTask((function* (): Coroutine<void> {
        yield* inner;
      })());
    }
    yield* sleep(1);
    assertEquals(task.cancel("all of you"), true);
    assertEquals(task.cancelling(), 1);
    yield* wait([task]);
    assertEquals([task.cancelled(), innermost], [true, "all of you"]);
  });
});
