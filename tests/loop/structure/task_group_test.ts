// The rows B01 to B06 of "TaskGroup", for coroutines and for async functions.
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  createTask,
  currentTask,
  InvalidStateError,
  sleep,
  type TaskGroup,
  taskGroup,
} from "../../../loop/mod.ts";
import { brief, rejectionOf } from "../_outcome.ts";
import { caughtBy, runVirtual } from "../_test_loop.ts";

/** The cancellations asked of the current task and not taken back. */
const cancelling = () => currentTask()?.cancelling();

/** Returns what `group` says to a new task. */
function refusalOf(group: TaskGroup): string {
  return assertThrows(() => group.createTask(() => {}), InvalidStateError).message;
}

Deno.test("B01 taskGroup() of coroutines cancels siblings, then the body, and throws all errors", async () => {
  await runVirtual(function* () {
    const log: unknown[] = [];
    const error = yield* caughtBy(taskGroup(function* (group) {
      group.createTask(function* () {
        yield* sleep(1);
        throw new Error("first");
      });
      group.createTask(function* () {
        try {
          yield* sleep(10);
        } finally {
          log.push("sibling");
          // deno-lint-ignore no-unsafe-finally -- a stubborn sibling replaces the cancellation.
          throw new Error("second");
        }
      });
      try {
        yield* sleep(10);
      } finally {
        log.push("body", cancelling(), refusalOf(group));
      }
    }));

    assertEquals(log, [
      "sibling",
      "body",
      1,
      "Cannot create a task in a task group: it is shutting down",
    ]);
    assertInstanceOf(error, AggregateError);
    assertEquals(error.message, "Cannot complete a task group: 2 unhandled errors");
    assertEquals(brief(error), "[first second]");
    assertEquals(cancelling(), 0);
  });
});

Deno.test("B01 taskGroup() of async functions cancels siblings, then the body, and throws all errors", async () => {
  await runVirtual(async () => {
    const log: unknown[] = [];
    const error = await rejectionOf(taskGroup(async (group) => {
      group.createTask(async () => {
        await sleep(1);
        throw new Error("first");
      });
      group.createTask(async () => {
        try {
          await sleep(10);
        } catch {
          log.push("sibling");
          throw new Error("second");
        }
      });
      try {
        await sleep(10);
      } finally {
        log.push("body", cancelling(), refusalOf(group));
      }
    }));

    assertEquals(log, [
      "sibling",
      "body",
      1,
      "Cannot create a task in a task group: it is shutting down",
    ]);
    assertEquals(brief(error), "[first second]");
    assertEquals(cancelling(), 0);
  });
});

Deno.test("B02 a cancelled taskGroup() of coroutines throws the cancellation, or its errors and then that", async () => {
  for (const [stubborn, expected] of [[false, "m, 1, passes"], [true, "[stubborn], 1, throws"]]) {
    const outcome = await runVirtual(function* () {
      let log = "";
      const task = createTask(function* () {
        const error = yield* caughtBy(taskGroup(function* (group) {
          group.createTask(function* () {
            try {
              yield* sleep(10);
            } catch (error) {
              throw stubborn ? new Error("stubborn") : error;
            }
          });
        }));
        log = `${stubborn ? brief(error) : (error as Error).message}, ${cancelling()}`;
        yield* sleep(0);
        log += ", passes";
      });
      yield* sleep(1);
      task.cancel("m");
      yield* sleep(1);
      return task.cancelled() ? `${log}, throws` : log;
    });
    assertEquals(outcome, expected);
  }
});

Deno.test("B02 a cancelled taskGroup() of async functions throws the cancellation, or its errors and then that", async () => {
  for (const [stubborn, expected] of [[false, "m, 1, passes"], [true, "[stubborn], 1, throws"]]) {
    const outcome = await runVirtual(async () => {
      let log = "";
      const task = createTask(async () => {
        const error = await rejectionOf(taskGroup((group) => {
          group.createTask(async () => {
            try {
              await sleep(10);
            } catch (error) {
              throw stubborn ? new Error("stubborn") : error;
            }
          });
        }));
        log = `${stubborn ? brief(error) : (error as Error).message}, ${cancelling()}`;
        await sleep(0);
        log += ", passes";
      });
      await sleep(1);
      task.cancel("m");
      await sleep(1);
      return task.cancelled() ? `${log}, throws` : log;
    });
    assertEquals(outcome, expected);
  }
});

Deno.test("B03 taskGroup() puts the error of its body last", async () => {
  await runVirtual(function* () {
    const error = yield* caughtBy(taskGroup(function* (group) {
      group.createTask(function* () {
        try {
          yield* sleep(10);
        } catch {
          throw new Error("child");
        }
      });
      yield* sleep(1);
      throw new Error("body");
    }));
    assertEquals(brief(error), "[child body]");
    assertEquals(cancelling(), 0);
  });
});

