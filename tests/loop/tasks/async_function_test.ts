// What a task does whose body is an async function: it can be cancelled at each await of a future
// of the package. The rows C01 to C11 for coroutines are in cancellation_test.ts.
import { setImmediate } from "node:timers";
import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  currentTask,
  ensureFuture,
  type EventLoop,
  type Future,
  getRunningLoop,
  InvalidStateError,
  sleep,
  taskGroup,
  timeout,
} from "../../../loop/mod.ts";
import { Operation } from "../../../loop/tasks/operation.ts";
import { runVirtual, TestLoop } from "../_test_loop.ts";

/** A promise that the package knows nothing of; it ends after the host had a turn. */
function foreign<T>(value: T): Promise<T> {
  return new Promise((resolve) => setImmediate(() => resolve(value)));
}

/** Waits until `future` has ended; gives what it threw, or `null`. */
async function outcome(future: PromiseLike<unknown>): Promise<unknown> {
  try {
    await future;
    return null;
  } catch (error) {
    return error;
  }
}

/** The message of a `CancelledError`; fails for any other value. */
function messageOf(error: unknown): string {
  assertInstanceOf(error, CancelledError);
  return error.message;
}

// What is cancelled, and where it arrives.

Deno.test("async function: cancel() arrives at the innermost await, and finally blocks run outward", async () => {
  await runVirtual(async () => {
    const log: unknown[] = [];
    async function deep(level: number): Promise<void> {
      try {
        if (level === 0) await sleep(3600);
        else await deep(level - 1);
      } finally {
        log.push(`finally ${level}, cancelling ${currentTask()?.cancelling()}`);
        await sleep(1);
        log.push(`cleaned ${level}`);
      }
    }
    const task = createTask(() => deep(2));
    await sleep(1);

    assertEquals(task.cancel("bye"), true);
    assertEquals([task.done(), task.cancelling()], [false, 1]);

    assertEquals(messageOf(await outcome(task)), "bye");
    assertEquals(task.cancelled(), true);
    assertEquals(log, [
      "finally 0, cancelling 1",
      "cleaned 0",
      "finally 1, cancelling 1",
      "cleaned 1",
      "finally 2, cancelling 1",
      "cleaned 2",
    ]);
    assertEquals(getRunningLoop().time(), 4);
  });
});

Deno.test("async function: a second cancel interrupts the cleanup", async () => {
  await runVirtual(async (loop) => {
    const log: unknown[] = [];
    const task = createTask(async () => {
      try {
        await sleep(3600);
      } finally {
        log.push("cleanup");
        await sleep(3600);
        log.push("never");
      }
    });
    await sleep(1);

    task.cancel("first");
    await sleep(1);
    task.cancel("second");

    assertEquals(messageOf(await outcome(task)), "second");
    assertEquals(log, ["cleanup"]);
    assertEquals(task.cancelling(), 2);
    assertEquals(loop.time(), 2);
  });
});

Deno.test("async function: one that swallows the cancellation goes on and gives its result", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => {
      await outcome(sleep(3600));
      await sleep(1);
      return "went on";
    });
    await sleep(1);

    task.cancel();

    assertEquals(await task, "went on");
    assertEquals([task.cancelled(), task.cancelling()], [false, 1]);
  });
});

Deno.test("async function: uncancel() to zero takes back a cancel that is due", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => {
      await foreign(0);
      await sleep(1);
      return "unharmed";
    });
    await sleep(0);

    task.cancel();
    assertEquals(task.uncancel(), 0);

    assertEquals(await task, "unharmed");
  });
});

Deno.test("async function: cancelled before the first step, its body never runs", async () => {
  await runVirtual(async () => {
    let ran = false;
    // deno-lint-ignore require-await -- its body is what must not run.
    const task = createTask(async () => {
      ran = true;
    });

    task.cancel("early");

    assertEquals(messageOf(await outcome(task)), "early");
    assertEquals(ran, false);
  });
});

