// TaskGroup.cancel(), which asyncio does not have: the group ends early and without an error.
import { assertEquals } from "@std/assert";
import {
  createTask,
  currentTask,
  type Future,
  sleep,
  type TaskGroup,
  taskGroup,
} from "../../../loop/mod.ts";
import { brief, type Kind, KINDS, rejectionOf } from "../_outcome.ts";
import { runVirtual } from "../_test_loop.ts";

/** A group whose child cleans up for a second, and whose body calls `act` and then waits. */
function groupOf(kind: Kind, log: unknown[], act: (group: TaskGroup) => void): Future<unknown> {
  if (kind === "coroutine") {
    return taskGroup(function* (group) {
      group.createTask(function* () {
        try {
          yield* sleep(10);
        } finally {
          yield* sleep(1);
          log.push("child cleaned up");
        }
      });
      yield* sleep(1);
      act(group);
      try {
        yield* sleep(10);
      } finally {
        log.push("body ended");
      }
      return "not reached";
    });
  }
  return taskGroup(async (group) => {
    group.createTask(async () => {
      try {
        await sleep(10);
      } finally {
        await sleep(1);
        log.push("child cleaned up");
      }
    });
    await sleep(1);
    act(group);
    try {
      await sleep(10);
    } finally {
      log.push("body ended");
    }
    return "not reached";
  });
}

for (const kind of KINDS) {
  Deno.test(`TaskGroup.cancel() ends the body and the children of ${kind}s, and gives undefined`, async () => {
    await runVirtual(async (loop) => {
      const log: unknown[] = [];
      const value = await groupOf(kind, log, (group) => group.cancel());
      assertEquals([value, loop.time()], [undefined, 2]);
      assertEquals(log, ["body ended", "child cleaned up"]);
      assertEquals(currentTask()?.cancelling(), 0);
      assertEquals(await sleep(1, "goes on"), "goes on");
    });
  });

  Deno.test(`TaskGroup.cancel() of ${kind}s, called twice, interrupts no clean-up`, async () => {
    await runVirtual(async (loop) => {
      const log: unknown[] = [];
      await groupOf(kind, log, (group) => {
        group.cancel();
        loop.callLater(0.5, () => group.cancel());
      });
      assertEquals(log, ["body ended", "child cleaned up"]);
    });
  });

  Deno.test(`TaskGroup.cancel() of ${kind}s in a task that cleans up after a cancellation ends quietly`, async () => {
    await runVirtual(async () => {
      const log: unknown[] = [];
      const task = createTask(async () => {
        try {
          await sleep(10);
        } finally {
          await groupOf(kind, log, (group) => group.cancel());
          log.push("went on");
        }
      });
      await sleep(1);
      task.cancel();
      await rejectionOf(task);
      assertEquals(log, ["body ended", "child cleaned up", "went on"]);
    });
  });

  Deno.test(`TaskGroup.cancel() of ${kind}s does not hide a cancellation from outside`, async () => {
    await runVirtual(async (loop) => {
      const log: unknown[] = [];
      const task = createTask(() =>
        groupOf(kind, log, (group) => {
          group.cancel();
          loop.callLater(0.5, () => task.cancel("outside"));
        })
      );
      await rejectionOf(task);
      assertEquals([task.cancelled(), task.cancelling(), loop.time()], [true, 1, 2]);
    });
  });
}

Deno.test("TaskGroup.cancel() in a coroutine that cleans up after a cancellation ends quietly", async () => {
  await runVirtual(function* () {
    const log: unknown[] = [];
    const task = createTask(function* () {
      try {
        yield* sleep(10);
      } finally {
        yield* groupOf("coroutine", log, (group) => group.cancel());
        log.push("went on", currentTask()?.cancelling());
      }
    });
    yield* sleep(1);
    task.cancel();
    yield* sleep(3);
    assertEquals(log, ["body ended", "child cleaned up", "went on", 1]);
    assertEquals(task.cancelled(), true);
  });
});

Deno.test("TaskGroup.cancel() after the body has ended cancels the children and keeps its value", async () => {
  await runVirtual(async (loop) => {
    const value = await taskGroup((group) => {
      group.createTask(() => sleep(10));
      loop.callLater(1, () => group.cancel());
      return "value";
    });
    assertEquals([value, loop.time()], ["value", 1]);
  });
});

Deno.test("TaskGroup.cancel() with a child that fails meanwhile throws its error", async () => {
  await runVirtual(async () => {
    const error = await rejectionOf(taskGroup(async (group) => {
      group.createTask(async () => {
        try {
          await sleep(10);
        } catch {
          throw new Error("child");
        }
      });
      await sleep(1);
      group.cancel();
      await sleep(1);
    }));
    assertEquals(brief(error), "[child]");
    assertEquals(currentTask()?.cancelling(), 0);
    assertEquals(await sleep(1, "goes on"), "goes on");
  });
});

Deno.test("TaskGroup.cancel() by a child ends the group", async () => {
  await runVirtual(async (loop) => {
    const value = await taskGroup(async (group) => {
      group.createTask(async () => {
        await sleep(1);
        group.cancel();
      });
      await sleep(10);
    });
    assertEquals([value, loop.time()], [undefined, 1]);
  });
});

Deno.test("TaskGroup.cancel() before the body first waits lets it return its value", async () => {
  await runVirtual(function* () {
    const value = yield* taskGroup((group) => {
      group.cancel();
      return "value";
    });
    assertEquals(value, "value");
    assertEquals(currentTask()?.cancelling(), 0);
    yield* sleep(1);
  });
});

Deno.test("TaskGroup.cancel() of a closed group does nothing", async () => {
  await runVirtual(async (loop) => {
    const group = await taskGroup((group) => group);
    group.cancel();
    await sleep(1);
    assertEquals(loop.time(), 1);
  });
});
