import {
  BrokenExecutor,
  CancelledError,
  InvalidStateError,
  QueueFull,
  TimeoutError,
} from "../../loop/errors/errors.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import { runningPlatformLoop } from "../../loop/platform/platform_loop.ts";
import { sleep } from "../../loop/structure/sleep.ts";
import { wait } from "../../loop/structure/wait.ts";
import { failedFuture } from "../../loop/tasks/failed_future.ts";
import type { Future } from "../../loop/tasks/future.ts";
import { interruptedBy } from "../../loop/tasks/interrupted_by.ts";
import type { Task } from "../../loop/tasks/task.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import { describe, messageOf } from "../../loop/values/describe.ts";
import { SHUTDOWN } from "../_options.ts";
import { revive } from "../_revive_error.ts";
import { checkArguments } from "../_sendable.ts";
import type { Executor, ExecutorShutdownOptions, JobFunction } from "../executor.ts";
import {
  decode,
  encode,
  type JobCall,
  type JobReply,
  pastDeadline,
  type QueueEncoding,
} from "./_envelope.ts";
import { QUEUE_EXECUTOR } from "./_options.ts";
import { QueuedJob } from "./_queued_job.ts";
import type { JobBroker, JobOrder } from "./broker.ts";
import { QueueJob } from "./define_jobs.ts";
import { wallTime } from "./deno_wall_time.ts";

/**
 * Settings of a {@linkcode QueueExecutor}.
 *
 * @category Queues
 */
export interface QueueExecutorOptions {
  /** How many of its jobs may be unfinished; one more throws `QueueFull`. 10,000 by default. */
  maxQueued?: number | undefined;
  /** How arguments and results are written; `"structured"` by default. */
  encoding?: QueueEncoding | undefined;
}

/** Seconds between two looks at jobs whose event may have been missed. */
const LOOK_INTERVAL = 1;
/** Seconds until a broker that cannot be reached is given up, and until it is asked again at first. */
const PATIENCE = 20;
const FIRST_PAUSE = 0.1;
/** How many are looked at at once. */
const LOOK_COUNT = 500;
/** How often a job must be unknown until it is lost: its caller may be about to add it. */
const MOST_UNKNOWN = 2;

/**
 * Runs jobs on workers of other processes and machines: *at least once*.
 *
 * A job runs again when its worker was lost before the queue heard of its end, also when its effect was
 * there already: let it bear that. It has an id; `jobs.send.with({ key })` gives it one of yours, under
 * which it is added once. Arguments and results are copied, as for a process. Errors come back as the
 * same classes.
 *
 * While the broker cannot be reached, results are late and not lost. Cancelling the future of a job
 * takes it out of the queue, and ends its process if it runs.
 *
 * @category Queues
 *
 * @example A job on whichever worker takes it
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createTask, getRunningLoop, run } from "@gyre/asyncio";
 * import { defineJobs, JobWorker, QueueExecutor } from "@gyre/asyncio/queue";
 * import { SqliteBroker } from "@gyre/asyncio/queue/sqlite";
 *
 * const jobs = defineJobs({ double: (x: number) => x * 2 });
 * const path = `/tmp/gyre-queue-${Deno.pid}.db`;
 * const answer = await run(async () => {
 *   // Elsewhere: deno run … jsr:@gyre/asyncio/queue/worker --jobs ./jobs.ts --broker sqlite:jobs.db
 *   const worker = createTask(() => new JobWorker(new SqliteBroker({ path }), { jobs }).run());
 *   await using executor = new QueueExecutor(new SqliteBroker({ path }));
 *   const answer = await getRunningLoop().runInExecutor(executor, jobs.double, 21);
 *   worker.cancel();
 *   return answer;
 * });
 * assertEquals(answer, 42);
 * await Deno.remove(path);
 * ```
 */
