// How many workers there are, in random orders of what may happen to jobs and workers. The workers
// are the test's own, so that each ends, fails and answers when the order says so.
import { assert, assertEquals } from "@std/assert";
import { DenoEventLoop, type Future, ProcessPoolExecutor, WorkerPoolExecutor } from "../../mod.ts";
import type { WorkerLink, WorkerSink } from "../../loop/platform/worker_platform.ts";
import { simulate } from "../../simulation/mod.ts";

const MAX_WORKERS = 3;

/** A worker that does what it is told. */
class PuppetWorker implements WorkerLink {
  readonly sink: WorkerSink;
  readonly #dies: (worker: PuppetWorker) => void;
  jobId = 0;
  isTerminated = false;

  constructor(sink: WorkerSink, dies: (worker: PuppetWorker) => void) {
    this.sink = sink;
    this.#dies = dies;
  }

  post(message: unknown): void {
    [this.jobId] = message as [number];
  }

  terminate(): void {
    this.isTerminated = true;
    this.#dies(this);
  }
}

/** The workers of one test. */
class Puppets {
  readonly alive: Set<PuppetWorker> = new Set();
  started = 0;
  mostAlive = 0;
  /** Whether no more can be started for now. */
  isFull = false;
  readonly #endsAtOnce: boolean;

  constructor(endsAtOnce: boolean) {
    this.#endsAtOnce = endsAtOnce;
  }

