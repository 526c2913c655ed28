// TaskGroup.start(), which asyncio does not have: every way in which the child, the caller and the
// group can end before and after the child is ready.
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  currentTask,
  InvalidStateError,
  sleep,
  type TaskGroup,
  taskGroup,
} from "../../../loop/mod.ts";
import { brief, type Kind, KINDS, rejectionOf } from "../_outcome.ts";
import { runVirtual } from "../_test_loop.ts";

/** What a child does, second by second. */
type Step = "report" | "throw" | "refuse" | "wait";

/** Returns a child that does one step a second, beginning at once; it says when it is cancelled. */
function childOf(kind: Kind, steps: readonly Step[], log: unknown[] = []) {
  if (kind === "coroutine") {
    return function* (ready: (value: number) => void): Coroutine<string> {
      try {
        for (const step of steps) {
          act(step, ready);
          yield* sleep(1);
        }
      } catch (error) {
        noteCancel(error, steps, log);
      }
      return "returned";
    };
  }
  return async (ready: (value: number) => void): Promise<string> => {
    try {
      for (const step of steps) {
        act(step, ready);
        await sleep(1);
      }
    } catch (error) {
      noteCancel(error, steps, log);
    }
    return "returned";
  };
}

function act(step: Step, ready: (value: number) => void): void {
  if (step === "report") ready(8080);
  if (step === "throw") throw new Error("child");
}

/** Passes the error on, unless the child refuses to be cancelled. */
function noteCancel(error: unknown, steps: readonly Step[], log: unknown[]): void {
  if (error instanceof CancelledError) log.push("child cancelled");
  if (!steps.includes("refuse")) throw error;
}

