import { BrokenExecutor, CancelledError, TimeoutError } from "../../loop/errors/errors.ts";
import type { WorkerPermissions } from "../../loop/platform/worker_platform.ts";
import { type PlatformLoop, runningPlatformLoop } from "../../loop/platform/platform_loop.ts";
import { gather } from "../../loop/structure/gather.ts";
import { sleep } from "../../loop/structure/sleep.ts";
import { FIRST_COMPLETED, wait } from "../../loop/structure/wait.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { Task } from "../../loop/tasks/task.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import { messageOf } from "../../loop/values/describe.ts";
import { recordThrown } from "../_thrown_record.ts";
import { ProcessPoolExecutor } from "../process_pool_executor.ts";
import {
  decode,
  encode,
  encodingOf,
  type JobCall,
  type JobReply,
  pastDeadline,
} from "./_envelope.ts";
import { JOB_WORKER } from "./_options.ts";
import type { JobBroker, TakenJob } from "./broker.ts";
import { QueueJob } from "./define_jobs.ts";
import { wallTime } from "./deno_wall_time.ts";

/**
 * Settings of a {@linkcode JobWorker}.
 *
 * @category Queues
 */
export interface JobWorkerOptions {
  /** What it runs: what {@linkcode defineJobs} gave. It refuses any other name. */
  jobs: Readonly<Record<string, QueueJob<never[], unknown>>>;
  /**
   * The module that has `jobs` as its default export: an absolute URL. With it each job runs in a
   * process; without it on the worker's own loop, where one that computes for longer than the lease
   * of the broker is run again elsewhere.
   */
  url?: string | undefined;
  /** How many jobs run at once; 1 by default. */
  concurrency?: number | undefined;
  /** Seconds that running jobs have at the end, before they are handed back; 10 by default. */
  grace?: number | undefined;
  /** What the processes may do; to read the folder that it runs in by default. */
  permissions?: WorkerPermissions | undefined;
  /** Aborting it ends the worker as cancelling {@linkcode JobWorker.run} does, without an error. */
  signal?: AbortSignal | undefined;
}

/** How often a job may be taken whose workers were lost: it may be what ends them. */
const MOST_LOST = 20;
/** Seconds until the broker is asked again after it could not be reached; grows. */
const FIRST_PAUSE = 0.1;
const LONGEST_PAUSE = 5;

/**
 * Takes jobs from a queue and runs them. As a program: `jsr:@gyre/asyncio/queue/worker`.
 *
 * A job is acknowledged when it is done. One whose worker is lost is taken by another when its lease
 * has ended; after the twentieth time it fails with `BrokenExecutor`.
 *
 * @category Queues
 */
export class JobWorker {
  readonly #broker: JobBroker;
  readonly #options: JobWorkerOptions;
  readonly #running: Map<TakenJob, Task<void>> = new Map();
  /** Takes no more. */
  readonly #stopping: AbortController = new AbortController();

  /**
   * Creates a worker; the broker belongs to it.
   *
   * @throws {TypeError} If an option is unknown or not of its type, or `jobs` are none.
   */
  constructor(broker: JobBroker, options: JobWorkerOptions) {
    checkOptions("create a worker", options, JOB_WORKER);
    const { jobs } = options;
    if (jobs === undefined || !Object.values(jobs).every((job) => job instanceof QueueJob)) {
      throw new TypeError("Cannot create a worker: expected jobs of defineJobs()");
    }
    this.#broker = broker;
    this.#options = options;
  }

  /**
   * Works until it is cancelled, or the signal aborts. Then it takes no more, lets the jobs that run end
   * for `grace` seconds, hands the rest back, and closes the broker.
   *
   * @throws {Error} If the broker cannot be opened.
   * @throws {unknown} What loading the module of the jobs throws in a process.
   */
  async run(): Promise<void> {
    const loop = runningPlatformLoop("run a worker");
    const { concurrency = 1, url, permissions = { read: ["."] }, signal } = this.#options;
    const pool = url === undefined ? null : new ProcessPoolExecutor({
      maxWorkers: concurrency,
      permissions: { import: ["jsr.io"], ...permissions },
      program: url,
    });
    const stop = () => this.#stopping.abort();
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
    try {
      await this.#broker.open(loop);
      if (pool !== null) {
        // A job that is taken is to begin, and not to wait for its process.
        const loads = Array.from({ length: concurrency }, () => pool.submit(load, String(url)));
        await this.#unlessStopped(gather(loads));
      }
      await this.#takeAll(loop, pool, concurrency);
    } finally {
      signal?.removeEventListener("abort", stop);
      stop();
      await this.#drain();
      await this.#broker.close();
      await pool?.shutdown({ timeout: 0 });
    }
  }

