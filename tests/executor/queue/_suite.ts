// What every broker does. Each test has an engine of its own.
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  BrokenExecutor,
  CancelledError,
  createSubprocessExec,
  createTask,
  type Future,
  getRunningLoop,
  QueueFull,
  run,
  sleep,
  type Task,
  TimeoutError,
  wait,
} from "@gyre/asyncio";
import { JobWorker, QueueExecutor } from "@gyre/asyncio/queue";
import { hasCommand } from "../../peers/_peer_process.ts";
import type { Server } from "../../engines/_server.ts";
import { countLines, type Engine, type EngineKind, startWorker } from "./_engine.ts";
import jobs from "./_jobs.ts";

/** Seconds of the leases: where a worker is lost, and where none is to be taken for lost. */
const SHORT_LEASE = 1;
const LONG_LEASE = 10;

/** Runs `body` with an engine that is empty at the end. */
function withEngine(
  kind: EngineKind,
  lease: number,
  server: Server | undefined,
  body: (engine: Engine) => Promise<void>,
): Promise<void> {
  return run(async () => {
    await using engine = await kind.start(lease, server);
    await body(engine);
    await engine.assertEmpty();
  });
}

/** Runs `body` beside a worker on this loop. */
async function withWorker(
  engine: Engine,
  body: () => Promise<void>,
  concurrency = 4,
): Promise<void> {
  const ending = new AbortController();
  const { signal } = ending;
  const worker = createTask(() =>
    new JobWorker(engine.broker(), { jobs, concurrency, grace: 1, signal }).run()
  );
  try {
    await body();
  } finally {
    ending.abort();
    await worker;
  }
}

/** Waits until `count` lines are in a file. */
async function untilLines(file: string, line: string, count: number): Promise<void> {
  while (await countLines(file, line) < count) await sleep(0.02);
}

/** Sends a process a signal that Deno does not send: `STOP`, `CONT`. */
async function signal(pid: number, name: string): Promise<void> {
  await using kill = await createSubprocessExec("kill", { args: [`-${name}`, String(pid)] });
  await kill.wait();
}