  start(sink: WorkerSink): WorkerLink {
    if (this.isFull) throw new Error("Cannot start a worker: too many open files");
    const worker = new PuppetWorker(sink, () => this.#endsAtOnce && this.end(worker, "was ended"));
    this.alive.add(worker);
    this.started += 1;
    this.mostAlive = Math.max(this.mostAlive, this.alive.size);
    return worker;
  }

  end(worker: PuppetWorker, reason: string): void {
    if (this.alive.delete(worker)) worker.sink.ended(reason, undefined);
  }

  /** Returns one of those that `isWanted`, chosen by `random`. */
  pick(random: () => number, isWanted: (worker: PuppetWorker) => boolean): PuppetWorker | null {
    const wanted = [...this.alive].filter(isWanted);
    return wanted[Math.floor(random() * wanted.length)] ?? null;
  }
}

/** Returns numbers from 0 to 1 that are the same each time. */
function randomOf(seed: number): () => number {
  let state = seed + 1;
  return () => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

type Pool = WorkerPoolExecutor | ProcessPoolExecutor;

/** Runs `body` with a pool whose workers are puppets. */
async function withPuppets(
  kind: "threads" | "processes",
  body: (pool: Pool, puppets: Puppets) => Promise<void>,
): Promise<void> {
  const puppets = new Puppets(kind === "threads");
  const start = (_source: string, _options: unknown, sink: WorkerSink) => puppets.start(sink);
  await simulate(async (sim) => {
    const { createReadyQueue: _, ...platform } = sim.loop.platform;
    const loop = new DenoEventLoop({
      platform: {
        ...platform,
        workers: { ...platform.workers, start },
        workerProcesses: { start },
      },
    });
    loop.setExceptionHandler(() => {});
    const options = { maxWorkers: MAX_WORKERS };
    const pool = kind === "threads"
      ? new WorkerPoolExecutor(options)
      : new ProcessPoolExecutor(options);
    await loop.runUntilComplete(() => body(pool, puppets));
    loop.close();
  });
}

const isAtWork = (worker: PuppetWorker) => !worker.isTerminated;

/** What may happen, at random. */
function happen(random: () => number, pool: Pool, puppets: Puppets, jobs: Future<unknown>[]): void {
  const worker = puppets.pick(random, isAtWork);
  const answers = [
    () => jobs.push(pool.submit(() => 1)),
    () => jobs.push(pool.submit(() => 1)),
    () => jobs[Math.floor(random() * jobs.length)]?.cancel(),
    () => puppets.isFull = random() < 0.3,
    () => worker?.sink.received([0, "ready"]),
    () => worker?.sink.received([worker.jobId, "finished", 1]),
    () => worker?.sink.received([worker.jobId, "failed", { kind: "value", value: "no" }]),
    () => worker?.sink.received([worker.jobId, "stray", { kind: "value", value: "stray" }]),
    () => worker?.sink.received("garbage"),
    () => worker?.sink.garbled(new Error("garbled")),
    () => worker !== null && puppets.end(worker, "exited with code 1"),
    () => {
      const dying = puppets.pick(random, (worker) => worker.isTerminated);
      if (dying !== null) puppets.end(dying, "was killed");
    },
  ];
  answers[Math.floor(random() * answers.length)]?.();
}

/** Lets all that is left come to its end. */
function finish(puppets: Puppets): void {
  puppets.isFull = false;
  for (let turns = 0; puppets.alive.size > 0; turns += 1) {
    assert(turns < 1000, "workers are started for ever");
    for (const worker of [...puppets.alive]) {
      if (worker.isTerminated) puppets.end(worker, "was killed");
      else worker.sink.received([worker.jobId, "finished", 1]);
    }
  }
}

for (const kind of ["threads", "processes"] as const) {
  Deno.test(`A pool of ${kind} never has more workers than it may, and settles each job`, async () => {
    for (let seed = 0; seed < 150; seed += 1) {
      await withPuppets(kind, async (pool, puppets) => {
        const random = randomOf(seed);
        const jobs: Future<unknown>[] = [];
        for (let step = 0; step < 60; step += 1) happen(random, pool, puppets, jobs);
        for (const job of jobs) job.catch(() => {});
        puppets.isFull = false;
        const [cancelFutures, early] = [random() < 0.5, random() < 0.5];
        const closed = pool.shutdown(early ? { cancelFutures, timeout: 0 } : { cancelFutures });
        finish(puppets);
        await closed;
        await Promise.allSettled(jobs);
        assert(puppets.mostAlive <= MAX_WORKERS, `seed ${seed}: ${puppets.mostAlive} at once`);
        assertEquals(jobs.filter((job) => !job.done()).length, 0, `seed ${seed}`);
      });
    }
  });
}

for (const order of ["as submitted", "backwards"] as const) {
  Deno.test(`Cancelling 1000 jobs of a pool of processes, ${order}, starts no more of them`, () =>
    withPuppets("processes", async (pool, puppets) => {
      const jobs = Array.from({ length: 1000 }, () => pool.submit(() => 1));
      for (const job of order === "backwards" ? jobs.toReversed() : jobs) job.cancel();
      assertEquals(puppets.started, MAX_WORKERS);
      const next = pool.submit(() => 1);
      assertEquals(puppets.started, MAX_WORKERS);
      for (const worker of [...puppets.alive]) puppets.end(worker, "was killed");
      assertEquals(puppets.started, MAX_WORKERS + 1);
      finish(puppets);
      await next;
      await pool.shutdown({ timeout: 0, wait: false });
    }));
}

Deno.test("A job waits for a worker that is there when no more can be started", () =>
  withPuppets("processes", async (pool, puppets) => {
    const running = pool.submit(() => 1);
    const killed = pool.submit(() => 1);
    const waiting = [1, 2, 3].map(() => pool.submit(() => 1));
    puppets.isFull = true;
    killed.cancel();
    const dying = puppets.pick(() => 0, (worker) => worker.isTerminated);
    assert(dying !== null);
    puppets.end(dying, "was killed");
    assertEquals(waiting.filter((job) => job.done()), []);
    puppets.isFull = false;
    for (const job of [running, ...waiting]) {
      for (const worker of puppets.alive) worker.sink.received([worker.jobId, "finished", 1]);
      await job;
    }
    await pool.shutdown({ timeout: 0, wait: false });
  }));
