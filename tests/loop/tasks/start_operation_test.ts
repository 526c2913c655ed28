import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  currentTask,
  type EventLoop,
  type Future,
  InvalidStateError,
  sleep,
} from "../../../loop/mod.ts";
import { startOperation } from "../../../loop/tasks/start_operation.ts";
import { caughtBy, countIterations, runVirtual, TestLoop } from "../_test_loop.ts";

function* waitFor(future: Future<string>): Coroutine<string> {
  return yield* future;
}

/** The message of a `CancelledError`; fails for any other value. */
function messageOf(error: unknown): string {
  assertInstanceOf(error, CancelledError);
  return error.message;
}

Deno.test("startOperation() runs up to where it waits before it returns, as part of the task", async () => {
  await runVirtual(function* (loop) {
    const main = currentTask();
    const log: unknown[] = [];
    function* steps(): Coroutine<string> {
      log.push(currentTask() === main);
      yield* sleep(1);
      log.push(currentTask() === main);
      return "result";
    }

    const operation = startOperation(loop, steps());
    log.push("started");

    assertEquals(yield* operation, "result");
    assertEquals(log, [true, "started", true]);
    assertEquals(currentTask() === main, true);
  });
});

Deno.test("startOperation() costs the turns that the coroutine itself costs", async () => {
  await runVirtual(function* (loop) {
    function* steps(turns: number): Coroutine<void> {
      for (let turn = 0; turn < turns; turn += 1) yield* sleep(0);
    }
    function* started(turns: number): Coroutine<void> {
      yield* startOperation(loop, nested(turns));
    }
    function* nested(turns: number): Coroutine<void> {
      yield* startOperation(loop, steps(turns));
    }
    for (const turns of [0, 1, 3]) {
      assertEquals(yield* countIterations(loop, started(turns)), turns);
    }
  });
});

Deno.test("an operation that is done at once or failed at once is so when startOperation() returns", async () => {
  await runVirtual(function* (loop) {
    // deno-lint-ignore require-yield -- it throws.
    function* failing(): Coroutine<void> {
      throw new Error("planted");
    }
    const done = loop.createFuture<string>();
    done.setResult("done");

    assertEquals(startOperation(loop, waitFor(done)).result(), "done");
    assertEquals((startOperation(loop, failing()).exception() as Error).message, "planted");
    startOperation(loop, failing());
    yield* sleep(2);
    assertEquals(loop.takeMessages(), ["Future exception was never retrieved"]);
  });
});

Deno.test("cancelling an operation throws where it waits, through nested ones, and it may clean up", async () => {
  await runVirtual(function* (loop) {
    const log: string[] = [];
    function* inner(): Coroutine<void> {
      try {
        yield* sleep(3600);
      } finally {
        yield* sleep(1);
        log.push(`inner at ${loop.time()}`);
      }
    }
    function* outer(): Coroutine<void> {
      try {
        yield* startOperation(loop, inner());
      } finally {
        log.push("outer");
      }
    }
    const operation = startOperation(loop, outer());

    assertEquals(operation.cancel("stop"), true);
    assertEquals(operation.done(), false);

    assertEquals(messageOf(yield* caughtBy(operation)), "stop");
    assertEquals(operation.cancelled(), true);
    assertEquals(operation.cancel(), false);
    assertEquals(log, ["inner at 1", "outer"]);
  });
});

/** Who cancels: the future of the operation, or the task that waits for it. */
const CANCELLERS: Record<string, (task: Future<unknown>, operation: Future<unknown>) => boolean> = {
  "the operation": (_task, operation) => operation.cancel("late"),
  "its task": (task) => task.cancel("late"),
};

for (const [name, cancel] of Object.entries(CANCELLERS)) {
  Deno.test(`cancelling ${name} between a result and the wake-up wins`, async () => {
    await runVirtual(function* (loop) {
      const future = loop.createFuture<string>();
      const operations: Future<string>[] = [];
      const task = createTask(function* () {
        const operation = startOperation(loop, waitFor(future));
        operations.push(operation);
        return yield* operation;
      });
      yield* sleep(0);

      future.setResult("value");
      assertEquals(cancel(task, operations[0] as Future<string>), true);

      assertEquals(messageOf(yield* caughtBy(task)), "late");
      assertEquals(operations[0]?.cancelled(), true);
      assertEquals(future.result(), "value");
    });
  });
}

Deno.test("an operation whose task cancels itself gets the error at its next wait", async () => {
  await runVirtual(function* (loop) {
    const log: string[] = [];
    function* steps(): Coroutine<void> {
      yield* sleep(1);
      currentTask()?.cancel("self");
      log.push("goes on");
      try {
        yield* loop.createFuture();
      } catch (error) {
        log.push(messageOf(error));
        throw error;
      }
    }
    const task = createTask(function* () {
      yield* startOperation(loop, steps());
    });

    assertEquals(messageOf(yield* caughtBy(task)), "self");
    assertEquals(log, ["goes on", "self"]);
    assertEquals(loop.time(), 1);
  });
});

Deno.test("an operation that refuses a cancellation gives its result to a task that goes on", async () => {
  await runVirtual(function* (loop) {
    function* stubborn(): Coroutine<string> {
      messageOf(yield* caughtBy(sleep(3600)));
      return "in spite of it";
    }
    const task = createTask(function* () {
      return yield* startOperation(loop, stubborn());
    });
    yield* sleep(0);

    task.cancel();

    assertEquals(yield* task, "in spite of it");
    assertEquals([task.cancelled(), task.cancelling()], [false, 1]);
  });
});

Deno.test("an operation gives its result to every task and function that waits for it", async () => {
  await runVirtual(async (loop) => {
    const operation = startOperation(loop, waitForSleep());
    const tasks = [
      createTask(function* () {
        return yield* operation;
      }),
      createTask(async () => await operation),
    ];

    assertEquals(await Promise.all([...tasks, operation]), ["slept", "slept", "slept"]);
  });

  function* waitForSleep(): Coroutine<string> {
    return yield* sleep(1, "slept");
  }
});

Deno.test("an operation that waits for something else than a future of its loop gets an error there", async () => {
  const other = new TestLoop();
  await runVirtual(function* (loop: EventLoop) {
    for (
      const [wrong, kind] of [[42, TypeError], [other.createFuture(), InvalidStateError]] as const
    ) {
      const operation = startOperation(
        loop,
        function* (): Coroutine<void> {
          yield wrong;
        }(),
      );

      assertInstanceOf(yield* caughtBy(operation), kind);
    }
  });
  other.close();
});
