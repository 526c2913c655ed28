// timeout() and taskGroup() as scopes of async functions: each cuts its own body and nothing else
// of the task. The rules stand in "Theory of operation" of _cancel_scope.ts and _caller_operation.ts.
import {
  assertEquals,
  assertInstanceOf,
  assertNotStrictEquals,
  assertStrictEquals,
} from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  currentTask,
  ensureFuture,
  gather,
  shield,
  sleep,
  taskGroup,
  timeout,
  TimeoutError,
  waitFor,
} from "../../../loop/mod.ts";
import { startOperation } from "../../../loop/tasks/start_operation.ts";
import { brief, rejectionOf } from "../_outcome.ts";
import { caughtBy, runVirtual } from "../_test_loop.ts";

const cancelling = () => currentTask()?.cancelling();

/** Gives how `promise` ends. */
async function endOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return brief(error);
  }
}

Deno.test("timeout() in Promise.all() cuts its own body only", async () => {
  await runVirtual(async (loop) => {
    const ends = await Promise.all([
      endOf(timeout(1, () => sleep(3, "a"))),
      endOf(timeout(5, () => sleep(3, "b"))),
      endOf(timeout(2, async () => await sleep(3, "c"))),
    ]);
    assertEquals(ends, ["timeout", "b", "timeout"]);
    assertEquals([loop.time(), cancelling()], [3, 0]);
  });
});

Deno.test("timeout() in Promise.race() with an await beside it leaves that alone", async () => {
  await runVirtual(async () => {
    const beside = sleep(3, "beside");
    const first = await Promise.race([endOf(timeout(1, () => sleep(10))), beside]);
    assertEquals(first, "timeout");
    assertEquals(await beside, "beside");
  });
});

Deno.test("timeout() in gather(), shield() and ensureFuture() runs in a task of its own", async () => {
  await runVirtual(function* (loop) {
    const limit = (delay: number, value: string) => timeout(delay, () => sleep(3, value));
    const results = yield* gather([limit(1, "a"), limit(5, "b"), shield(limit(5, "c"))], {
      returnExceptions: true,
    });
    assertEquals(results.map((each: unknown) => each instanceof Error ? brief(each) : each), [
      "timeout",
      "b",
      "c",
    ]);
    let host: unknown;
    yield* ensureFuture(timeout(1, () => {
      host = currentTask();
    }));
    assertNotStrictEquals(host, currentTask());
    assertEquals([loop.time(), cancelling()], [3, 0]);
  });
});

Deno.test("timeout() runs its body in the calling task", async () => {
  await runVirtual(async () => {
    const task = currentTask();
    assertStrictEquals((await timeout(1, () => [currentTask()]))[0], task);
    assertStrictEquals(
      (await timeout(1, function* () {
        yield* sleep(0);
        return [currentTask()];
      }))[0],
      task,
    );
    await timeout(1, async () => {
      await sleep(0);
      assertStrictEquals(currentTask(), task);
    });
  });
});

Deno.test("timeout() nested in timeout(): the shorter one ends, and the function goes on", async () => {
  await runVirtual(async (loop) => {
    const outer = await timeout(5, async () => {
      const inner = await endOf(timeout(1, () => sleep(10)));
      await sleep(1);
      return [inner, loop.time()];
    });
    assertEquals(outer, ["timeout", 2]);

    const error = await rejectionOf(timeout(1, () => timeout(5, () => sleep(10))));
    assertInstanceOf(error, TimeoutError);
    assertEquals([loop.time(), cancelling()], [3, 0]);
  });
});

Deno.test("timeout() of an async function whose body swallows the deadline keeps its value", async () => {
  await runVirtual(async (loop) => {
    const value = await timeout(1, async () => {
      await endOf(sleep(10));
      await sleep(1);
      return "late";
    });
    assertEquals([value, loop.time(), cancelling()], ["late", 2, 0]);
    assertEquals(await sleep(1, "goes on"), "goes on");
  });
});

Deno.test("Timeout.signal aborts at the deadline with a TimeoutError, for foreign promises", async () => {
  await runVirtual(async (loop) => {
    let reason: unknown;
    const error = await rejectionOf(timeout(1, async (scope) => {
      const foreign = Promise.withResolvers<void>();
      scope.signal.addEventListener("abort", () => {
        reason = scope.signal.reason;
        foreign.resolve();
      });
      await foreign.promise;
      await sleep(1);
    }));
    assertInstanceOf(reason, TimeoutError);
    assertInstanceOf(error, TimeoutError);
    assertEquals(loop.time(), 1);
  });
});