/** Tests `kind`. */
export function testBroker(kind: EngineKind): void {
  const ignore = kind.command !== undefined && !hasCommand(kind.command, "--version");
  let server: Server | undefined;
  if (!ignore && kind.startServer !== undefined) {
    const { startServer } = kind;
    Deno.test.beforeAll(async () => void (server = await startServer()));
    Deno.test.afterAll(async () => await server?.[Symbol.asyncDispose]());
  }
  const test = (
    name: string,
    body: (engine: Engine) => Promise<void>,
    lease: number = LONG_LEASE,
  ) => {
    Deno.test({
      name: `${kind.name}: ${name}`,
      ignore,
      fn: () => withEngine(kind, lease, server, body),
    });
  };

  test("QueueExecutor gives values and errors of jobs, as runInExecutor() has them", (engine) =>
    withWorker(engine, async () => {
      await using executor = new QueueExecutor(engine.broker());
      const loop = getRunningLoop();
      assertEquals(await loop.runInExecutor(executor, jobs.double, 21), 42);
      const value = { map: new Map([[1, new Uint8Array([1, 2])]]), date: new Date(0), nan: NaN };
      assertEquals(await executor.submit(jobs.echo, value), value);
      const error = await assertRejects(
        () => Promise.resolve(executor.submit(jobs.fail, "too far")),
        RangeError,
        "too far",
      );
      assertMatch(error.stack ?? "", /_jobs\.ts/);
    }));

  test("QueueExecutor with JSON gives what JSON has", (engine) =>
    withWorker(engine, async () => {
      await using executor = new QueueExecutor(engine.broker(), { encoding: "json" });
      assertEquals(await executor.submit(jobs.echo, { list: [1, "two", null] }), {
        list: [1, "two", null],
      });
      await assertRejects(async () => await executor.submit(jobs.fail, "no"), RangeError, "no");
    }));

  test("QueueExecutor refuses what it cannot send at the call", async (engine) => {
    await using executor = new QueueExecutor(engine.broker());
    assertThrows(() => executor.submit((() => 1) as never), TypeError, "one of defineJobs()");
    assertThrows(() => executor.submit(jobs.echo, () => 1), TypeError, "it is a function");
    const large = new Uint8Array(engine.broker().maxBytes);
    assertThrows(() => executor.submit(jobs.echo, large), RangeError, "and may take");
  });

  test("QueueExecutor refuses more jobs than it may have unfinished, and cancels what waits", async (engine) => {
    await using executor = new QueueExecutor(engine.broker(), { maxQueued: 2 });
    const waiting = [executor.submit(jobs.double, 1), executor.submit(jobs.double, 2)];
    assertThrows(() => executor.submit(jobs.double, 3), QueueFull, "2 jobs are unfinished");
    for (const job of waiting) job.cancel();
    for (const job of waiting) await assertRejects(async () => await job, CancelledError);
  });

  test("JobWorker refuses a job that it does not know", (engine) =>
    withWorker(engine, async () => {
      await using executor = new QueueExecutor(engine.broker());
      const other = Object.assign(Object.create(Object.getPrototypeOf(jobs.double)), jobs.double, {
        name: "constructor",
      });
      await assertRejects(
        async () => await executor.submit(other as typeof jobs.double, 1),
        TypeError,
        'Cannot run job "constructor": the worker has no job of that name',
      );
    }));

  test("QueueExecutor adds a job with a key once, and gives its result to all", async (engine) => {
    const file = `${engine.folder}/effects`;
    const broker = engine.broker();
    await withWorker(engine, async () => {
      await using executor = new QueueExecutor(engine.broker());
      await using other = new QueueExecutor(engine.broker());
      const job = jobs.effect.with({ key: "once" });
      const results = [executor, executor, other].map((each) => each.submit(job, file, "a", 20));
      for (const result of results) assertEquals(await result, "a");
      assertEquals(await executor.submit(job, file, "a", 20), "a");
    });
    assertEquals(await countLines(file, "a"), 1);
    await broker.open(getRunningLoop());
    await broker.forget("key-once");
    await broker.close();
  });

  test("QueueExecutor tries a job again after an error as often as it is told", async (engine) => {
    const file = `${engine.folder}/effects`;
    const flaky = jobs.flaky.with({ retries: 2, backoff: 0.05 });
    await withWorker(engine, async () => {
      await using executor = new QueueExecutor(engine.broker());
      assertEquals(await executor.submit(flaky, file, 3), 3);
      await assertRejects(async () => await executor.submit(flaky, `${file}2`, 9), Error, "try 3");
    });
    assertEquals(await countLines(file, "try"), 3);
  });

  test("QueueExecutor lets a job wait for its delay, and those of higher priority go first", async (engine) => {
    const file = `${engine.folder}/order`;
    await using executor = new QueueExecutor(engine.broker());
    const begin = getRunningLoop().time();
    const late = executor.submit(jobs.effect.with({ delay: 0.5 }), file, "late", 0);
    const low = executor.submit(jobs.effect, file, "low", 0);
    await untilSize(engine, 2);
    const high = executor.submit(jobs.effect.with({ priority: 5 }), file, "high", 0);
    await untilSize(engine, 3);
    await withWorker(engine, async () => {
      for (const job of [late, low, high]) await job;
    }, 1);
    assert(getRunningLoop().time() - begin >= 0.45);
    assertEquals(await Deno.readTextFile(file), "high\nlow\nlate\n");
  });

  test("QueueExecutor.shutdown() fails what is missing after its timeout; the job stays", async (engine) => {
    const executor = new QueueExecutor(engine.broker());
    const job = executor.submit(jobs.double, 21);
    await untilSize(engine, 1);
    const ended = executor.shutdown({ timeout: 0 });
    await assertRejects(async () => await job, BrokenExecutor, "the executor was shut down");
    await ended;
    assertThrows(() => executor.submit(jobs.double, 1), Error, "the executor was shut down");
    await untilSize(engine, 1);
    await removeAll(engine);
  });

  test("a job whose worker is killed is done again by another one", async (engine) => {
    const file = `${engine.folder}/effects`;
    await using executor = new QueueExecutor(engine.broker());
    const job = executor.submit(jobs.effect, file, "a", 700);
    await using first = await startWorker(engine);
    await untilLines(file, "a", 1);
    first.kill();
    await first.wait();
    await withWorker(engine, async () => assertEquals(await job, "a"));
    assertEquals(await countLines(file, "a"), 2);
  }, SHORT_LEASE);

  test(
    "a job whose worker stands still is done by another one, and its own answer has no effect",
    async (engine) => {
      const file = `${engine.folder}/effects`;
      await using executor = new QueueExecutor(engine.broker());
      const job = executor.submit(jobs.effect, file, "a", 100);
      await using first = await startWorker(engine);
      await untilLines(file, "a", 1);
      await signal(first.pid, "STOP");
      await withWorker(engine, async () => assertEquals(await job, "a"));
      await signal(first.pid, "CONT");
      first.terminate();
      assertEquals(await first.wait(), 0);
      assertEquals(await countLines(file, "a"), 2);
    },
    SHORT_LEASE,
  );

  test("a job that computes for three times its lease is done once", async (engine) => {
    const file = `${engine.folder}/effects`;
    await using executor = new QueueExecutor(engine.broker());
    await using worker = await startWorker(engine);
    const ms = 3000 * engine.lease;
    assertEquals(await executor.submit(jobs.compute, file, ms), "computed");
    assertEquals(await countLines(file, "computed"), 1);
    worker.terminate();
    await worker.wait();
  }, SHORT_LEASE);

  test("a job that is cancelled, or past its deadline, ends with its process, and its worker goes on", async (engine) => {
    const file = `${engine.folder}/effects`;
    await using executor = new QueueExecutor(engine.broker());
    await using worker = await startWorker(engine);
    const late = jobs.compute.with({ deadline: 1 });
    await assertRejects(
      async () => await executor.submit(late, `${file}2`, 3_600_000),
      TimeoutError,
    );
    const job = executor.submit(jobs.compute, file, 3_600_000);
    await untilLines(file, "computed", 1);
    job.cancel();
    assertEquals(await executor.submit(jobs.double, 2), 4);
    await assertRejects(
      async () => await executor.submit(jobs.exit),
      BrokenExecutor,
      'Cannot finish job "exit": its worker exited with code 7',
    );
    worker.terminate();
    assertEquals(await worker.wait(), 0);
  });

  test("a worker that gets SIGTERM ends its job and exits with 0; without grace it hands it back", async (engine) => {
    const file = `${engine.folder}/effects`;
    await using executor = new QueueExecutor(engine.broker());
    const ended: Task<unknown>[] = [];
    for (const [line, grace] of [["ends", "10"], ["back", "0"]] as const) {
      const job = executor.submit(jobs.effect, file, line, 500);
      await using worker = await startWorker(engine, "--grace", grace);
      await untilLines(file, line, 1);
      worker.terminate();
      assertEquals(await worker.wait(), 0);
      ended.push(createTask(async () => assertEquals(await job, line)));
    }
    assertEquals(await engineSize(engine), 1);
    await withWorker(engine, async () => void await Promise.all(ended));
    assertEquals([await countLines(file, "ends"), await countLines(file, "back")], [1, 2]);
  });

  testOutages(kind, ignore);

  test(
    "every job of many is done while workers are killed, and nothing is left",
    (engine) => soak(engine, { count: 60, workers: 2, kills: 2, pause: 0.7 }).then(() => {}),
    SHORT_LEASE,
  );
}