Deno.test("async function: eager and cancelled in the same turn, it sees the error at its await", async () => {
  await runVirtual(async () => {
    let seen: unknown = null;
    const task = createTask(async () => {
      try {
        await sleep(3600);
      } catch (error) {
        seen = error;
        throw error;
      }
    }, { eager: true });

    task.cancel("at once");

    assertEquals(messageOf(await outcome(task)), "at once");
    assertEquals(messageOf(seen), "at once");
  });
});

Deno.test("async function: one that cancels itself sees the error at its next await that waits", async () => {
  await runVirtual(async (loop) => {
    const log: string[] = [];
    const done = loop.createFuture<string>();
    done.setResult("done");
    const task = createTask(async () => {
      currentTask()?.cancel("self");
      log.push(await done);
      await sleep(1);
      log.push("never");
    });

    assertEquals(messageOf(await outcome(task)), "self");
    assertEquals(log, ["done"]);
    assertEquals(loop.time(), 0);
  });
});

Deno.test("async function: one that returns while a cancel is due ends cancelled", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => {
      await foreign(0);
      return "result";
    });
    await sleep(0);

    task.cancel("due");

    assertEquals(messageOf(await outcome(task)), "due");
    assertEquals(task.cancelled(), true);
  });
});

Deno.test("async function: at a foreign promise, the error comes at the next await of a future", async () => {
  await runVirtual(async (loop) => {
    const log: unknown[] = [];
    const task = createTask(async () => {
      log.push(await foreign("foreign went on"));
      await sleep(3600);
    });
    await sleep(0);

    task.cancel("late");

    assertEquals(messageOf(await outcome(task)), "late");
    assertEquals(log, ["foreign went on"]);
    assertEquals(loop.time(), 0);
  });
});

Deno.test("async function: after a foreign promise, even a done bare future throws the error", async () => {
  await runVirtual(async (loop) => {
    const done = loop.createFuture<string>();
    done.setResult("done");
    const log: string[] = [];
    const task = createTask(async () => {
      await foreign(0);
      log.push(await done);
    });
    await sleep(0);

    task.cancel("late");

    assertEquals(messageOf(await outcome(task)), "late");
    assertEquals(log, []);
  });
});

/** Stands for a lock or a queue: an operation that is done gives something to keep. */
class Gift extends Operation<string> {
  constructor(loop: EventLoop) {
    super({ loop });
    this.finish("gift");
  }

  protected override resumed(): void {}

  protected override interrupted(error: CancelledError): void {
    this.fail(error);
  }
}

Deno.test("async function: a done operation delivers its result, and the error waits for the next", async () => {
  await runVirtual(async (loop) => {
    const log: string[] = [];
    const gift = new Gift(loop);
    const task = createTask(async () => {
      await foreign(0);
      log.push(await gift);
      await sleep(3600);
    });
    await sleep(0);

    task.cancel("late");

    assertEquals(messageOf(await outcome(task)), "late");
    assertEquals(log, ["gift"]);
  });
});

Deno.test("async function: a cancel between setResult() and the wake-up wins, as in CPython", async () => {
  await runVirtual(async (loop) => {
    const future = loop.createFuture<string>();
    const log: string[] = [];
    const task = createTask(async () => void log.push(await future));
    await sleep(1);

    future.setResult("value");
    task.cancel("late");

    assertEquals(messageOf(await outcome(task)), "late");
    assertEquals([log, future.result()], [[], "value"]);
  });
});

// Who shares, who is shielded.

Deno.test("async function: cancelling one of two tasks that await a bare future cancels both", async () => {
  await runVirtual(async (loop) => {
    const future = loop.createFuture<void>();
    const tasks = [1, 2].map(() => createTask(async () => await future));
    await sleep(1);

    tasks[0]?.cancel("shared");

    const outcomes = await Promise.all(tasks.map(outcome));
    assertEquals(outcomes.map(messageOf), ["shared", "shared"]);
    assertEquals(tasks.map((task) => task.cancelling()), [1, 0]);
  });
});