export class QueueExecutor implements Executor, AsyncDisposable {
  readonly #broker: JobBroker;
  readonly #maxQueued: number;
  readonly #encoding: QueueEncoding;
  readonly #caller: string = crypto.randomUUID();
  /** By id; several calls may have one key. */
  readonly #jobs: Map<string, Set<QueuedJob<unknown>>> = new Map();
  readonly #unknown: Map<string, number> = new Map();
  /** What is asked of the broker. */
  readonly #requests: Set<Task<unknown>> = new Set();
  #state: "open" | "closing" | "closed" = "open";
  #loop: PlatformLoop | null = null;
  #opened: Task<void> | null = null;
  #unlisten: () => void = () => {};
  #looking: Task<void> | null = null;
  #allDone: Future<void> | null = null;

  /**
   * Creates an executor. The broker is opened with the first job, and belongs to it.
   *
   * @throws {TypeError} If an option is unknown or not of its type.
   */
  constructor(broker: JobBroker, options: QueueExecutorOptions = {}) {
    checkOptions("create an executor", options, QUEUE_EXECUTOR);
    if (typeof broker?.take !== "function") {
      throw new TypeError(`Cannot create an executor: expected a broker, got ${describe(broker)}`);
    }
    this.#broker = broker;
    this.#maxQueued = options.maxQueued ?? 10_000;
    this.#encoding = options.encoding ?? "structured";
  }

  /**
   * Puts a job into the queue.
   *
   * @param fn One of {@linkcode defineJobs}, with options or without.
   * @returns What it gives. It fails with the error of the job; with `BrokenExecutor` if the broker
   * cannot be reached to add it, or has lost it; with `TimeoutError` after its deadline.
   * @throws {TypeError} If `fn` is no such job, or an argument cannot be sent.
   * @throws {RangeError} If it is larger than the broker takes.
   * @throws {QueueFull} If too many jobs are unfinished.
   * @throws {InvalidStateError} If the executor was shut down, or no loop is running here.
   */
  submit<A extends unknown[], R>(fn: JobFunction<A, R>, ...args: A): Future<Awaited<R>> {
    const loop = runningPlatformLoop("submit a job");
    if (!(fn instanceof QueueJob)) {
      throw new TypeError(
        `Cannot put a job into a queue: expected one of defineJobs(), got ${describe(fn)}`,
      );
    }
    if (this.#state !== "open") {
      throw new InvalidStateError("Cannot submit a job: the executor was shut down");
    }
    if (this.#loop !== null && this.#loop !== loop) {
      throw new InvalidStateError(
        "Cannot submit a job: the executor is used on another event loop",
      );
    }
    const order = this.#orderOf(fn, args);
    if (this.#count() >= this.#maxQueued) {
      const count = this.#count();
      throw new QueueFull(`Cannot submit job "${fn.name}": ${count} jobs are unfinished`);
    }
    const { signal } = fn.settings;
    if (signal?.aborted) return failedFuture(loop, signal.reason);
    const start = () => this.#start(loop, fn, order) as Future<Awaited<R>>;
    return interruptedBy(loop, signal, start);
  }