/** Tests what happens while the server of an engine is not there. */
function testOutages(kind: EngineKind, ignore: boolean): void {
  const { name, nowhere, startServer } = kind;
  if (nowhere === undefined || startServer === undefined) return;

  Deno.test(`${name}: QueueExecutor fails a job with BrokenExecutor when there is no server, and a worker ends`, () =>
    run(async () => {
      await using executor = new QueueExecutor(nowhere.broker());
      const error = await assertRejects(
        async () => await executor.submit(jobs.double, 1),
        BrokenExecutor,
        'Cannot submit job "double": the broker cannot be reached',
      );
      assertMatch(String(error.cause), /ECONNREFUSED/);
      await using worker = await startWorker({ url: nowhere.url, queue: "none", lease: 1 });
      assertEquals(await worker.wait(), 1);
    }));

  Deno.test({
    name: `${name}: jobs go on when the server is killed and comes back, and none is lost`,
    ignore,
    fn: () =>
      run(async () => {
        await using server = await startServer();
        await using engine = await kind.start(SHORT_LEASE, server);
        const file = `${engine.folder}/effects`;
        {
          await using executor = new QueueExecutor(engine.broker());
          await using worker = await startWorker(engine, "--concurrency", "2");
          const submit = (index: number) => executor.submit(jobs.effect, file, `job ${index}`, 20);
          const results = Array.from({ length: 30 }, (_, index) => submit(index));
          await results[5];
          await server.kill();
          results.push(submit(30), submit(31));
          await sleep(0.3);
          await server.start();
          for (const [index, result] of results.entries()) {
            assertEquals(await result, `job ${index}`);
          }
          const lines = new Set((await Deno.readTextFile(file)).split("\n"));
          for (const index of results.keys()) assert(lines.has(`job ${index}`), `job ${index}`);
          worker.terminate();
          assertEquals(await worker.wait(), 0);
        }
        await engine.assertEmpty();
      }),
  });
}

