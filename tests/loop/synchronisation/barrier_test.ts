// The row L06: Barrier.
import { assertEquals, assertThrows } from "@std/assert";
import {
  Barrier,
  BrokenBarrierError,
  createTask,
  gather,
  sleep,
  type Task,
} from "../../../loop/mod.ts";
import { KINDS, rejectionOf } from "../_outcome.ts";
import { runVirtual } from "../_test_loop.ts";

/** So many tasks that wait at `barrier`, as coroutines or as async functions. */
function waitersAt(barrier: Barrier, count: number, kind: string): Task<number>[] {
  return Array.from({ length: count }, () =>
    kind === "coroutine"
      ? createTask(function* () {
        return yield* barrier.wait();
      })
      : createTask(async () => await barrier.wait()));
}

/** How `tasks` end. */
function endsOf(tasks: Task<number>[]) {
  return gather(tasks, { returnExceptions: true }).then((ends) => ends.map(String));
}

for (const kind of KINDS) {
  Deno.test(`L06 Barrier gives each ${kind} its place, and can be used again`, async () => {
    await runVirtual(async () => {
      const barrier = new Barrier(3);
      for (let round = 0; round < 2; round += 1) {
        const places = await gather(waitersAt(barrier, 3, kind));
        assertEquals(places.toSorted(), [0, 1, 2]);
      }
      assertEquals([barrier.waiting, barrier.parties, barrier.broken], [0, 3, false]);
    });
  });

  Deno.test(`L06 Barrier.reset() throws BrokenBarrierError in each waiting ${kind}`, async () => {
    await runVirtual(async () => {
      const barrier = new Barrier(3);
      const tasks = waitersAt(barrier, 2, kind);
      await sleep(0);
      assertEquals(barrier.waiting, 2);
      await barrier.reset();
      const error = "BrokenBarrierError: Cannot wait at a barrier: it was reset";
      assertEquals(await endsOf(tasks), [error, error]);
      assertEquals([barrier.waiting, barrier.broken], [0, false]);
      assertEquals((await gather(waitersAt(barrier, 3, kind))).toSorted(), [0, 1, 2]);
    });
  });

  Deno.test(`L06 Barrier.abort() throws BrokenBarrierError in each ${kind} until it is reset`, async () => {
    await runVirtual(async () => {
      const barrier = new Barrier(3);
      const tasks = waitersAt(barrier, 2, kind);
      await sleep(0);
      await barrier.abort();
      const error = "BrokenBarrierError: Cannot wait at a barrier: it was aborted";
      assertEquals(await endsOf(tasks), [error, error]);
      assertEquals([barrier.waiting, barrier.broken], [0, true]);
      const late = await rejectionOf(barrier.wait());
      assertEquals([String(late), late instanceof BrokenBarrierError], [error, true]);
      await barrier.reset();
      assertEquals(barrier.broken, false);
    });
  });

  Deno.test(`L06 Barrier forgets a ${kind} that is cancelled, and waits for another`, async () => {
    await runVirtual(async () => {
      const barrier = new Barrier(3);
      const tasks = waitersAt(barrier, 2, kind);
      await sleep(0);
      tasks[0]?.cancel();
      await sleep(1);
      assertEquals([barrier.waiting, barrier.broken], [1, false]);
      tasks.push(...waitersAt(barrier, 2, kind));
      // As in CPython: places count who is there, so the newcomer has the place of the first again.
      assertEquals(await endsOf(tasks), ["CancelledError", "1", "1", "2"]);
    });
  });
}

Deno.test("L06 Barrier of one lets each task pass", async () => {
  await runVirtual(async () => {
    const barrier = new Barrier(1);
    assertEquals([await barrier.wait(), await barrier.wait()], [0, 0]);
  });
});

Deno.test("L06 Barrier refuses a number of parties that is none", () => {
  for (const parties of [0, -1, 1.5, NaN]) {
    assertThrows(
      () => new Barrier(parties),
      RangeError,
      "Cannot create a barrier: expected a whole number of at least 1",
    );
  }
});
