import * as inside from "../loop/inside.ts";
import { InvalidStateError, QueueFull } from "../loop/errors/errors.ts";
import { failedFuture } from "../loop/tasks/failed_future.ts";
import type { Future } from "../loop/tasks/future.ts";
import { interruptedBy } from "../loop/tasks/interrupted_by.ts";
import type { Platform } from "../loop/platform/platform.ts";
import type { PlatformLoop } from "../loop/platform/platform_loop.ts";
import type { WorkerLink, WorkerSink } from "../loop/platform/worker_platform.ts";
import { runJobs } from "./_job_runner.ts";
import { recordThrown } from "./_thrown_record.ts";
import { PoolJob } from "./_pool_job.ts";
import { packArguments, PoolWorker, type WorkerOwner } from "./_pool_worker.ts";
import { checkCopied, type Order, orderOf, uncloneable } from "./_sendable.ts";
import type { ExecutorShutdownOptions, JobFunction } from "./executor.ts";
import type { ResourceFigures } from "../loop/inspection/resource_figures.ts";
import { notePool } from "./used_pools.ts";

/** What makes a pool one of threads or of processes. */
export interface WorkerPoolSettings {
  /** What a snapshot calls it. */
  readonly kind: "thread pool" | "process pool";
  /** How many workers there may be; `null` for as many as the machine runs at once. */
  readonly maxWorkers: number | null;
  /** How many jobs may wait for a worker. */
  readonly maxQueued: number;
  /** Whether the worker of a job that is cancelled is ended. */
  readonly killsCancelled: boolean;
  /** Whether buffers and ports can be moved to a worker, and memory be shared with it. */
  readonly canTransfer: boolean;
  /** Returns the error for using the pool on `platform`, where that is not permitted. */
  readonly refusal: (platform: Platform) => Error | null;
  /** Starts a worker. */
  readonly start: (platform: Platform, source: string, sink: WorkerSink) => WorkerLink;
}

/** Each state leads to the next one only. In `open` alone jobs are taken. */
type State = "open" | "closing" | "closed";

/**
 * Hands jobs to workers.
 *
 * *Theory of operation.* A job goes to a worker that is free, or else to a new one, or else into
 * the queue. A worker that gets free takes the first of the queue. A worker that breaks fails the
 * job that it runs and no other; it is replaced when a job needs it. Workers hold no process
 * alive: whoever awaits a job has a loop that runs, and `shutdown()` holds it while it waits.
 */
