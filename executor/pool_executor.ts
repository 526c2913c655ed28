import * as inside from "../loop/inside.ts";
import { checkArgument, checkOptions, countFrom, ITERABLE } from "../loop/values/check_options.ts";
import type { Future } from "../loop/tasks/future.ts";
import { type PlatformLoop, runningPlatformLoop } from "../loop/platform/platform_loop.ts";
import { startOperation } from "../loop/tasks/start_operation.ts";
import { ensureFuture } from "../loop/tasks/ensure_future.ts";
import { MAP, SHUTDOWN } from "./_options.ts";
import { WorkerPool, type WorkerPoolSettings } from "./_worker_pool.ts";
import type { Executor, ExecutorShutdownOptions, JobFunction } from "./executor.ts";
import { JobResults } from "./_job_results.ts";
import { checkJob } from "./_sendable.ts";

/**
 * Settings of {@linkcode PoolExecutor.map}.
 *
 * @category Executors
 */
export interface ExecutorMapOptions {
  /**
   * How many calls may be begun and not yet read. Twice the number of workers by default, which
   * keeps them busy and the results few.
   */
  concurrency?: number | undefined;
}

/**
 * Settings that pools of threads and of processes share.
 *
 * @category Executors
 */
export interface PoolExecutorOptions {
  /** How many workers there may be. As many as the machine runs at once by default. */
  maxWorkers?: number | undefined;
  /** How many jobs may wait for a worker; one more throws `QueueFull`. No limit by default. */
  maxQueued?: number | undefined;
  /** Mebibytes of JavaScript heap after which a worker is ended. 2048 by default. */
  heapLimitMb?: number | undefined;
}

/**
 * What pools of threads and of processes have in common.
 *
 * @category Executors
 */
export class PoolExecutor implements Executor, AsyncDisposable {
  readonly #pool: WorkerPool;

  /** @ignore Use `WorkerPoolExecutor` or `ProcessPoolExecutor`. */
  constructor(settings: WorkerPoolSettings) {
    this.#pool = new WorkerPool(settings);
  }

  /**
   * Starts `fn(...args)` in a worker, or queues it until one is free.
   *
   * @returns Its result, on the running loop.
   * @throws {TypeError} If `fn` or an argument cannot be sent; nothing was sent then.
   * @throws {QueueFull} If too many jobs wait already.
   * @throws {InvalidStateError} If the executor was shut down, or no loop is running here.
   */
  submit<A extends unknown[], R>(fn: JobFunction<A, R>, ...args: A): Future<Awaited<R>> {
    return this.#pool.submit(runningPlatformLoop("submit a job"), fn, args);
  }

  /**
   * Runs `fn` for each of `items`, and gives the results in the order of the items.
   *
   * Items are taken as results are read. A call that fails ends the results with its error, and
   * cancels those that were begun; so does leaving a `for await` loop.
   *
   * @throws {TypeError} If `fn` is nothing that a worker can run, or `items` cannot be iterated over.
   *
   * @example Squares, in order
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { run, WorkerPoolExecutor } from "@gyre/asyncio";
   *
   * const squares = await run(async () => {
   *   await using pool = new WorkerPoolExecutor({ maxWorkers: 2 });
   *   return await Array.fromAsync(pool.map((n: number) => n * n, [1, 2, 3]));
   * });
   * assertEquals(squares, [1, 4, 9]);
   * ```
   */
  map<T, R>(
    fn: JobFunction<[item: T], R>,
    items: Iterable<T>,
    options: ExecutorMapOptions = {},
  ): AsyncIterableIterator<Awaited<R>> {
    checkJob(fn);
    checkArgument("map over items", "the list", items, ITERABLE);
    checkOptions("map over items", options, MAP);
    const loop = runningPlatformLoop("map over items");
    const { concurrency = 2 * this.#pool.maxWorkers(loop.platform) } = options;
    return new JobResults(loop, (item) => this.#pool.submit(loop, fn, [item]), items, concurrency);
  }

  /**
   * Starts workers before the first job needs them, and waits until they run.
   *
   * @param count How many; all by default.
   */
  warmUp(count?: number): Future<void> {
    if (count !== undefined) checkArgument("start workers", "the count", count, countFrom(0));
    const loop = runningPlatformLoop("start workers");
    return startOperation(loop, warmUpSteps(loop, this.#pool, count ?? Infinity));
  }

  /**
   * Takes no more jobs, and ends the workers once their jobs and the queue are done. Idempotent.
   *
   * @param options `wait: false` returns at once. After `timeout` seconds of waiting, workers are
   * ended by force, their jobs fail with `BrokenExecutor` and queued jobs are cancelled; with a
   * timeout of zero at once.
   */
  shutdown(options: ExecutorShutdownOptions = {}): Promise<void> {
    checkOptions("shut an executor down", options, SHUTDOWN);
    return this.#pool.shutdown(options);
  }

  /** Shuts down and waits, at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  /** @ignore As {@linkcode submit}, on `loop`. */
  [inside.submit]<A extends unknown[], R>(
    loop: PlatformLoop,
    fn: JobFunction<A, R>,
    args: A,
  ): Future<Awaited<R>> {
    return this.#pool.submit(loop, fn, args);
  }
}

function* warmUpSteps(
  loop: PlatformLoop,
  pool: WorkerPool,
  count: number,
): Generator<unknown, void, unknown> {
  yield* ensureFuture(pool.warmUp(loop.platform, count), { loop });
}
