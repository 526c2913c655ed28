// A job that is cancelled at any turn of the loop, while its worker starts, runs, answers or ends: the
// cancellation arrives, and the pool goes on.
import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  BrokenExecutor,
  CancelledError,
  createTask,
  type PoolExecutor,
  ProcessPoolExecutor,
  run,
  sleep,
  timeout,
  TimeoutError,
  WorkerPoolExecutor,
} from "../../mod.ts";

const POOLS: Record<string, () => PoolExecutor> = {
  thread: () => new WorkerPoolExecutor({ maxWorkers: 1 }),
  process: () => new ProcessPoolExecutor({ maxWorkers: 1 }),
};
const TURNS = [0, 1, 2, 5, 20];

async function waitTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await sleep(0);
}

for (const [kind, createPool] of Object.entries(POOLS)) {
  Deno.test(`A job is cancelled at any turn, and the next one runs (${kind})`, () =>
    run(async () => {
      for (const isFresh of [true, false]) {
        for (const turns of TURNS) {
          await using pool = createPool();
          if (!isFresh) await pool.warmUp();
          const jobs = [1, 2, 3].map((n) => pool.submit((n: number) => n, n));
          const task = createTask(() => jobs[0]);
          await waitTurns(turns);
          const wasDone = !task.cancel("enough");
          const outcome = await task.then((value) => value, (error: unknown) => error);
          if (wasDone) assertEquals(outcome, 1);
          else assertInstanceOf(outcome, CancelledError);
          assertEquals(await Promise.all(jobs.slice(1)), [2, 3]);
        }
      }
    }));

  Deno.test(`warmUp() is cancelled at any turn, and the pool can be used (${kind})`, () =>
    run(async () => {
      for (const turns of TURNS) {
        await using pool = createPool();
        const task = createTask(() => pool.warmUp());
        await waitTurns(turns);
        if (task.cancel()) await assertRejects(async () => await task, CancelledError);
        assertEquals(await pool.submit(() => "next"), "next");
      }
    }));

  Deno.test(`A job whose time is up while its worker starts is a TimeoutError (${kind})`, () =>
    run(async () => {
      await using pool = createPool();
      const waiting = timeout(0, async () => await pool.submit(() => "late"));
      await assertRejects(async () => await waiting, TimeoutError);
      assertEquals(await pool.submit(() => "next"), "next");
    }));

  Deno.test(`shutdown() at any turn settles every job (${kind})`, () =>
    run(async () => {
      for (const turns of TURNS) {
        const pool = createPool();
        const jobs = [1, 2, 3].map((n) => pool.submit((n: number) => n, n));
        const settled = Promise.allSettled(jobs);
        await waitTurns(turns);
        await pool.shutdown({ timeout: 0 });
        for (const result of await settled) {
          if (result.status === "fulfilled") continue;
          const { reason } = result;
          if (!(reason instanceof CancelledError)) assertInstanceOf(reason, BrokenExecutor);
        }
      }
    }));
}
