// The rows G07 and G08 of "gather / wait / shield": shield().
import { assertEquals, assertStrictEquals } from "@std/assert";
import { type Coroutine, createTask, shield, sleep } from "../../../loop/mod.ts";
import { rejectionOf } from "../_outcome.ts";
import { caughtBy, runVirtual } from "../_test_loop.ts";

const planted = new TypeError("planted");

function* failAfter(delay: number): Coroutine<void> {
  yield* sleep(delay);
  throw planted;
}

Deno.test("G07 shield() keeps a cancellation of the waiting task from the inner one", async () => {
  await runVirtual(function* () {
    const inner = createTask(() => sleep(2, "v"));
    const tasks = [
      createTask(function* () {
        return yield* shield(inner);
      }),
      createTask(async () => await shield(inner)),
    ];
    yield* sleep(1);
    for (const task of tasks) task.cancel("m");
    for (const task of tasks) {
      assertEquals(String(yield* caughtBy(task)), "CancelledError: m");
    }
    assertEquals(inner.done(), false);
    assertEquals(yield* inner, "v");
  });
});

Deno.test("G07 shield() is cancelled at once, and without its message if the inner one is", async () => {
  await runVirtual(async (loop) => {
    const inner = createTask(() => sleep(5));
    const outer = shield(inner);
    assertEquals([outer.cancel(), outer.cancelled(), inner.done()], [true, true, false]);

    const other = shield(inner);
    loop.callSoon(() => inner.cancel("lost"));
    assertEquals(String(await rejectionOf(other)), "CancelledError");
    assertEquals(other.cancelled(), true);
  });
});

Deno.test("G07 shield() passes a result and an error on", async () => {
  await runVirtual(function* () {
    assertEquals(yield* shield(sleep(1, "v")), "v");
    assertEquals(yield* shield(async () => await sleep(1, "v")), "v");
    assertStrictEquals(yield* caughtBy(shield(failAfter(1))), planted);
  });
});

Deno.test("G07 shield() of a done future is that future", async () => {
  await runVirtual((loop) => {
    const future = loop.createFuture<number>();
    future.setResult(1);
    assertStrictEquals(shield(future), future);
  });
});

Deno.test("G08 shield() that was cancelled reports a later error of the inner one, once", async () => {
  await runVirtual(function* (loop) {
    const inner = createTask(failAfter(1));
    shield(inner).cancel();
    shield(inner).cancel();
    yield* sleep(5);
    const reports = loop.takeReports();
    assertEquals(reports.map((report) => report.message), [
      "TypeError exception in shielded future",
    ]);
    assertStrictEquals(reports[0]?.exception, planted);
    assertStrictEquals(reports[0]?.future, inner);
  });
});

Deno.test("G08 shield() reports nothing when the inner one is cancelled or gives a value", async () => {
  await runVirtual(async () => {
    const tasks = [createTask(() => sleep(5)), createTask(() => sleep(1))];
    for (const task of tasks) {
      const outer = shield(task);
      await sleep(0);
      outer.cancel();
    }
    tasks[0]?.cancel();
    await sleep(10);
  });
});
