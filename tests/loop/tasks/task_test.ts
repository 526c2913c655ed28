// The rows K01 to K06 of "Tasks". K05 (a fatal exception in a task escapes the loop) has no
// counterpart: JavaScript has no SystemExit.
import { assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import {
  allTasks,
  CancelledError,
  ContextVar,
  copyContext,
  type Coroutine,
  createTask,
  currentTask,
  type EventLoop,
  getRunningLoop,
  InvalidStateError,
  isCoroutine,
  sleep,
  Task,
} from "../../../loop/mod.ts";
import { caughtBy, runVirtual, TestLoop } from "../_test_loop.ts";

function* noop(): Coroutine<void> {}

Deno.test("K01 tasks are named Task-N, counting up by one for each task without a name", async () => {
  await runVirtual(function* () {
    const first = createTask(noop());
    createTask(noop(), { name: "named" });
    const second = createTask(noop());

    assertMatch(first.getName(), /^Task-\d+$/);
    const count = Number(first.getName().slice("Task-".length));
    assertEquals(second.getName(), `Task-${count + 1}`);
    yield* sleep(0);
  });
});

Deno.test("K01 Task.setName() and the name option turn any value into a string", async () => {
  await runVirtual(function* () {
    const task = createTask(noop(), { name: 1.5 });
    assertEquals(task.getName(), "1.5");

    task.setName(123);

    assertEquals(task.getName(), "123");
    yield* task;
  });
});

Deno.test("K02 Task.setResult() and setException() are refused", async () => {
  await runVirtual(function* () {
    const task = createTask(noop(), { name: "own" });

    assertThrows(
      () => task.setResult(),
      InvalidStateError,
      'Cannot set the result of task "own"',
    );
    assertThrows(
      () => task.setException(new Error("planted")),
      InvalidStateError,
      'Cannot set the exception of task "own"',
    );
    yield* task;
  });
});

Deno.test("K02 createTask() refuses what is neither a coroutine nor a function", async () => {
  await runVirtual(() => {
    for (const body of [1, "text", null, undefined, {}, Promise.resolve()]) {
      assertThrows(
        () => createTask(body as unknown as () => void),
        TypeError,
        "Cannot create a task: expected a coroutine or a function",
      );
    }
    assertEquals(allTasks().size, 1);
  });
});

Deno.test("K02 allTasks() has the tasks that are not done, in the order of creation", async () => {
  await runVirtual(function* (loop) {
    const main = currentTask();
    const short = createTask(noop());
    const long = createTask(function* () {
      yield* sleep(10);
    });
    assertEquals([...allTasks()], [main, short, long]);

    yield* short;
    assertEquals([...allTasks(loop)], [main, long]);

    yield* long;
    assertEquals([...allTasks()], [main]);
  });
});

Deno.test("K03 a task copies the context when it is created; one that shares a context changes it", async () => {
  const variable = new ContextVar<number>("variable", { default: 0 });
  const log: number[] = [];
  await runVirtual(function* () {
    variable.set(1);
    const task = createTask(function* () {
      log.push(variable.get());
      yield* sleep(0);
      variable.set(9);
      log.push(variable.get());
    });
    variable.set(2);
    yield* task;
    log.push(variable.get());

    getRunningLoop().callSoon(() => {
      log.push(variable.get());
      variable.set(5);
    });
    yield* sleep(0);

    const context = copyContext();
    yield* createTask(
      function* () {
        variable.set(7);
        yield* sleep(0);
        log.push(variable.get());
      },
      { context },
    );
    log.push(context.get(variable) ?? NaN, variable.get());
  });
  assertEquals(log, [1, 9, 2, 2, 7, 7, 2]);
});

Deno.test("K04 an eager task runs its first step at once, as the current task", async () => {
  await runVirtual(function* () {
    const main = currentTask();
    const seen: unknown[] = [];
    // deno-lint-ignore require-yield -- it is done at once.
    function* fast(): Coroutine<string> {
      seen.push(currentTask()?.getName());
      return "result";
    }

    const task = createTask(fast(), { eager: true, name: "fast" });

    assertEquals(seen, ["fast"]);
    assertEquals(currentTask(), main);
    assertEquals(task.done(), true);
    assertEquals(task.result(), "result");
    assertEquals(task.getCoroutine(), null);
    assertEquals(allTasks().has(task), false);
    yield* sleep(0);
  });
});

Deno.test("K04 a task is eager by either name of the option", async () => {
  await runVirtual(() => {
    const starts: string[] = [];
    for (const options of [{}, { eager: true }, { eagerStart: true }, { eagerStart: false }]) {
      const name = Object.entries(options).join();
      createTask(() => void starts.push(name), options);
    }
    assertEquals(starts, ["eager,true", "eagerStart,true"]);
  });
});

Deno.test("K04 an eager task that waits goes on through the loop", async () => {
  await runVirtual(function* () {
    const log: string[] = [];
    const task = createTask(
      function* () {
        log.push("slow1");
        yield* sleep(0);
        log.push("slow2");
      },
      { eager: true },
    );
    log.push("after");

    assertEquals(task.done(), false);
    assertEquals(allTasks().has(task), true);
    yield* task;

    assertEquals(log, ["slow1", "after", "slow2"]);
  });
});

Deno.test("K04 an eager task keeps its context variables to itself", async () => {
  const variable = new ContextVar<string>("variable", { default: "outer" });
  await runVirtual(function* () {
    const bodies = [
      function* () {
        variable.set("inner");
        yield* sleep(0);
        return variable.get();
      },
      async () => {
        variable.set("inner");
        await sleep(0);
        return variable.get();
      },
    ];
    for (const body of bodies) {
      const task = createTask<string>(body as () => Coroutine<string>, { eager: true });
      assertEquals(variable.get(), "outer");
      assertEquals(yield* task, "inner");
    }
  });
});

Deno.test("K04 an eager task that throws at once is failed when createTask() returns", async () => {
  await runVirtual(() => {
    const error = new Error("planted");
    const task = createTask(() => {
      throw error;
    }, { eager: true });

    assertEquals(task.done(), true);
    assertEquals(task.exception(), error);
  });
});

Deno.test("K06 a task whose body throws CancelledError by itself is cancelled", async () => {
  await runVirtual(function* () {
    // deno-lint-ignore require-yield -- it throws.
    function* throwing(): Coroutine<void> {
      throw new CancelledError("own");
    }
    for (const body of [throwing, () => Promise.reject(new CancelledError("own"))]) {
      const task = createTask<void>(body as () => Coroutine<void>);
      const error = yield* caughtBy(task);

      assertInstanceOf(error, CancelledError);
      assertEquals(error.message, "own");
      assertEquals(task.cancelled(), true);
      assertEquals(task.cancelling(), 0);
    }
  });
});

Deno.test("Task runs a coroutine, or a function that gives one, a promise, a future or a value", async () => {
  await runVirtual(function* (loop) {
    function* body(): Coroutine<string> {
      return yield* sleep(1, "coroutine");
    }
    const future = loop.createFuture<string>();
    loop.callLater(1, () => future.setResult("future"));

    assertEquals(yield* createTask(body()), "coroutine");
    assertEquals(yield* createTask(body), "coroutine");
    assertEquals(yield* createTask(() => body()), "coroutine");
    assertEquals(yield* createTask(() => future), "future");
    assertEquals(yield* createTask(() => sleep(1, "operation")), "operation");
    assertEquals(yield* createTask(() => Promise.resolve("promise")), "promise");
    assertEquals(yield* createTask(async () => await sleep(1, "async")), "async");
    assertEquals(yield* createTask(() => "value"), "value");
    assertEquals(yield* createTask(() => undefined), undefined);
  });
});

Deno.test("Task fails with what its body throws, whatever kind of body", async () => {
  await runVirtual(function* () {
    const error = new Error("planted");
    const fail = () => {
      throw error;
    };
    const bodies: (() => unknown)[] = [
      fail,
      // deno-lint-ignore require-yield -- it throws.
      function* () {
        fail();
      },
      // deno-lint-ignore require-await -- an async function that rejects.
      async () => fail(),
      () => ({ then: fail }),
    ];
    for (const body of bodies) {
      const task = createTask(body);
      assertEquals(yield* caughtBy(task), error);
      assertEquals(task.exception(), error);
      assertEquals(task.cancelled(), false);
    }
  });
});

Deno.test("Task that yields something else than a future gets a TypeError at its yield", async () => {
  await runVirtual(function* () {
    const task = createTask(function* () {
      try {
        yield 42;
        return null;
      } catch (error) {
        return error;
      }
    });

    const error = yield* task;

    assertInstanceOf(error, TypeError);
    assertMatch(error.message, /expected a yielded future, got 42/);
  });
});

Deno.test("Task.getCoroutine() gives the coroutine until the task is done", async () => {
  await runVirtual(function* () {
    const coroutine = noop();
    const task = createTask(coroutine);
    const fromFunction = createTask(() => 1);

    assertEquals(task.getCoroutine() === coroutine, true);
    assertEquals(fromFunction.getCoroutine(), null);
    yield* task;
    assertEquals(task.getCoroutine(), null);
    yield* fromFunction;
  });
});

Deno.test("Task.awaiting() gives what the task waits for", async () => {
  await runVirtual(function* (loop) {
    const future = loop.createFuture<void>();
    const task = createTask(function* () {
      yield* future;
    });
    assertEquals(task.awaiting(), []);

    yield* sleep(0);
    assertEquals(task.awaiting().map((each) => each === future), [true]);

    future.setResult();
    yield* task;
    assertEquals(task.awaiting(), []);
  });
});

Deno.test("Task with a signal is cancelled when that aborts, also before the first step", async () => {
  await runVirtual(function* () {
    const controller = new AbortController();
    const running = createTask(function* () {
      yield* sleep(10);
    }, { signal: controller.signal });
    const finished = createTask(noop(), { signal: controller.signal });
    yield* sleep(1);

    controller.abort();
    const late = createTask(noop(), { signal: controller.signal });

    assertInstanceOf(yield* caughtBy(running), CancelledError);
    assertInstanceOf(yield* caughtBy(late), CancelledError);
    assertEquals(finished.cancelled(), false);
    assertEquals(finished.cancelling(), 0);
  });
});

Deno.test("Task.signal of a coroutine aborts as soon as the task is cancelled", async () => {
  await runVirtual(function* () {
    const task = createTask(function* () {
      yield* sleep(10);
    });
    yield* sleep(0);
    const { signal } = task;
    assertEquals(signal.aborted, false);

    task.cancel("stop");

    assertEquals(signal.aborted, true);
    assertInstanceOf(signal.reason, CancelledError);
    yield* caughtBy(task);
  });
});

Deno.test("Task.signal read only after the cancel is aborted already", async () => {
  await runVirtual(function* () {
    const task = createTask(function* () {
      yield* sleep(10);
    });
    yield* sleep(0);

    task.cancel();

    assertEquals(task.signal.aborted, true);
    yield* caughtBy(task);
  });
});

Deno.test("currentTask() is the task in its steps and null in callbacks", async () => {
  await runVirtual(function* (loop) {
    const seen: unknown[] = [];
    const task = createTask(function* () {
      seen.push(currentTask()?.getName());
      yield* sleep(0);
      seen.push(currentTask()?.getName());
      seen.push(currentTask(new TestLoop()));
    }, { name: "inner" });
    loop.callSoon(() => seen.push(currentTask()));

    yield* task;

    assertEquals(seen, ["inner", null, "inner", null]);
    assertEquals((currentTask(loop)?.getLoop() as EventLoop) === loop, true);
  });
  assertEquals(currentTask(), null);
});

Deno.test("EventLoop.setTaskFactory() replaces what createTask() makes, until null restores it", async () => {
  class OwnTask<T> extends Task<T> {}
  await runVirtual(function* (loop) {
    assertEquals(loop.getTaskFactory(), null);
    loop.setTaskFactory((loop, body, options) => new OwnTask(body, { ...options, loop }));

    const task = createTask(() => 1, { name: "own" });
    assertInstanceOf(task, OwnTask);
    assertEquals(task.getName(), "own");
    assertEquals(yield* task, 1);

    loop.setTaskFactory(null);
    assertEquals(createTask(noop()) instanceof OwnTask, false);
    assertThrows(
      () => loop.setTaskFactory(1 as unknown as null),
      TypeError,
      "Cannot set the task factory",
    );
    yield* sleep(0);
  });
});

Deno.test("isCoroutine() tells generators from functions and other iterables", () => {
  assertEquals([noop(), noop, [], null, new Map().values(), "text"].map(isCoroutine), [
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

Deno.test("Task.signal that a body function reads aborts for the coroutine that it returns", async () => {
  await runVirtual(function* () {
    const signals: (AbortSignal | undefined)[] = [];
    function* work(signal: AbortSignal | undefined): Coroutine<void> {
      signals.push(signal);
      yield* sleep(10);
    }
    const task = createTask(() => work(currentTask()?.signal));
    yield* sleep(1);

    task.cancel();

    assertEquals(signals.map((signal) => signal?.aborted), [true]);
    assertEquals(task.signal === signals[0], true);
    yield* caughtBy(task);
  });
});

Deno.test("Task that cancels itself in a body function gets the error in the coroutine that this returns", async () => {
  await runVirtual(function* () {
    const bodies = [() => sleep(10), () => sleeper()];
    for (const body of bodies) {
      const task = createTask(() => {
        currentTask()?.cancel("by the body");
        return body() as Coroutine<void>;
      });

      const error = yield* caughtBy(task);

      assertInstanceOf(error, CancelledError);
      assertEquals(error.message, "by the body");
      assertEquals(task.cancelling(), 1);
    }
  });

  function* sleeper(): Coroutine<void> {
    yield* sleep(10);
  }
});
