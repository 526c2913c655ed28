// What aborting the signal of a job does, wherever it is.
import { assertEquals } from "@std/assert";
import {
  createJob,
  type Executor,
  getRunningLoop,
  type PoolExecutor,
  ProcessPoolExecutor,
  run,
  toThread,
  WorkerPoolExecutor,
} from "../../mod.ts";

const POOLS: Record<string, () => PoolExecutor> = {
  thread: () => new WorkerPoolExecutor({ maxWorkers: 1 }),
  process: () => new ProcessPoolExecutor({ maxWorkers: 1 }),
};

const reason = new Error("no longer wanted");

/** A job that tells when it runs and then waits for ever, or so. */
function endlessJob(signal: AbortSignal, onProgress: (value: string) => void) {
  return createJob(async (report: (value: string) => void) => {
    report("running");
    await new Promise((resolve) => setTimeout(resolve, 3_600_000));
  }, { signal, onProgress });
}

for (const [kind, createPool] of Object.entries(POOLS)) {
  Deno.test(`A job whose signal has aborted throws its reason and is not sent (${kind})`, () =>
    run(async () => {
      await using pool = createPool();
      const job = createJob(() => "sent", { signal: AbortSignal.abort(reason) });
      assertEquals(await pool.submit(job).catch((error) => error), reason);
      assertEquals(
        await getRunningLoop().runInExecutor(pool, job).catch((error) => error),
        reason,
      );
    }));

  Deno.test(`A job whose signal aborts while it queues is taken out of the queue (${kind})`, () =>
    run(async () => {
      await using pool = createPool();
      const controller = new AbortController();
      const first = pool.submit(() => 1);
      const job = createJob((value: number) => value, { signal: controller.signal });
      const queued = [2, 3].map((value) => pool.submit(job, value));
      const last = pool.submit(() => 4);
      controller.abort(reason);
      for (const each of queued) assertEquals(await each.catch((error) => error), reason);
      assertEquals([await first, await last], [1, 4]);
    }));
}

Deno.test("A job whose signal aborts while it runs ends its process, and throws the reason", () =>
  run(async () => {
    await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
    const controller = new AbortController();
    const running = getRunningLoop().createFuture<string>();
    const job = pool.submit(endlessJob(controller.signal, (value) => running.setResult(value)));
    assertEquals(await running, "running");
    controller.abort(reason);
    assertEquals(await job.catch((error) => error), reason);
    assertEquals(await pool.submit(() => "next"), "next");
  }));

Deno.test("toThread() of a job whose signal aborts lets go of its thread, and throws the reason", () =>
  run(async () => {
    const controller = new AbortController();
    const running = getRunningLoop().createFuture<string>();
    const release = new Int32Array(new SharedArrayBuffer(4));
    const job = createJob((memory: Int32Array, report: (value: string) => void) => {
      report("running");
      Atomics.wait(memory, 0, 0);
    }, { signal: controller.signal, onProgress: (value: string) => running.setResult(value) });
    const future = toThread(job, release);
    await running;
    controller.abort(reason);
    assertEquals(await future.catch((error) => error), reason);
    Atomics.store(release, 0, 1);
    Atomics.notify(release, 0);
  }));

Deno.test("A job's signal reaches executors that are not ours", () =>
  run(async () => {
    const loop = getRunningLoop();
    const causes: unknown[] = [];
    let submitted = 0;
    const foreign: Executor = {
      submit: () => {
        submitted += 1;
        const future = loop.createFuture<never>();
        future.addDoneCallback(() => {
          try {
            future.result();
          } catch (error) {
            causes.push((error as Error).cause);
          }
        });
        return future;
      },
      shutdown: () => Promise.resolve(),
    };
    const controller = new AbortController();
    const job = createJob(() => 1, { signal: controller.signal });
    const future = loop.runInExecutor(foreign, job);
    controller.abort(reason);
    assertEquals(await future.catch((error) => error), reason);
    assertEquals(await loop.runInExecutor(foreign, job).catch((error) => error), reason);
    assertEquals([causes, submitted], [[reason], 1]);
  }));
