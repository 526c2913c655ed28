import { checkOptions } from "../../loop/values/check_options.ts";
import { describe } from "../../loop/values/describe.ts";
import { Job } from "../create_job.ts";
import { QUEUE_JOB } from "./_options.ts";

/**
 * How a job of a queue is run; see {@linkcode QueueJob.with}.
 *
 * @category Queues
 */
export interface QueueJobOptions {
  /**
   * Names this call: one with the same key is not run again while the queue has it, and gets the same
   * result.
   */
  key?: string | undefined;
  /** How often it is tried again after an error; 0 by default. */
  retries?: number | undefined;
  /** Seconds until it is tried again, twice as many each time; 1 by default. */
  backoff?: number | undefined;
  /** Jobs of a higher one are taken first; from 0, the default, to 9. */
  priority?: number | undefined;
  /** Seconds until it may be taken; 0 by default. */
  delay?: number | undefined;
  /**
   * Seconds from the call until its result is of no use; none by default. The call fails with
   * `TimeoutError` then; the job is taken out of the queue, is not tried again, and is ended if it runs.
   * A worker goes by the clock of its machine.
   */
  deadline?: number | undefined;
  /** Aborting it cancels the call, which throws its reason. */
  signal?: AbortSignal | undefined;
}

/**
 * A job that a worker knows by its name; made by {@linkcode defineJobs}.
 *
 * @category Queues
 */
export class QueueJob<A extends unknown[] = unknown[], R = unknown> extends Job<A, R> {
  /** What workers know it by. */
  readonly name: string;
  /** How it is run. */
  readonly settings: Readonly<QueueJobOptions>;

  /** @ignore Made by `defineJobs()`. */
  constructor(name: string, fn: (...args: never[]) => R, settings: QueueJobOptions = {}) {
    super(fn, settings.signal === undefined ? {} : { signal: settings.signal });
    this.name = name;
    this.settings = settings;
  }

  /**
   * Returns the job with options, to be called once or often.
   *
   * @throws {TypeError} If an option is unknown or not of its type.
   * @throws {RangeError} If a number is out of range, or the deadline is over before the delay.
   */
  with(options: QueueJobOptions): QueueJob<A, R> {
    checkOptions("set options of a job", options, QUEUE_JOB);
    const settings = { ...this.settings, ...options };
    const { delay = 0, deadline = Infinity } = settings;
    if (deadline <= delay) {
      throw new RangeError(
        `Cannot set options of a job: its deadline of ${deadline} s is over before its delay of ${delay} s`,
      );
    }
    return new QueueJob(this.name, this.fn as (...args: never[]) => R, settings);
  }
}

/**
 * What {@linkcode defineJobs} gives for functions.
 *
 * @category Queues
 */
export type QueueJobs<F extends Record<string, (...args: never[]) => unknown>> = {
  readonly [K in keyof F]: QueueJob<Parameters<F[K]>, ReturnType<F[K]>>;
};

/**
 * Defines the jobs of a queue, each by its name. A module has them as its default export: callers
 * import it to name a job, workers to run one, and run no other.
 *
 * @typeParam F The functions, by their names.
 * @throws {TypeError} If one of them is no function.
 *
 * @category Queues
 *
 * @example A job, also without a queue
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { run, toThread } from "@gyre/asyncio";
 * import { defineJobs } from "@gyre/asyncio/queue";
 *
 * const jobs = defineJobs({ double: (x: number) => x * 2 });
 * assertEquals(await run(() => toThread(jobs.double, 21)), 42);
 * ```
 */
export function defineJobs<F extends Record<string, (...args: never[]) => unknown>>(
  functions: F,
): QueueJobs<F> {
  const jobs: Record<string, QueueJob> = {};
  for (const [name, fn] of Object.entries(functions)) {
    if (typeof fn !== "function") {
      throw new TypeError(`Cannot define job "${name}": expected a function, got ${describe(fn)}`);
    }
    jobs[name] = new QueueJob(name, fn);
  }
  return Object.freeze(jobs) as QueueJobs<F>;
}