/** How a {@linkcode soak} is. */
export interface Soak {
  readonly count: number;
  readonly workers: number;
  /** How many workers are killed; as long as there are jobs by default. */
  readonly kills?: number | undefined;
  /** Seconds between two of them; more where workers take longer to start. */
  readonly pause: number;
}

/** How a soak went. */
export interface SoakFigures {
  readonly seconds: number;
  readonly killed: number;
  /** How many effects were there more than once. */
  readonly repeated: number;
}

/** Runs many jobs on workers, of which one is killed at random every now and then. */
export async function soak(
  engine: Engine,
  { count, workers, kills = Infinity, pause }: Soak,
): Promise<SoakFigures> {
  const file = `${engine.folder}/effects`;
  const loop = getRunningLoop();
  await using executor = new QueueExecutor(engine.broker(), { maxQueued: count });
  await using started = new AsyncDisposableStack();
  const start = async () => started.use(await startWorker(engine, "--concurrency", "2"));
  const before = loop.time();
  const pool = await Promise.all(Array.from({ length: workers }, start));
  await executor.submit(jobs.double, 1);
  const begin = loop.time();
  // On a busy machine a worker would not live until it works.
  const between = Math.max(pause, begin - before);
  const fails = (index: number) => index % 10 === 9;
  const results = Array.from({ length: count }, (_, index) => {
    return fails(index)
      ? executor.submit(jobs.fail, `job ${index}`)
      : executor.submit(jobs.effect, file, `job ${index}`, 5);
  });
  const all = wait(results as Future<unknown>[]);
  let killed = 0;
  while (!all.done() && killed < kills) {
    await wait([all], { timeout: between });
    const index = Math.floor(Math.random() * workers);
    pool[index]?.kill();
    await pool[index]?.wait();
    pool[index] = await start();
    killed += 1;
  }
  await all;
  const seconds = loop.time() - begin;
  for (const [index, result] of results.entries()) {
    if (!fails(index)) assertEquals(result.result(), `job ${index}`);
    else assertThrows(() => result.result(), RangeError, `job ${index}`);
  }
  const lines = (await Deno.readTextFile(file)).split("\n").slice(0, -1);
  const effects = new Set(lines);
  for (let index = 0; index < count; index += 1) {
    assert(fails(index) || effects.has(`job ${index}`), `job ${index} has left no effect`);
  }
  for (const worker of pool) worker.terminate();
  // One that was started last may not listen for the signal yet.
  for (const worker of pool) assert([0, -15].includes(await worker.wait()));
  return { seconds, killed, repeated: lines.length - effects.size };
}

/** Says how many jobs wait or run. */
async function engineSize(engine: Engine): Promise<number> {
  const broker = engine.broker();
  await broker.open(getRunningLoop());
  try {
    return await broker.size();
  } finally {
    await broker.close();
  }
}

async function untilSize(engine: Engine, size: number): Promise<void> {
  while (await engineSize(engine) !== size) await sleep(0.02);
}

/** Runs all that waits, for nobody, and forgets it. */
async function removeAll(engine: Engine): Promise<void> {
  const broker = engine.broker();
  await broker.open(getRunningLoop());
  const job = await broker.take(AbortSignal.timeout(5000));
  if (job !== null) await broker.forget(job.id);
  await broker.close();
}