  /** Waits for `future`; when the worker is to take no more it is cancelled, and that is no error. */
  async #unlessStopped(future: Future<unknown>): Promise<void> {
    const { signal } = this.#stopping;
    const stop = () => future.cancel();
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    try {
      await wait([future]);
    } finally {
      signal.removeEventListener("abort", stop);
      future.cancel();
    }
    try {
      future.result();
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #takeAll(
    loop: PlatformLoop,
    pool: ProcessPoolExecutor | null,
    concurrency: number,
  ): Promise<void> {
    const { signal } = this.#stopping;
    const stopped = loop.createFuture<void>();
    signal.addEventListener("abort", () => stopped.setResult());
    let pause = FIRST_PAUSE;
    for (;;) {
      while (this.#running.size >= concurrency && !signal.aborted) {
        await wait([stopped, ...this.#running.values()], { returnWhen: FIRST_COMPLETED });
      }
      if (signal.aborted) return;
      let job: TakenJob | null;
      try {
        // One whose job was cancelled has to be replaced.
        if (pool !== null) await this.#unlessStopped(pool.warmUp(concurrency));
        job = await this.#broker.take(signal);
        pause = FIRST_PAUSE;
      } catch (exception) {
        if (exception instanceof CancelledError) throw exception;
        const message = "A worker cannot take a job; it tries again";
        if (pause === FIRST_PAUSE) loop.callExceptionHandler({ message, exception });
        await wait([stopped], { timeout: pause });
        pause = Math.min(2 * pause, LONGEST_PAUSE);
        continue;
      }
      if (job === null) return;
      const taken = job;
      const task = loop.createTask(() => this.#perform(loop, pool, taken));
      this.#running.set(taken, task);
      task.addDoneCallback(() => this.#running.delete(taken));
    }
  }

  async #drain(): Promise<void> {
    const { grace = 10 } = this.#options;
    const tasks = [...this.#running.values()];
    if (tasks.length === 0) return;
    const { pending } = await wait(tasks, { timeout: grace });
    for (const task of pending) task.cancel();
    if (pending.size > 0) await wait([...pending]);
  }

  /** Runs a job to its end, and says so to the broker. */
  async #perform(
    loop: PlatformLoop,
    pool: ProcessPoolExecutor | null,
    job: TakenJob,
  ): Promise<void> {
    const encoding = encodingOf(job.payload);
    let call: JobCall | null = null;
    let reply: JobReply;
    try {
      call = decode(job.payload) as JobCall;
      const running = this.#start(loop, pool, job, call);
      reply = ["finished", await this.#hold(loop, job, call, running)];
    } catch (error) {
      if (error instanceof NotMine) {
        if (error.isCancelled) await this.#tell(job, () => this.#broker.forget(job.id));
        return;
      }
      if (error instanceof CancelledError) {
        // The worker ends, unless the job has thrown that itself.
        // Where that cannot be said, its lease ends.
        if (this.#stopping.signal.aborted) {
          return await this.#broker.giveBack(job, 0, false).catch(() => {});
        }
      }
      const { retries = 0, backoff = 0 } = call ?? {};
      const delay = backoff * 2 ** job.failures;
      const isRetried = job.failures < retries && delay < secondsLeft(call);
      if (isRetried && !(error instanceof Refused)) {
        return await this.#tell(job, () => this.#broker.giveBack(job, delay, true));
      }
      reply = ["failed", recordThrown(error instanceof Refused ? error.reason : error)];
    }
    const bytes = encodeReply(reply, encoding, this.#broker.maxBytes, call?.name ?? "");
    await this.#tell(job, () => this.#broker.finish(job, bytes));
  }

  /** Starts a job, or throws for what is not to be run. */
  #start(
    loop: PlatformLoop,
    pool: ProcessPoolExecutor | null,
    job: TakenJob,
    call: JobCall,
  ): Future<unknown> {
    const { name, args } = call;
    const { jobs, url } = this.#options;
    if (secondsLeft(call) <= 0) throw expired(call);
    const found = Object.hasOwn(jobs, name) ? jobs[name] : undefined;
    if (found === undefined) {
      const message = `Cannot run job "${name}": the worker has no job of that name`;
      throw new Refused(new TypeError(message));
    }
    if (job.attempt - job.failures > MOST_LOST) {
      const message = `Cannot finish job "${name}": its workers were lost ${MOST_LOST} times`;
      throw new Refused(new BrokenExecutor(message));
    }
    if (pool === null || url === undefined) {
      return loop.createTask(() => (found.fn as (...args: unknown[]) => unknown)(...args));
    }
    return pool.submit(callByName(name), url, name, args);
  }

  /** Waits for a job, until its deadline, and renews its lease meanwhile. */
  async #hold(
    loop: PlatformLoop,
    job: TakenJob,
    call: JobCall,
    running: Future<unknown>,
  ): Promise<unknown> {
    let end: NotMine | Refused | null = null;
    const alarm = call.expires === undefined ? null : loop.callLater(secondsLeft(call), () => {
      end = expired(call);
      running.cancel();
    });
    const pause = Math.min(this.#broker.lease / 4, 1);
    let renewing = null as Task<void> | null;
    const renew = async () => {
      for (;; await sleep(pause)) {
        let state: "held" | "cancelled" | "lost";
        try {
          state = await this.#broker.renew(job);
        } catch {
          // The broker cannot be reached; if that lasts, the job is lost to another worker.
          continue;
        }
        if (state === "held") continue;
        end = new NotMine(state === "cancelled");
        running.cancel();
        return;
      }
    };
    // Most jobs have ended before.
    const timer = loop.callLater(pause, () => renewing = loop.createTask(renew));
    try {
      return await running;
    } catch (error) {
      throw end ?? error;
    } finally {
      alarm?.cancel();
      timer.cancel();
      renewing?.cancel();
      if (!running.done()) running.cancel();
    }
  }

  /** Tells the broker how a job ended, again and again until it hears that or has given the job up. */
  async #tell(job: TakenJob, request: () => Promise<void>): Promise<void> {
    for (let pause = FIRST_PAUSE;; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      try {
        return await request();
      } catch (error) {
        if (error instanceof CancelledError) throw error;
      }
      await sleep(pause);
      if (await this.#broker.renew(job).catch(() => "held") === "lost") return;
    }
  }
}

/** Seconds until the deadline of a call. */
function secondsLeft(call: JobCall | null): number {
  return (call?.expires ?? Infinity) - wallTime();
}

function expired({ name }: JobCall): Refused {
  return new Refused(new TimeoutError(pastDeadline(`"${name}"`)));
}

/** Loads the module of the jobs in a process. */
async function load(url: string): Promise<void> {
  await import(url);
}

type CallByName = (url: string, name: string, args: readonly unknown[]) => Promise<unknown>;

const calls: Map<string, CallByName> = new Map();

/** Returns what calls a job in a process. It has the name of the job, for messages. */
function callByName(name: string): CallByName {
  const known = calls.get(name);
  if (known !== undefined) return known;
  const call: CallByName = async (url, name, args) => {
    const { default: jobs } = await import(url);
    return await jobs[name].fn(...args);
  };
  Object.defineProperty(call, "name", { value: name });
  calls.set(name, call);
  return call;
}

/** The job belongs to somebody else, or nobody wants it any more. */
class NotMine extends Error {
  readonly isCancelled: boolean;

  constructor(isCancelled: boolean) {
    super();
    this.isCancelled = isCancelled;
  }
}

/** The job is not run, and not tried again. */
class Refused extends Error {
  readonly reason: Error;

  constructor(reason: Error) {
    super();
    this.reason = reason;
  }
}

/** Writes a reply; where it cannot be written, or is too large, one that says so. */
function encodeReply(
  reply: JobReply,
  encoding: "structured" | "json",
  maxBytes: number,
  name: string,
): Uint8Array {
  const fail = (reason: string) => {
    const error = new TypeError(`Cannot return the result of job "${name}": ${reason}`);
    return encode(["failed", { ...recordThrown(error), properties: {} }], encoding);
  };
  try {
    const bytes = encode(reply, encoding);
    if (bytes.length <= maxBytes) return bytes;
    return fail(`it takes ${bytes.length} bytes, and may take ${maxBytes}`);
  } catch (error) {
    return fail(`"${messageOf(error)}"`);
  }
}