Deno.test("async function: a future that another task created is cancelled by who awaits it", async () => {
  await runVirtual(async (loop) => {
    let future: Future<void> | null = null;
    const creator = createTask(async () => {
      future = loop.createFuture();
      await sleep(3600);
    });
    await sleep(0);
    const awaiting = createTask(async () => await future);
    await sleep(0);

    creator.cancel();
    await sleep(1);
    assertEquals(awaiting.done(), false);

    awaiting.cancel();
    await outcome(awaiting);
    assertEquals([creator.cancelled(), awaiting.cancelled()], [true, true]);
  });
});

Deno.test("async function: an outer task waits for the cleanup of the inner one that it awaits", async () => {
  await runVirtual(async (loop) => {
    const log: string[] = [];
    const inner = createTask(async () => {
      try {
        await sleep(3600);
      } finally {
        await sleep(5);
        log.push("inner cleaned up");
      }
    });
    const outer = createTask(async () => {
      try {
        await inner;
      } finally {
        log.push("outer");
      }
    });
    await sleep(1);

    outer.cancel("m");

    assertEquals(messageOf(await outcome(outer)), "m");
    assertEquals(log, ["inner cleaned up", "outer"]);
    assertEquals([inner.cancelled(), loop.time()], [true, 6]);
  });
});

Deno.test("async function: an outer task gets the value of an inner one that swallows the cancel", async () => {
  await runVirtual(async () => {
    const inner = createTask(async () => {
      await outcome(sleep(3600));
      return "inner-value";
    });
    const outer = createTask(async () => await inner);
    await sleep(1);

    outer.cancel();

    assertEquals(await outer, "inner-value");
    assertEquals([outer.cancelled(), outer.cancelling()], [false, 1]);
  });
});

Deno.test("async function: awaiting its own task is refused", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => {
      await currentTask();
    });

    const error = await outcome(task);

    assertInstanceOf(error, InvalidStateError);
    assertStringIncludes(error.message, "awaits itself");
  });
});

Deno.test("async function: awaiting a future of another loop is refused", async () => {
  const other = new TestLoop();
  await runVirtual(async () => {
    const error = await outcome(createTask(async () => await other.createFuture()));

    assertInstanceOf(error, InvalidStateError);
    assertStringIncludes(error.message, "another loop");
  });
  other.close();
});

Deno.test("async function: a cancel in a circle of tasks that await each other ends all of them", async () => {
  await runVirtual(async () => {
    const tasks: Future<void>[] = [0, 1, 2].map((index) =>
      createTask(async () => {
        await sleep(0);
        await tasks[(index + 1) % 3];
      })
    );
    await sleep(1);

    tasks[1]?.cancel();
    await sleep(1);

    assertEquals(tasks.map((task) => task.cancelled()), [true, true, true]);
  });
});

// Several awaits at once.

Deno.test("async function: cancel() in Promise.all() and Promise.race() cancels every member", async () => {
  for (const combine of [Promise.all, Promise.race] as const) {
    await runVirtual(async (loop) => {
      const members = [sleep(3600), loop.createFuture<void>(), createTask(() => sleep(3600))];
      const task = createTask(async () => {
        await combine.call(Promise, members);
      });
      await sleep(1);

      task.cancel("all of them");

      assertEquals(messageOf(await outcome(task)), "all of them");
      await sleep(0);
      assertEquals(members.map((member) => member.cancelled()), [true, true, true]);
    });
  }
});

Deno.test("async function: Promise.allSettled() swallows the cancel", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => {
      const settled = await Promise.allSettled([sleep(3600), sleep(3600)]);
      return settled.map((each) => each.status);
    });
    await sleep(1);

    task.cancel();

    assertEquals(await task, ["rejected", "rejected"]);
    assertEquals(task.cancelling(), 1);
  });
});

Deno.test("async function: Promise.any() of cancelled futures counts as cancelled", async () => {
  await runVirtual(async () => {
    const task = createTask(() => Promise.any([sleep(3600), sleep(3600)]));
    await sleep(1);

    task.cancel("any");

    assertEquals(messageOf(await outcome(task)), "any");
    assertEquals(task.cancelled(), true);
  });
});

