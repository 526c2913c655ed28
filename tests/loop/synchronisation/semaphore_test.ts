// The row L05: Semaphore and BoundedSemaphore.
import { assertEquals, assertThrows } from "@std/assert";
import {
  BoundedSemaphore,
  type Coroutine,
  createTask,
  gather,
  Semaphore,
  sleep,
} from "../../../loop/mod.ts";
import { rejectionOf } from "../_outcome.ts";
import { runVirtual } from "../_test_loop.ts";

function* visit(semaphore: Semaphore, log: unknown[], name: unknown): Coroutine<void> {
  using _permit = yield* semaphore.acquire();
  log.push(name);
  yield* sleep(0);
}

async function visitAsync(semaphore: Semaphore, log: unknown[], name: unknown): Promise<void> {
  using _permit = await semaphore.acquire();
  log.push(name);
  await sleep(0);
}

for (const [kind, body] of [["coroutines", visit], ["async functions", visitAsync]] as const) {
  Deno.test(`L05 Semaphore lets so many ${kind} through at a time, in the order in which they came`, async () => {
    await runVirtual(function* () {
      const log: unknown[] = [];
      const semaphore = new Semaphore(2);
      const tasks = [0, 1, "late"].map((name) => createTask(() => body(semaphore, log, name)));
      yield* sleep(0);
      assertEquals([log.slice(0, 2), semaphore.locked()], [[0, 1], true]);
      yield* gather(tasks);
      assertEquals([log, semaphore.locked(), semaphore.value], [[0, 1, "late"], false, 2]);
    });
  });
}

Deno.test("L05 Semaphore.locked() is true while a permit is on its way to a waiter", async () => {
  await runVirtual(async () => {
    const semaphore = new Semaphore(1);
    await semaphore.acquire();
    const waiting = createTask(() => visit(semaphore, [], 1));
    await sleep(0);
    semaphore.release();
    assertEquals([semaphore.locked(), semaphore.value], [true, 0]);
    await waiting;
  });
});

Deno.test("L05 Semaphore passes the permit on of a waiter that is cancelled after the release", async () => {
  await runVirtual(async () => {
    const log: unknown[] = [];
    const semaphore = new Semaphore(0);
    const [first, second] = [1, 2].map((name) =>
      createTask(() => visitAsync(semaphore, log, name))
    );
    await sleep(0);
    semaphore.release();
    semaphore.release();
    first?.cancel();
    await rejectionOf(first as Promise<unknown>);
    await second;
    assertEquals([log, semaphore.value, semaphore.locked()], [[2], 2, false]);
  });
});

Deno.test("L05 Semaphore.acquire() does not overtake a waiter that is not cancelled", async () => {
  await runVirtual(function* () {
    const log: unknown[] = [];
    const semaphore = new Semaphore(1);
    yield* semaphore.acquire();
    const waiting = createTask(() => visit(semaphore, log, "waiter"));
    yield* sleep(0);
    semaphore.release();
    const barger = createTask(() => visit(semaphore, log, "barger"), { eager: true });
    yield* gather([waiting, barger]);
    assertEquals(log, ["waiter", "barger"]);
  });
});

Deno.test("L05 BoundedSemaphore.release() is refused when all permits are free", () => {
  assertThrows(
    () => new BoundedSemaphore(1).release(),
    RangeError,
    "Cannot release a semaphore: all 1 permits are free",
  );
});

Deno.test("L05 Semaphore refuses a number of permits that is none", () => {
  for (const value of [-1, 1.5, NaN, "1"]) {
    assertThrows(
      () => new Semaphore(value as number),
      RangeError,
      "Cannot create a semaphore: expected a whole number of at least 0",
    );
  }
});