export class WorkerPool implements WorkerOwner {
  readonly #settings: WorkerPoolSettings;
  #state: State = "open";
  /** What the pool stands on: that of the first loop that used it. */
  #platform: Platform | null = null;
  /** Jobs without a worker, in order; at most `maxQueued`. */
  readonly #queue: Set<PoolJob<unknown>> = new Set();
  /** Workers that can run jobs. */
  readonly #workers: Set<PoolWorker> = new Set();
  /** Those that have none, the one used last at the end. */
  #free: PoolWorker[] = [];
  /** Workers that are being ended. */
  readonly #ending: Set<PoolWorker> = new Set();
  readonly #closed: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(settings: WorkerPoolSettings) {
    this.#settings = settings;
  }

  /** How many workers there may be. */
  maxWorkers(platform: Platform): number {
    return this.#settings.maxWorkers ?? platform.workers.hardwareConcurrency;
  }

  /** Starts `fn(...args)` in a worker, or queues it. */
  submit<A extends unknown[], R>(
    loop: PlatformLoop,
    fn: JobFunction<A, R>,
    args: A,
  ): Future<Awaited<R>> {
    this.#checkOpen("submit a job");
    const order = orderOf(fn as unknown as JobFunction<never[], unknown>, args);
    if (!this.#settings.canTransfer) checkCopied(order);
    const { signal } = order.options;
    if (signal === undefined) return this.#submit(loop, order) as Future<Awaited<R>>;
    if (signal.aborted) return failedFuture(loop, signal.reason);
    const job = this.#submit(loop, order) as Future<Awaited<R>>;
    return interruptedBy(loop, signal, () => job);
  }

  #submit(loop: PlatformLoop, order: Order): Future<unknown> {
    const refusal = this.#settings.refusal(loop.platform);
    if (refusal !== null) return failedFuture(loop, refusal);
    const platform = this.#platform ??= loop.platform;
    notePool(loop, this);
    const worker = this.#free.pop() ?? null;
    const hasRoom = worker !== null || this.#hasRoom(platform);
    if (!hasRoom && this.#queue.size >= this.#settings.maxQueued) {
      throw new QueueFull(`Cannot submit job ${order.name}: ${this.#queue.size} jobs are waiting`);
    }
    const job = new PoolJob<unknown>(loop, order, (abandoned) => this.#abandon(abandoned));
    if (!hasRoom) this.#enqueue(job, order);
    else {
      const ready = worker ?? this.#startFor(job);
      if (ready !== null) this.#send(job, ready);
    }
    return job;
  }

  /** Adds what a snapshot tells of it. */
  [inside.figures](figures: ResourceFigures): void {
    const { length: free } = this.#free;
    const platform = this.#platform;
    figures.executors.push({
      id: figures.idOf(this),
      what: this.#settings.kind,
      state: this.#state,
      workers: this.#workers.size,
      maxWorkers: this.#settings.maxWorkers ?? (platform === null ? 0 : this.maxWorkers(platform)),
      running: this.#workers.size - free,
      queued: this.#queue.size,
    });
  }

  /** Starts workers until there are `count`, and waits until they run. */
  async warmUp(platform: Platform, count: number): Promise<void> {
    this.#checkOpen("start workers");
    const refusal = this.#settings.refusal(platform);
    if (refusal !== null) throw refusal;
    this.#platform ??= platform;
    while (this.#workers.size < Math.min(count, this.maxWorkers(platform))) {
      this.#free.push(this.#startWorker());
    }
    await Promise.all([...this.#workers].map((worker) => worker.ready));
  }

  /** Takes no more jobs and ends the workers as they get free. */
  async shutdown(options: ExecutorShutdownOptions): Promise<void> {
    const { wait = true, cancelFutures = false, timeout = Infinity } = options;
    if (this.#state === "open") this.#state = "closing";
    if (cancelFutures) { for (const job of [...this.#queue]) job.cancel(); }
    for (const worker of this.#free) this.#end(worker, "is not needed any more");
    this.#free = [];
    this.#finishClosing();
    const platform = this.#platform;
    if (this.#state === "closed" || platform === null) return;
    if (timeout <= 0) this.#endAll(timeout);
    if (wait) await this.#waitClosed(platform, timeout);
  }

  freed(worker: PoolWorker): void {
    const next = this.#takeQueued();
    if (next !== null) this.#sendQueued(next, worker);
    else if (this.#state === "open") this.#free.push(worker);
    else this.#end(worker, "is not needed any more");
  }

  broken(worker: PoolWorker): void {
    this.#remove(worker);
  }

  gone(worker: PoolWorker): void {
    this.#ending.delete(worker);
    this.#startQueued();
    this.#finishClosing();
  }

  /** Sends `job`, which has not queued, to `worker`, which is free. */
  #send(job: PoolJob<unknown>, worker: PoolWorker): void {
    try {
      worker.run(job);
    } catch (error) {
      this.#free.push(worker);
      throw uncloneable(job.order, error);
    }
  }

  #enqueue(job: PoolJob<unknown>, order: Order): void {
    try {
      packArguments(job);
    } catch (error) {
      throw uncloneable(order, error);
    }
    this.#queue.add(job);
  }

  #takeQueued(): PoolJob<unknown> | null {
    for (const job of this.#queue) {
      this.#queue.delete(job);
      return job;
    }
    return null;
  }

  #sendQueued(job: PoolJob<unknown>, worker: PoolWorker): void {
    try {
      worker.run(job);
    } catch (error) {
      job.complete({ state: "failed", error: uncloneable(job.order, error) });
      this.freed(worker);
    }
  }

  /** Whether one more worker may be started. One that is being ended is there until it is gone. */
  #hasRoom(platform: Platform): boolean {
    return this.#workers.size + this.#ending.size < this.maxWorkers(platform);
  }

  /** Starts workers for queued jobs, as far as there may be more. */
  #startQueued(): void {
    const platform = this.#platform;
    if (platform === null) return;
    while (this.#queue.size > 0 && this.#hasRoom(platform)) {
      try {
        this.#free.push(this.#startWorker());
      } catch (error) {
        // A worker that is there still may take it.
        if (this.#workers.size + this.#ending.size > 0) return;
        this.#takeQueued()?.complete({ state: "failed", error });
        continue;
      }
      this.#sendQueued(this.#takeQueued() as PoolJob<unknown>, this.#free.pop() as PoolWorker);
    }
  }

  /** Starts a worker for `job`, which fails with the error if there cannot be one. */
  #startFor(job: PoolJob<unknown>): PoolWorker | null {
    try {
      return this.#startWorker();
    } catch (error) {
      job.complete({ state: "failed", error });
      return null;
    }
  }

  #startWorker(): PoolWorker {
    const platform = this.#platform as Platform;
    const source = `(port) => (${runJobs})(port, ${recordThrown})`;
    const worker = new PoolWorker(
      this,
      platform.workers,
      (sink) => this.#settings.start(platform, source, sink),
    );
    this.#workers.add(worker);
    return worker;
  }

  /** The caller of `job` has cancelled it. */
  #abandon(job: PoolJob<unknown>): void {
    if (this.#queue.delete(job)) return this.#finishClosing();
    if (!this.#settings.killsCancelled) return;
    for (const worker of this.#workers) {
      if (worker.job !== job) continue;
      return this.#end(worker, "was killed");
    }
  }

  #end(worker: PoolWorker, reason: string): void {
    this.#remove(worker);
    worker.end(reason);
  }

  #remove(worker: PoolWorker): void {
    if (!this.#workers.delete(worker)) return;
    this.#free = this.#free.filter((free) => free !== worker);
    this.#ending.add(worker);
  }

  #endAll(timeout: number): void {
    const reason = `did not finish within ${Math.max(timeout, 0)} seconds of the shutdown`;
    for (const job of [...this.#queue]) job.cancel(`The executor was shut down`);
    for (const worker of [...this.#workers]) this.#end(worker, reason);
  }

  #finishClosing(): void {
    if (this.#state !== "closing") return;
    if (this.#workers.size > 0 || this.#ending.size > 0 || this.#queue.size > 0) return;
    this.#state = "closed";
    this.#closed.resolve();
  }

  /** Waits until all workers are gone, and holds the process alive for that. */
  async #waitClosed(platform: Platform, timeout: number): Promise<void> {
    const { clock } = platform;
    const deadline = clock.now() + timeout;
    const alarm = clock.createAlarm(() => {
      if (clock.now() >= deadline) this.#endAll(timeout);
      else alarm.set(deadline);
    }, () => {});
    alarm.set(deadline);
    try {
      await this.#closed.promise;
    } finally {
      alarm.close();
    }
  }

  #checkOpen(action: string): void {
    if (this.#state === "open") return;
    throw new InvalidStateError(`Cannot ${action}: the executor was shut down`);
  }
}
