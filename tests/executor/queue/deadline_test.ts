// What a deadline does to a job of a queue, by the clock of a simulated world.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CancelledError, getRunningLoop, sleep, TimeoutError } from "@gyre/asyncio";
import { defineJobs, JobWorker, QueueExecutor } from "@gyre/asyncio/queue";
import { simulate, SimulatedBroker, SimulatedQueue } from "@gyre/asyncio/simulation";

const AT = { hostname: "broker", port: 80 };
const PAST = 'Cannot finish job "work": its deadline has passed';

/** What has become of the jobs of a world. */
interface Tally {
  begun: number;
  ended: number;
  cancelled: number;
}

function jobsOf(tally: Tally) {
  return defineJobs({
    work: async (seconds: number) => {
      tally.begun += 1;
      try {
        await sleep(seconds);
      } catch (error) {
        if (error instanceof CancelledError) tally.cancelled += 1;
        throw error;
      }
      tally.ended += 1;
      return seconds;
    },
    fail: () => {
      tally.begun += 1;
      throw new RangeError("no");
    },
  });
}

type Jobs = ReturnType<typeof jobsOf>;

/**
 * A world with a caller, a queue, and a worker that runs one job at a time. In the end the queue keeps
 * `replies`, which nobody has read who may let them go.
 */
function inWorld(
  body: (world: {
    jobs: Jobs;
    tally: Tally;
    executor: QueueExecutor;
    crashCaller: (submit: (executor: QueueExecutor) => void) => Promise<void>;
  }) => Promise<void>,
  replies = 0,
): Promise<void> {
  return simulate(async ({ host }) => {
    const tally = { begun: 0, ended: 0, cancelled: 0 };
    const jobs = jobsOf(tally);
    const queue = new SimulatedQueue();
    host("broker").run(() => queue.serve(AT.port));
    host("worker").run(() => new JobWorker(new SimulatedBroker(AT), { jobs }).run());
    const executor = new QueueExecutor(new SimulatedBroker(AT));
    const crashCaller = async (submit: (executor: QueueExecutor) => void) => {
      host("caller").run(async () => {
        submit(new QueueExecutor(new SimulatedBroker(AT)));
        await sleep(3600);
      });
      await sleep(1);
      host("caller").crash();
    };
    await body({ jobs, tally, executor, crashCaller });
    await executor.shutdown();
    await sleep(5);
    assertEquals(queue.length, replies);
  });
}

Deno.test("QueueJob.with() takes a deadline, and refuses one that is over before the delay", () => {
  const { work } = jobsOf({ begun: 0, ended: 0, cancelled: 0 });
  assertEquals(work.with({ deadline: 5 }).settings, { deadline: 5 });
  const late = work.with({ delay: 5 });
  for (const deadline of [0, 3, 5]) assertThrows(() => late.with({ deadline }), RangeError);
  assertThrows(() => work.with({ deadline: "5" as never }), TypeError, '"deadline"');
});

Deno.test("QueueExecutor gives the result of a job that ends before its deadline", () =>
  inWorld(async ({ jobs, executor, tally }) => {
    assertEquals(await executor.submit(jobs.work.with({ deadline: 10 }), 3), 3);
    assertEquals(tally, { begun: 1, ended: 1, cancelled: 0 });
  }));

Deno.test("QueueExecutor ends a job that runs at its deadline, with TimeoutError", () =>
  inWorld(async ({ jobs, executor, tally }) => {
    const begin = getRunningLoop().time();
    const job = executor.submit(jobs.work.with({ deadline: 4, retries: 9 }), 1000);
    await assertRejects(async () => await job, TimeoutError, PAST);
    assertEquals(getRunningLoop().time() - begin, 4);
    await sleep(3);
    assertEquals(tally, { begun: 1, ended: 0, cancelled: 1 });
  }));

Deno.test("QueueExecutor takes a job out of the queue whose deadline comes while it waits", () =>
  inWorld(async ({ jobs, executor, tally }) => {
    const first = executor.submit(jobs.work, 20);
    await sleep(1);
    const second = executor.submit(jobs.work.with({ deadline: 5 }), 1);
    await assertRejects(async () => await second, TimeoutError, PAST);
    assertEquals(await first, 20);
    assertEquals(await executor.submit(jobs.work, 0), 0);
    assertEquals(tally, { begun: 2, ended: 2, cancelled: 0 });
  }));

Deno.test("JobWorker runs no job that it takes after its deadline, and ends one at it, also for nobody", () =>
  inWorld(async ({ jobs, executor, tally, crashCaller }) => {
    await crashCaller((caller) => {
      caller.submit(jobs.work.with({ deadline: 4 }), 1000);
      caller.submit(jobs.work.with({ deadline: 3, key: "late" }), 1000);
    });
    await sleep(10);
    assertEquals(tally, { begun: 1, ended: 0, cancelled: 1 });
    const late = executor.submit(jobs.work.with({ key: "late" }), 1);
    await assertRejects(async () => await late, TimeoutError, PAST);
  }, 2));

Deno.test("JobWorker tries a job again that fails, unless that would be after its deadline", () =>
  inWorld(async ({ jobs, executor, tally }) => {
    const job = executor.submit(jobs.fail.with({ retries: 9, backoff: 2, deadline: 12 }));
    await assertRejects(async () => await job, RangeError, "no");
    // At 0, 2 and 6 seconds; the next one would be at 14.
    assertEquals(tally.begun, 3);
  }));

Deno.test("QueueExecutor lets a job with a key go on for others when a caller's deadline comes", () =>
  inWorld(async ({ jobs, executor, tally }) => {
    const patient = executor.submit(jobs.work.with({ key: "shared" }), 6);
    const hasty = executor.submit(jobs.work.with({ key: "shared", deadline: 2 }), 6);
    await assertRejects(async () => await hasty, TimeoutError, PAST);
    assertEquals(await patient, 6);
    assertEquals(tally, { begun: 1, ended: 1, cancelled: 0 });
  }, 1));
