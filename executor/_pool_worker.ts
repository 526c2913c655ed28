import { BrokenExecutor } from "../loop/errors/errors.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { WorkerLink, Workers, WorkerSink } from "../loop/platform/worker_platform.ts";
import { describeThrown } from "../loop/values/describe.ts";
import type { Reply, Request } from "./_job_runner.ts";
import { pack } from "./_parcel.ts";
import type { PoolJob } from "./_pool_job.ts";
import { revive } from "./_revive_error.ts";
import type { ThrownRecord } from "./_thrown_record.ts";

/** Whom a worker of a pool tells what becomes of it. */
export interface WorkerOwner {
  /** The worker is free. */
  freed(worker: PoolWorker): void;
  /** The worker is broken and is being ended; its job has failed. */
  broken(worker: PoolWorker): void;
  /** The worker is gone. Last call. */
  gone(worker: PoolWorker): void;
}

/**
 * One worker of a pool, with the job that it runs.
 *
 * It runs one job at a time, as a thread does. What it sends must belong to that job; anything
 * else shows that the job has got hold of the port, and breaks the worker.
 */
export class PoolWorker implements WorkerSink {
  readonly #owner: WorkerOwner;
  readonly #workers: Workers;
  readonly #link: WorkerLink;
  #job: PoolJob<unknown> | null = null;
  /** The number of the job; later ones have higher numbers. */
  #jobId = 0;
  /** The loop of that job, or of the last one. */
  #loop: EventLoop | null = null;
  #isEnding = false;
  #isGone = false;
  readonly #ready: PromiseWithResolvers<void> = Promise.withResolvers();

  /** Starts the worker with `start`. */
  constructor(owner: WorkerOwner, workers: Workers, start: (sink: WorkerSink) => WorkerLink) {
    this.#owner = owner;
    this.#workers = workers;
    this.#link = start(this);
    this.#ready.promise.catch(() => {});
  }

  /** Settles once the worker runs, or cannot. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** The job that runs, or `null`. */
  get job(): PoolJob<unknown> | null {
    return this.#job;
  }

  /**
   * Sends `job` to the worker, which must be free.
   *
   * @throws {Error} If its arguments cannot be cloned; the worker is still free then.
   */
  run(job: PoolJob<unknown>): void {
    const { target, args, options } = job.order;
    const { onProgress, transferResult = false, transfer = [] } = options;
    const parcel = job.parcel ?? { message: args, transfer };
    const request: Request = [
      this.#jobId + 1,
      target,
      parcel.message as unknown[],
      onProgress !== undefined,
      transferResult,
    ];
    this.#link.post(request, parcel.transfer);
    this.#jobId += 1;
    this.#job = job;
    this.#loop = job.getLoop();
  }

  /** Ends the worker at once. Its job, if it has one, fails because of `reason`. */
  end(reason: string, cause?: unknown): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#failJob(reason, cause);
    this.#link.terminate();
  }

  received(message: unknown): void {
    if (this.#isEnding) return;
    const [id, kind, content] = (Array.isArray(message) ? message : []) as unknown as Reply;
    if (id === 0 && kind === "ready") this.#ready.resolve();
    else if (kind === "stray") this.#onStray(id, content);
    else if (kind === "progress" && id <= this.#jobId) {
      // A job may report after its end, from a timer it left behind.
      if (id === this.#jobId) this.#job?.report(content);
    } else if (this.#job === null || id !== this.#jobId) this.garbled(undefined);
    else if (kind === "finished") this.#finish({ state: "finished", value: content });
    else if (kind === "failed") this.#fail(content as ThrownRecord);
    else this.garbled(undefined);
  }

  garbled(error: unknown): void {
    this.#break("sent what is no answer to a job", error);
  }

  ended(reason: string, error: unknown): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (!this.#isEnding) {
      this.#isEnding = true;
      if (error !== undefined && this.#job === null) this.#report(error);
      this.#failJob(reason, error);
      this.#owner.broken(this);
    }
    this.#owner.gone(this);
  }

  #fail(thrown: ThrownRecord): void {
    const error = this.#revive(thrown);
    if (error !== null) this.#finish({ state: "failed", error: error.value });
  }

  /**
   * Something failed in the worker that no job waits for, such as a timer. It ends the job that it
   * is of, which may wait for it in vain; one that a former job has left behind is reported.
   */
  #onStray(id: number | null, record: ThrownRecord): void {
    const error = this.#revive(record);
    if (error === null) return;
    const { value: thrown } = error;
    const job = id === null || id === this.#jobId ? this.#job : null;
    if (job === null || job.done()) this.#report(thrown);
    if (job !== null) {
      this.#break(
        `failed outside of what the job returned ("${
          typeof thrown === "string" ? thrown : describeThrown(thrown)
        }")`,
        thrown,
      );
    }
  }

  /** Tells the loop of the last job of an error that concerns no job any more. */
  #report(exception: unknown): void {
    const message = "Exception in a worker that no job waits for";
    this.#loop?.callExceptionHandler({ message, exception });
  }

  #revive(thrown: ThrownRecord): { value: unknown } | null {
    try {
      return { value: revive(thrown, this.#workers) };
    } catch (garbage) {
      this.garbled(garbage);
      return null;
    }
  }

  #break(reason: string, cause: unknown): void {
    if (this.#isEnding) return;
    // Before its end, which may be reported at once.
    this.#owner.broken(this);
    this.end(reason, cause);
  }

  #finish(outcome: Parameters<PoolJob<unknown>["complete"]>[0]): void {
    const job = this.#job;
    this.#job = null;
    // The worker gets its next job before the loop hears of this one.
    this.#owner.freed(this);
    job?.complete(outcome);
  }

  #failJob(reason: string, cause: unknown): void {
    const options = cause === undefined ? {} : { cause };
    this.#ready.reject(new BrokenExecutor(`Cannot start a worker: it ${reason}`, options));
    const job = this.#job;
    this.#job = null;
    if (job === null) return;
    const message = `Cannot finish job ${job.order.name}: its worker ${reason}`;
    job.complete({ state: "failed", error: new BrokenExecutor(message, options) });
  }
}

/** Keeps the arguments of `job`, which has to queue, as they are now. */
export function packArguments(job: PoolJob<unknown>): void {
  const { args, options } = job.order;
  if (args.every(isPrimitive)) return;
  job.parcel = pack(args, options.transfer ?? []);
}

function isPrimitive(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}