  /**
   * Takes no more jobs, waits for the results of those in the queue, and closes the broker. Idempotent.
   *
   * @param options `wait: false` returns at once. After `timeout` seconds the results still missing
   * fail with `BrokenExecutor`; the jobs stay in the queue.
   */
  async shutdown(options: ExecutorShutdownOptions = {}): Promise<void> {
    checkOptions("shut an executor down", options, SHUTDOWN);
    if (this.#state === "open") this.#state = "closing";
    if (options.cancelFutures) { for (const job of this.#all()) job.cancel(); }
    const loop = this.#loop;
    if (loop === null || this.#state === "closed") return;
    const closing = loop.createTask(() => this.#close(loop, options.timeout ?? Infinity));
    if (options.wait ?? true) await closing;
  }

  /** Shuts down and waits, at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  #orderOf(job: QueueJob<never[], unknown>, args: readonly unknown[]): JobOrder {
    const { key, retries = 0, backoff = 1, priority = 0, delay = 0, deadline } = job.settings;
    checkArguments(describe(job.name), args);
    const expires = deadline === undefined ? {} : { expires: wallTime() + deadline };
    const call: JobCall = { name: job.name, args, retries, backoff, ...expires };
    let payload: Uint8Array;
    try {
      payload = encode(call, this.#encoding);
    } catch (cause) {
      const message = `Cannot send the arguments of job "${job.name}": "${messageOf(cause)}"`;
      throw new TypeError(message, { cause });
    }
    const { maxBytes } = this.#broker;
    if (payload.length > maxBytes) {
      throw new RangeError(
        `Cannot send job "${job.name}": it takes ${payload.length} bytes, and may take ${maxBytes}`,
      );
    }
    const id = key === undefined ? crypto.randomUUID() : `key-${key}`;
    return { id, caller: this.#caller, payload, priority, delay };
  }

  #start(
    loop: PlatformLoop,
    fn: QueueJob<never[], unknown>,
    order: JobOrder,
  ): QueuedJob<unknown> {
    this.#loop ??= loop;
    const isShared = fn.settings.key !== undefined;
    const job = new QueuedJob<unknown>(
      loop,
      order.id,
      describe(fn.name),
      isShared,
      (cancelled) => this.#abandon(cancelled),
    );
    const same = this.#jobs.get(order.id) ?? new Set();
    this.#jobs.set(order.id, same.add(job));
    const { deadline } = fn.settings;
    if (deadline !== undefined) job.alarm = loop.callLater(deadline, () => this.#expire(job));
    let attempts = 0;
    this.#ask(loop, async () => {
      try {
        await (this.#opened ??= loop.createTask(() => this.#open(loop)));
        await this.#insist(loop, async () => {
          if (job.done()) return;
          attempts += 1;
          await this.#broker.add(order);
        });
        job.isAdded = true;
      } catch (cause) {
        const message = `Cannot submit job ${job.title}: the broker cannot be reached`;
        this.#remove(job);
        const isTooLarge = cause instanceof RangeError;
        return job.fail(isTooLarge ? cause : new BrokenExecutor(message, { cause }));
      }
      // An attempt that has failed may have come through late: after the job had ended.
      const isLeft = attempts > 1 && job.done() && !isShared;
      if (job.isAbandoned || isLeft) await this.#broker.cancel(order.id);
      else this.#looking ??= loop.createTask(() => this.#look());
    });
    return job;
  }

  async #open(loop: PlatformLoop): Promise<void> {
    try {
      await this.#broker.open(loop);
    } catch (error) {
      this.#opened = null;
      throw error;
    }
    this.#unlisten = this.#broker.onEvent(
      this.#caller,
      ({ id, reply }) => this.#onReply(id, reply),
    );
  }

  /** Looks now and then where the jobs stand: an event may be missed, a job lost. */
  async #look(): Promise<void> {
    while (this.#jobs.size > 0) {
      await sleep(LOOK_INTERVAL);
      const ids = this.#lookedAt();
      if (ids.length === 0) continue;
      try {
        const states = await this.#broker.lookUp(ids);
        for (const [index, state] of states.entries()) {
          const id = ids[index] as string;
          if (state.state === "done") this.#onReply(id, state.reply);
          else this.#onState(id, state.state === "unknown");
        }
      } catch {
        // The broker cannot be reached; it is asked again.
      }
    }
    this.#looking = null;
  }

  /** The ids to look at next. One that is being added is known to nobody yet. */
  #lookedAt(): string[] {
    const ids: string[] = [];
    for (const [id, same] of this.#jobs) {
      if (ids.length === LOOK_COUNT) break;
      if ([...same].every(({ isAdded }) => isAdded)) ids.push(id);
    }
    // Those come last the next time.
    for (const id of ids) {
      const same = this.#jobs.get(id);
      if (same === undefined || this.#jobs.size <= LOOK_COUNT) continue;
      this.#jobs.delete(id);
      this.#jobs.set(id, same);
    }
    return ids;
  }

  #onState(id: string, isUnknown: boolean): void {
    const count = isUnknown ? (this.#unknown.get(id) ?? 0) + 1 : 0;
    if (count === 0) return void this.#unknown.delete(id);
    this.#unknown.set(id, count);
    if (count <= MOST_UNKNOWN) return;
    for (const job of [...this.#jobs.get(id) ?? []]) {
      this.#remove(job);
      job.fail(new BrokenExecutor(`Cannot finish job ${job.title}: the queue has lost it`));
    }
  }

  #onReply(id: string, bytes: Uint8Array): void {
    const jobs = this.#jobs.get(id);
    const loop = this.#loop;
    if (jobs === undefined || loop === null) return;
    const [first] = jobs;
    const isShared = first?.isShared ?? false;
    for (const job of [...jobs]) {
      this.#remove(job);
      try {
        const [kind, content] = decode(bytes) as JobReply;
        if (kind === "finished") job.succeed(content);
        else job.fail(revive(content, loop.platform.workers));
      } catch (error) {
        job.fail(error);
      }
    }
    // What has a key stays, for others who ask for the same; the broker lets it go in time.
    if (!isShared) this.#ask(loop, () => this.#broker.forget(id));
  }

  /** The deadline of a job has come. Who else waits for the same key may have more time. */
  #expire(job: QueuedJob<unknown>): void {
    if (job.isShared) this.#remove(job);
    else this.#abandon(job);
    job.fail(new TimeoutError(pastDeadline(job.title)));
  }

  #abandon(job: QueuedJob<unknown>): void {
    this.#remove(job);
    // Others may wait for the same.
    job.isAbandoned = !this.#jobs.has(job.id);
    if (!job.isAbandoned || this.#loop === null || this.#opened === null) return;
    this.#ask(this.#loop, () => this.#broker.cancel(job.id));
  }

  #remove(job: QueuedJob<unknown>): void {
    job.alarm?.cancel();
    const same = this.#jobs.get(job.id);
    same?.delete(job);
    if (same?.size === 0) this.#jobs.delete(job.id);
    this.#unknown.delete(job.id);
    if (this.#jobs.size > 0) return;
    this.#looking?.cancel();
    this.#looking = null;
    if (this.#allDone?.done() === false) this.#allDone.setResult();
  }

  /** Asks something of the broker, and waits for it before that is closed. */
  #ask(loop: PlatformLoop, request: () => Promise<void>): void {
    const task = loop.createTask(async () => {
      try {
        await this.#insist(loop, request);
      } catch (exception) {
        if (this.#state !== "open") return;
        loop.callExceptionHandler({ message: "A broker has refused a request", exception });
      }
    });
    this.#requests.add(task);
    task.addDoneCallback(() => this.#requests.delete(task));
  }

  /** Asks again for a while when the broker cannot be reached. */
  async #insist(loop: PlatformLoop, request: () => Promise<void>): Promise<void> {
    const deadline = loop.time() + PATIENCE;
    for (let pause = FIRST_PAUSE;; pause *= 2) {
      try {
        return await request();
      } catch (error) {
        // What is too large for this server is so the next time.
        const isFinal = error instanceof CancelledError || error instanceof RangeError;
        if (isFinal || loop.time() + pause > deadline) throw error;
      }
      await sleep(pause);
    }
  }

  async #close(loop: PlatformLoop, timeout: number): Promise<void> {
    if (this.#jobs.size > 0) {
      this.#allDone ??= loop.createFuture();
      await wait([this.#allDone], { timeout });
    }
    for (const job of this.#all()) {
      this.#remove(job);
      const message = `Cannot finish job ${job.title}: the executor was shut down`;
      job.fail(new BrokenExecutor(message));
    }
    if (this.#requests.size > 0) await wait([...this.#requests], { timeout });
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#unlisten();
    await this.#broker.close();
  }

  #all(): QueuedJob<unknown>[] {
    return [...this.#jobs.values()].flatMap((same) => [...same]);
  }

  #count(): number {
    return this.#jobs.size;
  }
}