Deno.test("B03 taskGroup() says nothing of a child that was cancelled on its own", async () => {
  await runVirtual(async () => {
    const [cancelled, other] = await taskGroup(async (group) => {
      const children = [group.createTask(() => sleep(10)), group.createTask(() => sleep(1, "o"))];
      await sleep(0);
      children[0]?.cancel();
      return children;
    });
    assertEquals(cancelled?.cancelled(), true);
    assertEquals(other?.result(), "o");
  });
});

Deno.test("B04 TaskGroup.createTask() is refused once the group is closed", async () => {
  await runVirtual(function* () {
    const group = yield* taskGroup((group) => group);
    assertEquals(refusalOf(group), "Cannot create a task in a task group: it is closed");
  });
});

Deno.test("B04 TaskGroup.createTask() closes a coroutine that it refuses, which then never runs", async () => {
  await runVirtual(function* () {
    const group = yield* taskGroup((group) => group);
    const log: string[] = [];
    const coroutine = (function* () {
      yield log.push("ran");
    })();
    assertThrows(() => group.createTask(coroutine), InvalidStateError);
    assertEquals(coroutine.next(), { done: true, value: undefined });
    assertEquals(log, []);
  });
});

Deno.test("B04 TaskGroup.createTask() is refused as soon as the last child of a closing group has ended", async () => {
  await runVirtual(function* () {
    const refusals: string[] = [];
    yield* taskGroup((group) => {
      const child = group.createTask(() => sleep(1));
      child.addDoneCallback(() => refusals.push(refusalOf(group)));
    });
    assertEquals(refusals, ["Cannot create a task in a task group: it is closed"]);
  });
});

Deno.test("B05 simultaneous failures in nested groups of coroutines: inner error, then the cancellation, then outer error", async () => {
  await runVirtual(function* () {
    const log: unknown[] = [];
    const fail = (text: string) => () => {
      throw new Error(text);
    };
    const error = yield* caughtBy(taskGroup(function* (outer) {
      const error = yield* caughtBy(taskGroup(function* (inner) {
        inner.createTask(fail("in"));
        outer.createTask(fail("out"));
        yield* sleep(10);
      }));
      log.push(brief(error), cancelling());
      yield* sleep(0);
      log.push("not reached");
    }));
    log.push(brief(error), cancelling());
    assertEquals(log, ["[in]", 1, "[out]", 0]);
  });
});

Deno.test("B05 simultaneous failures in nested groups of async functions: inner error, then the cancellation, then outer error", async () => {
  await runVirtual(async () => {
    const log: unknown[] = [];
    const fail = (text: string) => () => Promise.reject(new Error(text));
    const error = await rejectionOf(taskGroup(async (outer) => {
      const error = await rejectionOf(taskGroup(async (inner) => {
        inner.createTask(fail("in"));
        outer.createTask(fail("out"));
        await sleep(10);
      }));
      log.push(brief(error), cancelling());
      await sleep(0);
      log.push("not reached");
    }));
    log.push(brief(error), cancelling());
    assertEquals(log, ["[in]", 1, "[out]", 0]);
  });
});

Deno.test("B06 taskGroup() awaits tasks that a child adds after the body has ended", async () => {
  for (const body of [addInCoroutine, addInFunction]) {
    const log: unknown[] = [];
    await runVirtual(() => taskGroup((group) => void group.createTask(() => body(group, log))));
    assertEquals([...log, "exit"], [1, 2, "exit"]);
  }
});

function* addInCoroutine(group: TaskGroup, log: unknown[]) {
  yield* sleep(1);
  log.push(1);
  group.createTask(function* () {
    yield* sleep(1);
    log.push(2);
  });
}

async function addInFunction(group: TaskGroup, log: unknown[]) {
  await sleep(1);
  log.push(1);
  group.createTask(async () => {
    await sleep(1);
    log.push(2);
  });
}

Deno.test("taskGroup() gives what its body returns, whatever kind it is", async () => {
  const values = await runVirtual(async () => [
    await taskGroup(function* () {
      return yield* sleep(1, "coroutine");
    }),
    await taskGroup(() => sleep(1, "future")),
    await taskGroup(async () => await sleep(1, "async function")),
    await taskGroup(() => "value"),
  ]);
  assertEquals(values, ["coroutine", "future", "async function", "value"]);
});

Deno.test("taskGroup() cancels its children in the order of creation", async () => {
  const log: string[] = [];
  await runVirtual(() =>
    rejectionOf(taskGroup(function* (group) {
      for (const name of ["a", "b", "c"]) {
        group.createTask(function* () {
          try {
            yield* sleep(10);
          } finally {
            log.push(name);
          }
        });
      }
      yield* sleep(1);
      throw new Error("end");
    }))
  );
  assertEquals(log, ["a", "b", "c"]);
});

Deno.test("TaskGroup.createTask() of an eager child that is done at once counts its error", async () => {
  const error = await runVirtual(() =>
    rejectionOf(taskGroup((group) => {
      group.createTask(() => {
        throw new Error("eager");
      }, { eager: true });
    }))
  );
  assertEquals(brief(error), "[eager]");
});
