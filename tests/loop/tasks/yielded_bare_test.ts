// `yield` where `yield*` is meant: nobody would give the result, so it is told at the yield.
import { assertEquals, assertMatch } from "@std/assert";
import {
  type Coroutine,
  createTask,
  ensureFuture,
  Event,
  type Future,
  getRunningLoop,
  Lock,
  Queue,
  sleep,
  taskGroup,
  timeout,
  waitFor,
} from "../../../loop/mod.ts";
import { startOperation } from "../../../loop/tasks/start_operation.ts";
import { runVirtual } from "../_test_loop.ts";

/** What one waits for, of each kind: bare futures, tasks, operations, what begins when awaited. */
const AWAITABLES: Readonly<Record<string, () => Future<unknown>>> = {
  "a future": () => getRunningLoop().createFuture(),
  "a future that is done": () => {
    const future = getRunningLoop().createFuture<number>();
    future.setResult(1);
    return future;
  },
  "a task": () => createTask(() => sleep(1)),
  "sleep()": () => sleep(1),
  "lock.acquire()": () => new Lock().acquire(),
  "queue.get()": () => new Queue<number>().get(),
  "event.wait()": () => new Event().wait(),
  "timeout()": () => timeout(1, () => sleep(2)),
  "waitFor()": () => waitFor(sleep(2), 1),
  "taskGroup()": () => taskGroup(() => sleep(1)),
  "ensureFuture(promise)": () => ensureFuture(Promise.resolve()),
};

/** Where a coroutine runs. */
const PLACES: Readonly<Record<string, (work: () => Coroutine<string>) => Future<string>>> = {
  "a task": (work) => createTask(work),
  "an operation": (work) => startOperation(getRunningLoop(), work()),
  "a block in a coroutine": (work) =>
    createTask(function* () {
      return yield* timeout(9, work);
    }),
  "a block in an async function": (work) =>
    createTask(async () => {
      return await taskGroup(work);
    }),
};

for (const [place, start] of Object.entries(PLACES)) {
  for (const [name, create] of Object.entries(AWAITABLES)) {
    Deno.test(`yield of ${name} in ${place} throws there, and the coroutine can go on`, async () => {
      const message = await runVirtual(async () => {
        return await start(function* () {
          const awaitable = create();
          try {
            yield awaitable;
            return "";
          } catch (error) {
            yield* sleep(0);
            return String(error);
          } finally {
            awaitable.cancel();
          }
        });
      });
      assertMatch(
        message,
        /^TypeError: Cannot wait in .*: (a future|task "Task-\d") was yielded by "yield", and waiting takes "yield\*"$/,
      );
    });
  }
}

Deno.test("yield of a coroutine or a promise names what to do with it", async () => {
  function* work(): Coroutine<number> {
    yield* sleep(1);
    return 1;
  }
  await runVirtual(async () => {
    for (
      const [wrong, remedy] of [
        [work(), 'a coroutine; waiting takes "yield*"'],
        [Promise.resolve(1), 'Promise; as in "yield* ensureFuture(promise)"'],
        [1, "1"],
      ] as const
    ) {
      const task = createTask(function* () {
        yield wrong;
      });
      const text = await task.then(() => "", String);
      assertEquals(
        text,
        `TypeError: Cannot wait in task "${task.getName()}": expected a yielded future, got ${remedy}`,
      );
    }
  });
});

Deno.test("a coroutine that drives another one by hand yields on what that waits for", async () => {
  function* inner(): Coroutine<string> {
    const first = yield* sleep(1, "first");
    return first + (yield* timeout(5, () => sleep(1, " second")));
  }
  function* driver(): Coroutine<string> {
    const coroutine = inner();
    for (let result = coroutine.next();; result = coroutine.next()) {
      if (result.done === true) return result.value;
      yield result.value;
    }
  }
  const value = await runVirtual(async (loop) => [await createTask(driver()), loop.time()]);
  assertEquals(value, ["first second", 2]);
});
