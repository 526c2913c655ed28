// What an AbortSignal given to an operation does, and whose cancellation is whose.
import { assertEquals } from "@std/assert";
import { CancelledError, createTask, type Future, sleep } from "../../../loop/mod.ts";
import { interruptedBy } from "../../../loop/tasks/interrupted_by.ts";
import { startOperation } from "../../../loop/tasks/start_operation.ts";
import { runVirtual, type TestLoop } from "../_test_loop.ts";

/** An operation that notes the cause of its cancellation. */
function noting(loop: TestLoop, causes: unknown[]): Future<void> {
  return startOperation(
    loop,
    function* () {
      try {
        yield* sleep(3600);
      } catch (error) {
        causes.push((error as Error).cause);
        throw error;
      }
    }(),
  );
}

Deno.test("interruptedBy() throws the reason, and cancels with it as the cause", async () => {
  await runVirtual(async (loop) => {
    const causes: unknown[] = [];
    const controller = new AbortController();
    const future = interruptedBy(loop, controller.signal, () => noting(loop, causes));
    const reason = new Error("enough");
    controller.abort(reason);
    assertEquals(await future.catch((error) => error), reason);
    assertEquals(causes, [reason]);
  });
});

Deno.test("interruptedBy() starts nothing once the signal has aborted", async () => {
  await runVirtual(async (loop) => {
    const reason = new Error("before");
    const never = () => {
      throw new Error("not reached");
    };
    const future = interruptedBy(loop, AbortSignal.abort(reason), never);
    assertEquals(await future.catch((error) => error), reason);
  });
});

Deno.test("interruptedBy() leaves a result alone that comes before the abort", async () => {
  await runVirtual(async (loop) => {
    const controller = new AbortController();
    const future = interruptedBy(loop, controller.signal, () => sleep(1, "value"));
    assertEquals(await future, "value");
    controller.abort();
    assertEquals(future.result(), "value");
  });
});

for (const kind of ["async function", "coroutine"] as const) {
  for (const first of ["cancel", "abort"] as const) {
    Deno.test(`interruptedBy() hides no cancellation of its caller, with ${first} first, in an ${kind}`, async () => {
      await runVirtual(async (loop) => {
        const controller = new AbortController();
        const log: unknown[] = [];
        const wait = () => interruptedBy(loop, controller.signal, () => sleep(3600));
        const task = createTask(
          kind === "coroutine"
            ? function* () {
              try {
                yield* wait();
              } catch (error) {
                log.push(error);
              }
              yield* sleep(1);
              log.push("went on");
            }
            : async () => {
              await wait().catch((error) => log.push(error));
              await sleep(1);
              log.push("went on");
            },
        );
        await sleep(1);
        const reason = new Error("enough");
        const acts = [() => void task.cancel("user"), () => controller.abort(reason)];
        for (const act of first === "cancel" ? acts : acts.toReversed()) act();
        await task.catch(() => {});
        // It is thrown here, or at the next wait, and once.
        const arrived = log[0] instanceof CancelledError;
        assertEquals(log.slice(1), arrived ? ["went on"] : []);
        assertEquals(task.cancelled(), !arrived);
        if (!arrived) assertEquals(log, [reason]);
      });
    });
  }
}