Deno.test("async function: the loser of a race stays part of the task", async () => {
  await runVirtual(async () => {
    const loser = sleep(3600);
    const task = createTask(async () => {
      await Promise.race([sleep(1), loser]);
      await sleep(3600);
    });
    await sleep(2);

    task.cancel();
    await outcome(task);
    await sleep(0);

    assertEquals(loser.cancelled(), true);
  });
});

Deno.test("async function: for await, await using, Array.fromAsync and return can be cancelled", async () => {
  await runVirtual(async () => {
    const log: string[] = [];
    async function* numbers(): AsyncGenerator<number> {
      try {
        yield 1;
        await sleep(3600);
      } finally {
        log.push("generator closed");
      }
    }
    const bodies = [
      async () => {
        for await (const number of numbers()) log.push(`number ${number}`);
      },
      async () => {
        await using _resource = {
          async [Symbol.asyncDispose]() {
            await sleep(1);
            log.push("disposed");
          },
        };
        await sleep(3600);
      },
      () => Array.fromAsync([sleep(3600)]),
      // deno-lint-ignore require-await -- what it returns is waited for.
      async () => sleep(3600),
    ];
    for (const body of bodies) {
      const task = createTask<unknown>(body);
      await sleep(1);
      task.cancel("cut");
      assertEquals(messageOf(await outcome(task)), "cut");
    }
    assertEquals(log, ["number 1", "generator closed", "disposed"]);
  });
});

// The five conditions.

Deno.test("condition 1: the loop's own turns carry no task, also when a task wakes it", async () => {
  await runVirtual(async (loop) => {
    const seen: unknown[] = [];
    const task = createTask(async () => {
      await foreign(0);
      // The loop waits: this wakes it from inside the task.
      loop.callSoon(() => seen.push(currentTask()));
      loop.callSoon(() => void foreign(0).then(() => seen.push(currentTask())));
      await foreign(0);
      await foreign(0);
    });

    await task;

    assertEquals(seen, [null, null]);
  });
});

Deno.test("condition 1: cancel() in the same turn as the wake-up reaches the await that came with it", async () => {
  await runVirtual(async (loop) => {
    const task = createTask(async () => {
      await foreign(0);
      loop.callSoon(() => task.cancel("right behind"));
      await sleep(3600);
    });

    assertEquals(messageOf(await outcome(task)), "right behind");
    assertEquals(loop.time(), 0);
  });
});

Deno.test("condition 2: then(), catch() and finally() of a task only watch", async () => {
  await runVirtual(async () => {
    const background = createTask(() => sleep(10, "finished"));
    const log: unknown[] = [];
    const watcher = createTask(async () => {
      background.then((value) => log.push(value));
      background.then((value) => log.push(value), (error) => log.push(error));
      background.catch((error) => log.push(error));
      background.finally(() => log.push("finally"));
      new Promise((resolve) => background.then(resolve, (error) => log.push(error))).then(
        (value) => log.push(value),
      );
      await sleep(3600);
    });
    await sleep(1);

    watcher.cancel();
    await outcome(watcher);

    assertEquals(await background, "finished");
    await foreign(0);
    assertEquals(log.sort(), ["finally", "finished", "finished", "finished"]);
  });
});

Deno.test("condition 4: an operation that is cancelled before its step ran is cancelled", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => await sleep(0, "too late"));
    await sleep(0);
    await Promise.resolve();
    // Its wake-up is in the queue, and it has not run.
    task.cancel("in between");

    assertEquals(messageOf(await outcome(task)), "in between");
  });
});

Deno.test("condition 5: a foreign promise that ends by task.signal gets the cancel once", async () => {
  await runVirtual(async (loop) => {
    const log: unknown[] = [];
    const task = createTask(async () => {
      try {
        await endsBy((currentTask() as { signal: AbortSignal } | null)?.signal);
      } catch (error) {
        log.push(messageOf(error));
        throw error;
      } finally {
        await sleep(5);
        log.push("cleaned up");
      }
    });
    await sleep(1);

    task.cancel("through the signal");

    assertEquals(messageOf(await outcome(task)), "through the signal");
    assertEquals(log, ["through the signal", "cleaned up"]);
    assertEquals(loop.time(), 6);
  });
});