Deno.test("Timeout.signal that nobody reads in time is aborted when it is read", async () => {
  await runVirtual(async () => {
    await timeout(1, async (scope) => {
      assertEquals(scope.signal.aborted, false);
      await endOf(sleep(10));
      assertEquals(scope.signal.aborted, true);
    });
    await timeout(1, async (scope) => {
      await endOf(sleep(10));
      assertEquals(scope.signal.aborted, true);
    });
  });
});

Deno.test("timeout() ends an await of ours after a foreign promise that outlasted the deadline", async () => {
  await runVirtual(async (loop) => {
    const foreign = Promise.withResolvers<void>();
    loop.callLater(3, () => foreign.resolve());
    const error = await rejectionOf(timeout(1, async () => {
      await foreign.promise;
      await sleep(10);
    }));
    assertInstanceOf(error, TimeoutError);
    assertEquals(loop.time(), 3);
  });
});

Deno.test("timeout() of a body that only awaits foreign promises lets it return its value late", async () => {
  await runVirtual(async (loop) => {
    const foreign = Promise.withResolvers<string>();
    loop.callLater(3, () => foreign.resolve("foreign"));
    assertEquals(await timeout(1, () => foreign.promise), "foreign");
    assertEquals(await sleep(1, "goes on"), "goes on");
  });
});

Deno.test("a cancellation from outside reaches every timeout() in Promise.all(), and wins", async () => {
  await runVirtual(async (loop) => {
    const ends: unknown[] = [];
    const task = createTask(async () => {
      await Promise.all([1, 2, 3].map(async (delay) => {
        ends.push(await endOf(timeout(delay + 5, () => sleep(10))));
      }));
      return "done";
    });
    await sleep(1);
    task.cancel();
    assertEquals(await task, "done");
    assertEquals([ends, loop.time()], [["cancelled", "cancelled", "cancelled"], 1]);
  });
});

Deno.test("timeout() with an async body in a coroutine task cuts the body", async () => {
  await runVirtual(function* (loop) {
    const log: string[] = [];
    const error = yield* caughtBy(timeout(1, async () => {
      try {
        await sleep(10);
      } finally {
        await sleep(1);
        log.push(`cleaned up ${cancelling()}`);
      }
    }));
    assertInstanceOf(error, TimeoutError);
    assertEquals([log, loop.time(), cancelling()], [["cleaned up 1"], 2, 0]);
    assertEquals(yield* sleep(1, "goes on"), "goes on");
  });
});

Deno.test("timeout() with a coroutine body in an async task cuts the body", async () => {
  await runVirtual(async (loop) => {
    const log: string[] = [];
    const error = await rejectionOf(timeout(1, function* () {
      try {
        yield* sleep(10);
      } finally {
        yield* sleep(1);
        log.push(`cleaned up ${cancelling()}`);
      }
    }));
    assertInstanceOf(error, TimeoutError);
    assertEquals([log, loop.time(), cancelling()], [["cleaned up 1"], 2, 0]);
    assertEquals(await sleep(1, "goes on"), "goes on");
  });
});

Deno.test("timeout() inside a coroutine body in an async task cuts its own body only", async () => {
  await runVirtual(async (loop) => {
    const ends = await Promise.all([
      endOf(timeout(5, function* () {
        const error = yield* caughtBy(timeout(1, () => sleep(10)));
        return [brief(error), cancelling(), loop.time(), yield* sleep(1, "goes on")];
      })),
      endOf(taskGroup(function* () {
        yield* taskGroup(function* (group) {
          group.createTask(() => Promise.reject(new Error("child")));
          yield* sleep(10);
        });
      })),
      endOf(sleep(3, "beside")),
    ]);
    assertEquals(ends, [["timeout", 0, 1, "goes on"], "[[child]]", "beside"]);
    assertEquals([loop.time(), cancelling()], [3, 0]);
  });
});