for (const kind of KINDS) {
  Deno.test(`TaskGroup.start() of ${kind}s gives what the child reports, and the group waits for the child`, async () => {
    await runVirtual(async (loop) => {
      const [value, at] = await taskGroup(async (group) => {
        return [await group.start(childOf(kind, ["wait", "report", "wait"])), loop.time()];
      });
      assertEquals([value, at, loop.time()], [8080, 1, 3]);
    });
  });

  Deno.test(`TaskGroup.start() of ${kind}s keeps the first report`, async () => {
    await runVirtual(async () => {
      const value = await taskGroup((group) =>
        group.start<number>(async (ready) => {
          ready(1);
          ready(2);
          await sleep(1);
          ready(3);
        })
      );
      assertEquals(value, 1);
    });
  });

  Deno.test(`TaskGroup.start() of ${kind}s fails alone when the child fails before its report`, async () => {
    await runVirtual(async () => {
      const value = await taskGroup(async (group) => {
        const other = group.createTask(() => sleep(5, "other"));
        const error = await rejectionOf(group.start(childOf(kind, ["wait", "throw"])));
        return [brief(error), await other];
      });
      assertEquals(value, ["child", "other"]);
    });
  });

  Deno.test(`TaskGroup.start() of ${kind}s fails the group when the child fails after its report`, async () => {
    await runVirtual(async (loop) => {
      const error = await rejectionOf(taskGroup(async (group) => {
        await group.start(childOf(kind, ["report", "throw"]));
        await sleep(10);
      }));
      assertEquals([brief(error), loop.time()], ["[child]", 1]);
    });
  });

  Deno.test(`TaskGroup.start() of ${kind}s fails when the child returns without a report`, async () => {
    await runVirtual(async () => {
      const error = await taskGroup((group) =>
        rejectionOf(group.start(childOf(kind, ["wait"]), { name: "silent" }))
      );
      assertInstanceOf(error, InvalidStateError);
      assertEquals(
        error.message,
        'Cannot start task "silent": it ended without saying that it is ready',
      );
    });
  });

  Deno.test(`TaskGroup.start() of ${kind}s is cancelled when the child is cancelled before its report`, async () => {
    await runVirtual(async () => {
      const value = await taskGroup(async (group) => {
        const error = await rejectionOf(group.start(() => {
          const self = currentTask();
          self?.getLoop().callSoon(() => self.cancel());
          return childOf(kind, ["wait", "wait"])(() => {});
        }));
        return [brief(error), currentTask()?.cancelling(), await sleep(1, "goes on")];
      });
      assertEquals(value, ["cancelled", 0, "goes on"]);
    });
  });

  Deno.test(`TaskGroup.start() of ${kind}s cancels the child when its caller is cancelled before the report`, async () => {
    await runVirtual(async (loop) => {
      const log: unknown[] = [];
      const task = createTask(() =>
        taskGroup((group) => group.start(childOf(kind, ["wait", "wait", "report"], log)))
      );
      await sleep(0.5);
      task.cancel("outside");
      assertEquals(String(await rejectionOf(task)), "CancelledError: outside");
      assertEquals([log, loop.time()], [["child cancelled"], 0.5]);
    });
  });

  Deno.test(`TaskGroup.start() of ${kind}s whose caller gave up leaves a failing child to the group`, async () => {
    await runVirtual(async () => {
      const error = await rejectionOf(taskGroup(async (group) => {
        const starting = group.start(function* () {
          try {
            yield* sleep(10);
          } catch {
            throw new Error("child");
          }
        });
        await sleep(1);
        starting.cancel();
        await rejectionOf(starting);
        await sleep(10);
      }));
      assertEquals(brief(error), "[child]");
    });
  });

  Deno.test(`TaskGroup.start() of ${kind}s is cancelled when the group fails before the report`, async () => {
    await runVirtual(async () => {
      const log: unknown[] = [];
      const error = await rejectionOf(taskGroup(async (group) => {
        group.createTask(async () => {
          await sleep(0.5);
          throw new Error("sibling");
        });
        await group.start(childOf(kind, ["wait", "wait", "report"], log));
      }));
      assertEquals([brief(error), log], ["[sibling]", ["child cancelled"]]);
    });
  });

  Deno.test(`TaskGroup.start() of ${kind}s by a child works while the group closes`, async () => {
    await runVirtual(async () => {
      const values: unknown[] = [];
      await taskGroup((group) => {
        group.createTask(async () => {
          await sleep(1);
          values.push(await group.start(childOf(kind, ["wait", "report", "wait"])));
        });
      });
      assertEquals(values, [8080]);
    });
  });

  Deno.test(`TaskGroup.start() of ${kind}s ends with the group when a cancelled child refuses`, async () => {
    await runVirtual(async () => {
      const log: unknown[] = [];
      await taskGroup(async (group) => {
        group.createTask(async () => {
          await sleep(0.5);
          group.cancel();
        });
        await group.start(childOf(kind, ["wait", "refuse"], log));
      });
      assertEquals(log, ["child cancelled"]);
    });
  });
}

Deno.test("TaskGroup.start() is refused in a group that is closed or shutting down", async () => {
  await runVirtual(async () => {
    let ran = false;
    const start = (group: TaskGroup) => group.start(() => ran = true);
    const closed = await taskGroup((group) => group);
    const errors = [refusal(() => start(closed))];
    await taskGroup((group) => {
      group.cancel();
      errors.push(refusal(() => start(group)));
    });
    assertEquals(errors, [
      "Cannot create a task in a task group: it is closed",
      "Cannot create a task in a task group: it is shutting down",
    ]);
    assertEquals(ran, false);
  });
});

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assertInstanceOf(error, InvalidStateError);
    return error.message;
  }
  return "accepted";
}

Deno.test("start() refuses at the call what is no function, and what nobody would iterate", async () => {
  await runVirtual(() =>
    taskGroup((group) => {
      const wrong: unknown[] = [5, null, childOf("coroutine", [])(() => {}), Promise.resolve()];
      for (const body of wrong) {
        assertThrows(
          () => group.start(body as () => void),
          TypeError,
          "Cannot start a task: expected a function, as in group.start((ready) => work(ready)), got ",
        );
      }
      assertThrows(
        () => group.start(async function* () {}),
        TypeError,
        "Cannot run an async generator as a task",
      );
    })
  );
});