Deno.test("condition 5: it holds inside of a timeout() and of a taskGroup() too", async () => {
  const regions: ((body: () => Promise<void>) => PromiseLike<unknown>)[] = [
    (body) => timeout(100, body),
    (body) => taskGroup(body),
  ];
  for (const region of regions) {
    await runVirtual(async (loop) => {
      const log: unknown[] = [];
      const task = createTask(async () => {
        await region(async () => {
          try {
            await endsBy(currentTask()?.signal);
          } finally {
            await sleep(5);
            log.push("cleaned up");
          }
        });
      });
      await sleep(1);

      task.cancel("through the signal");

      assertEquals(messageOf(await outcome(task)), "through the signal");
      assertEquals([log, loop.time()], [["cleaned up"], 6]);
    });
  }
});

/** Stands for `fetch(url, { signal })`. */
function endsBy(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}

Deno.test("condition 5: after an await of a future, a signal read before does not hide a cancel", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => {
      const signal = currentTask()?.signal;
      await sleep(1);
      await foreign(signal);
      await sleep(3600);
    });
    await sleep(1);
    await sleep(0);

    task.cancel("not hidden");

    assertEquals(messageOf(await outcome(task)), "not hidden");
  });
});

Deno.test("Task.signal of an async function aborts at once, also while it is at a foreign promise", async () => {
  await runVirtual(async () => {
    const gate = Promise.withResolvers<void>();
    const task = createTask(() => gate.promise);
    await sleep(0);
    const { signal } = task;

    task.cancel("stop");

    assertEquals(signal.aborted, true);
    assertEquals(messageOf(signal.reason), "stop");
    gate.resolve();
    await outcome(task);
  });
});

Deno.test("Task.signal of an async function that is read after the cancel is aborted already", async () => {
  await runVirtual(async () => {
    let aborted: boolean | undefined;
    const task = createTask(async () => {
      await foreign(0);
      aborted = currentTask()?.signal.aborted;
    });
    await sleep(0);

    task.cancel();
    await outcome(task);

    assertEquals(aborted, true);
  });
});

Deno.test("ensureFuture() of a foreign promise makes its await exact", async () => {
  await runVirtual(async (loop) => {
    const task = createTask(async () => {
      await ensureFuture(new Promise<void>(() => {}));
    });
    await sleep(1);

    task.cancel("exact");

    assertEquals(messageOf(await outcome(task)), "exact");
    assertEquals(loop.time(), 1);
  });
});

// What floats.

Deno.test("async function: a call that is not awaited is cancelled too", async () => {
  await runVirtual(async () => {
    const log: string[] = [];
    const task = createTask(async () => {
      void outcome(sleep(3600)).then((error) => log.push(`floating: ${messageOf(error)}`));
      await sleep(3600);
    });
    await sleep(1);

    task.cancel("both");
    await outcome(task);
    await foreign(0);

    assertEquals(log, ["floating: both"]);
  });
});

Deno.test("async function: a call that outlives its task goes on, and is never cancelled", async () => {
  await runVirtual(async (loop) => {
    let floating: Promise<unknown> = Promise.resolve();
    const task = createTask(() => {
      floating = (async () => {
        await sleep(5);
        await sleep(5);
        return "finished";
      })();
      return sleep(1);
    });
    await task;
    assertEquals(task.cancel(), false);

    assertEquals(await floating, "finished");
    assertEquals(loop.time(), 10);
  });
});

Deno.test("async function: a call that outlives its task does not get the cancel that was due", async () => {
  await runVirtual(async () => {
    let floating: Promise<unknown> = Promise.resolve();
    const gate = Promise.withResolvers<void>();
    const task = createTask(async () => {
      floating = gate.promise.then(async () => await sleep(1, "unharmed"));
      await foreign(0);
      throw new Error("before any await of ours");
    });
    await sleep(0);
    task.cancel();
    assertEquals((await outcome(task) as Error).message, "before any await of ours");

    gate.resolve();

    assertEquals(await floating, "unharmed");
  });
});