Deno.test("timeout() inside an operation cuts that operation only", async () => {
  await runVirtual(function* (loop) {
    const limited = (delay: number) =>
      startOperation(loop, timeout(delay, () => sleep(3, delay))[Symbol.iterator]());
    const results = yield* gather([limited(1), limited(5)], { returnExceptions: true });
    assertEquals([brief(results[0]), results[1]], ["timeout", 5]);
    assertEquals([loop.time(), cancelling()], [3, 0]);
  });
});

Deno.test("timeout() inside a coroutine body in an async task lets a cancellation from outside win", async () => {
  await runVirtual(async (loop) => {
    const log: unknown[] = [];
    const task = createTask(() =>
      timeout(5, function* () {
        const error = yield* caughtBy(timeout(1, function* () {
          try {
            yield* sleep(10);
          } finally {
            log.push(cancelling());
          }
        }));
        log.push(brief(error), cancelling());
        throw error;
      })
    );
    loop.callAt(1, () => task.cancel("outside"));
    assertInstanceOf(await rejectionOf(task), CancelledError);
    assertEquals([log, task.cancelling()], [[2, "cancelled", 1], 1]);
  });
});

Deno.test("timeout() cuts through bodies of both kinds, nested", async () => {
  await runVirtual(async (loop) => {
    const log: string[] = [];
    function* innermost(): Coroutine<void> {
      try {
        yield* sleep(10);
      } finally {
        log.push("innermost");
      }
    }
    const middle = async () => {
      try {
        await timeout(5, innermost);
      } finally {
        log.push("middle");
      }
    };
    const error = await rejectionOf(timeout(1, function* () {
      try {
        yield* timeout(4, middle);
      } finally {
        log.push("outer");
      }
    }));
    assertInstanceOf(error, TimeoutError);
    assertEquals([log, loop.time()], [["innermost", "middle", "outer"], 1]);
  });
});

Deno.test("a cancelled task of either kind ends the body of the other kind in its groups and timeouts", async () => {
  await runVirtual(async (loop) => {
    const log: string[] = [];
    const wait = async () => {
      try {
        await sleep(10);
      } finally {
        log.push("async function");
      }
    };
    function* waitSteps(): Coroutine<void> {
      try {
        yield* sleep(10);
      } finally {
        log.push("coroutine");
      }
    }
    const tasks = [
      createTask(function* () {
        yield* taskGroup(() => timeout(5, wait));
      }),
      createTask(async () => {
        await taskGroup(() => timeout(5, waitSteps));
      }),
    ];
    await sleep(1);
    for (const task of tasks) task.cancel("outside");
    for (const task of tasks) assertInstanceOf(await rejectionOf(task), CancelledError);
    assertEquals([log.toSorted(), loop.time()], [["async function", "coroutine"], 1]);
  });
});

Deno.test("taskGroup() in Promise.all() fails alone", async () => {
  await runVirtual(async (loop) => {
    const ends = await Promise.all([
      endOf(taskGroup(async (group) => {
        group.createTask(async () => {
          await sleep(1);
          throw new Error("child");
        });
        await sleep(10);
      })),
      endOf(taskGroup(async (group) => {
        const child = group.createTask(() => sleep(3, "b"));
        await sleep(2);
        return child;
      })),
      endOf(waitFor(sleep(2, "c"), 5)),
    ]);
    assertEquals(ends, ["[child]", "b", "c"]);
    assertEquals([loop.time(), cancelling()], [3, 0]);
  });
});

Deno.test("a deadline during the clean-up of a cancelled async function ends the clean-up only", async () => {
  await runVirtual(async (loop) => {
    let cleanUp: unknown;
    const task = createTask(async () => {
      try {
        await sleep(10);
      } finally {
        cleanUp = await endOf(timeout(1, () => sleep(10)));
      }
    });
    await sleep(1);
    task.cancel("outside");
    assertEquals(String(await rejectionOf(task)), "CancelledError: outside");
    assertEquals([cleanUp, task.cancelling(), loop.time()], ["timeout", 1, 2]);
  });
});

Deno.test("uncancel() in the body of a timeout() takes back what was asked of the task", async () => {
  await runVirtual(async () => {
    const task = createTask(() =>
      timeout(5, async () => {
        await endOf(sleep(10));
        const left = currentTask()?.uncancel();
        return [left, await sleep(1, "goes on")];
      })
    );
    await sleep(1);
    task.cancel();
    assertEquals(await task, [0, "goes on"]);
    assertEquals(task.cancelling(), 0);
  });
});
