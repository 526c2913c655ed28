/** Cancellations that meet nested operations; found by comparing random programs with CPython. */
import { assertEquals, assertRejects } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  currentTask,
  type Future,
  gather,
  shield,
  sleep,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
  waitFor,
} from "../../../loop/mod.ts";
import { runVirtual } from "../_test_loop.ts";

const self = () => currentTask() as Task<unknown>;

/** Gives the `CancelledError` that `future` ends with. */
function* errorOf(future: Future<unknown>): Coroutine<CancelledError> {
  try {
    yield* future;
  } catch (error) {
    if (error instanceof CancelledError) return error;
    throw error;
  }
  throw new Error("Cannot return the error of a future: it has none");
}

Deno.test("gather() of a timeout() ends when it is cancelled before the first step", async () => {
  await runVirtual(function* () {
    self().cancel("stop");
    const error = yield* errorOf(gather([timeout(1, () => sleep(0))]));
    assertEquals(error.message, "stop");
    self().uncancel();
  });
});

Deno.test("gather() of a taskGroup() whose body cancels its own task ends cancelled", async () => {
  await runVirtual(function* () {
    const error = yield* errorOf(gather([taskGroup(() => void self().cancel("own"))]));
    assertEquals(error.message, "own");
  });
});

Deno.test("gather() that is cancelled gives the message which its last child keeps", async () => {
  await runVirtual(function* (loop) {
    const child = createTask(function* () {
      try {
        yield* sleep(1);
      } catch {
        return;
      }
    });
    const both = gather([child]);
    yield* sleep(0);
    both.cancel("first");
    child.cancel("second");
    const error = yield* errorOf(both);
    assertEquals(error.message, "second");
    assertEquals(loop.time(), 0);
  });
});

Deno.test("A cancellation that timeout()'s async body did not come to await is due after it", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => {
      await timeout(1, () => Promise.resolve(self().cancel("late")));
      await sleep(1);
    });
    await assertRejects(() => task.finally(), CancelledError, "late");
  });
});

Deno.test("A cancellation that a group's async body did not come to await ends the coroutine", async () => {
  await runVirtual(function* () {
    yield* errorOf(shield(taskGroup(() => Promise.resolve(self().cancel()))));
  });
});

Deno.test("waitFor() gets the cancellation that its async function asked for before", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => {
      self().cancel("before");
      await waitFor(() => sleep(5), 1);
    });
    await assertRejects(() => task.finally(), CancelledError, "before");
  });
});

Deno.test("uncancel() in a group's async body takes back a cancellation from before it", async () => {
  await runVirtual(async () => {
    const task = createTask(async () => {
      try {
        await sleep(1);
      } catch {
        // Refused, and not yet taken back.
      }
      return await taskGroup(() => Promise.resolve(self().uncancel()));
    });
    await sleep(0);
    task.cancel();
    assertEquals(await task, 0);
  });
});

Deno.test("timeout() that expired in an async function lets the next await be", async () => {
  await runVirtual(async (loop) => {
    const value = await timeout(1, async () => {
      loop.clock.advance(2);
      await Promise.resolve();
      await new Promise<void>((resolve) => loop.callLater(1, resolve));
      return "late";
    });
    assertEquals(value, "late");
    await sleep(1);
    await assertRejects(() => timeout(1, () => sleep(2)).finally(), TimeoutError);
  });
});