Deno.test("an async callback of callSoon() is part of no task", async () => {
  await runVirtual(async (loop) => {
    const seen: unknown[] = [];
    const task = createTask(async () => {
      loop.callSoon(async () => {
        seen.push(currentTask());
        await sleep(5);
        seen.push(currentTask(), loop.time());
      });
      await sleep(3600);
    });
    await sleep(1);

    task.cancel();
    await outcome(task);
    await sleep(10);

    assertEquals(seen, [null, null, 5]);
  });
});

Deno.test("a user's then() without a reject handler rejects as any promise does", async () => {
  await runVirtual(async (loop) => {
    const future = loop.createFuture<void>();
    const derived = future.then(() => {});
    future.setException(new Error("planted"));

    await assertRejects(() => derived, Error, "planted");
  });
});

// Coroutines and async functions together.

Deno.test("a coroutine and an async function await each other's tasks", async () => {
  await runVirtual(function* () {
    function* coroutine(): Coroutine<string> {
      return (yield* sleep(1, "coroutine")) + (yield* createTask(asyncFunction));
    }
    async function asyncFunction(): Promise<string> {
      return await sleep(1, " and async function");
    }

    assertEquals(yield* createTask(coroutine), "coroutine and async function");
    assertEquals(
      yield* createTask(async () => await createTask(coroutine())),
      "coroutine and async function",
    );
  });
});

Deno.test("cancel() goes from a coroutine through an async function to a coroutine", async () => {
  await runVirtual(function* () {
    const log: string[] = [];
    const inner = createTask(function* () {
      try {
        yield* sleep(3600);
      } finally {
        log.push("inner");
      }
    });
    const middle = createTask(async () => {
      try {
        await inner;
      } finally {
        log.push("middle");
      }
    });
    const outer = createTask(function* () {
      try {
        yield* middle;
      } finally {
        log.push("outer");
      }
    });
    yield* sleep(1);

    outer.cancel();
    yield* sleep(1);

    assertEquals(log, ["inner", "middle", "outer"]);
    assertEquals([inner, middle, outer].map((task) => task.cancelled()), [true, true, true]);
  });
});

Deno.test("async functions take turns as coroutines do, when their stack is not deep", async () => {
  await runVirtual(async () => {
    const log: string[] = [];
    async function worker(name: string): Promise<void> {
      for (let turn = 0; turn < 3; turn += 1) {
        log.push(`${name}${turn}`);
        await sleep(0);
      }
    }
    const tasks = ["A", "B"].map((name) => createTask(() => worker(name)));

    await Promise.all(tasks);

    assertEquals(log, ["A0", "B0", "A1", "B1", "A2", "B2"]);
  });
});

Deno.test("getRunningLoop() and currentTask() hold across every kind of await", async () => {
  await runVirtual(async (loop) => {
    const task = currentTask();
    const waits: (() => PromiseLike<unknown>)[] = [
      () => sleep(0),
      () => sleep(1),
      () => foreign(0),
      () => Promise.resolve(),
      () => import("../../../loop/mod.ts"),
      () => Promise.all([sleep(0), foreign(0)]),
      () => crypto.subtle.digest("SHA-256", new Uint8Array(1)),
    ];
    for (const wait of waits) {
      await wait();
      assertEquals(loop === (getRunningLoop() as EventLoop), true);
      assertEquals(currentTask() === task, true);
    }
  });
});

Deno.test("Task.awaiting() of an async function lists every await that is pending", async () => {
  await runVirtual(async () => {
    const members = [sleep(3600), sleep(3600)];
    const task = createTask(() => Promise.all(members));
    await sleep(1);

    assertEquals(task.awaiting().map((future) => members.indexOf(future as Future<void>)), [0, 1]);

    task.cancel();
    await outcome(task);
    assertEquals(task.awaiting(), []);
  });
});
