import { checkOptions } from "../loop/values/check_options.ts";
import { WORKER_POOL_EXECUTOR } from "./_options.ts";
import { PoolExecutor, type PoolExecutorOptions } from "./pool_executor.ts";
import { describe } from "./_describe_job.ts";

/**
 * Settings of a {@linkcode WorkerPoolExecutor}.
 *
 * @category Executors
 */
export interface WorkerPoolExecutorOptions extends PoolExecutorOptions {
  /** The name of the threads, for debuggers. */
  name?: string | undefined;
  /**
   * What jobs may do: what the program may do. Deno restricts a worker thread only behind an
   * unstable flag; anything else than `"inherit"` throws and names the way out.
   */
  permissions?: "inherit" | undefined;
}

/**
 * Runs jobs on threads of this process. As `concurrent.futures.ThreadPoolExecutor`.
 *
 * A job is a function that stands alone, a `moduleFunction()` or a `createJob()`; its arguments
 * and result are copied. Threads start with the first jobs, run one job at a time and are used
 * again. They never keep a program alive.
 *
 * Cancelling a job that waits removes it. Cancelling one that runs detaches it: it runs on, and
 * its result is dropped. A thread in an endless loop cannot be stopped on Deno: `shutdown()` with
 * a timeout lets go of it, and it ends with the program. Use `ProcessPoolExecutor` for code that
 * may have to be stopped, or must be kept from something.
 *
 * Context variables do not cross: a job sees none of them. Pass what it needs.
 *
 * @category Executors
 *
 * @example Hashing off the main thread
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { run, WorkerPoolExecutor } from "@gyre/asyncio";
 *
 * await run(async () => {
 *   await using pool = new WorkerPoolExecutor({ maxWorkers: 2 });
 *   const sum = pool.submit((limit: number) => {
 *     let total = 0;
 *     for (let n = 0; n < limit; n += 1) total += n;
 *     return total;
 *   }, 1000);
 *   assertEquals(await sum, 499_500);
 * });
 * ```
 */
export class WorkerPoolExecutor extends PoolExecutor {
  /**
   * Creates a pool without threads yet.
   *
   * @throws {RangeError} If a number is none of its kind.
   * @throws {TypeError} If threads are to be restricted.
   */
  constructor(options: WorkerPoolExecutorOptions = {}) {
    checkOptions("create a pool", options, WORKER_POOL_EXECUTOR);
    const { maxWorkers, maxQueued = Infinity, heapLimitMb = 2048 } = options;
    const { name = "executor", permissions = "inherit" } = options;
    if (permissions !== "inherit") throw cannotRestrict(permissions);
    super({
      kind: "thread pool",
      maxWorkers: maxWorkers ?? null,
      maxQueued,
      killsCancelled: false,
      canTransfer: true,
      refusal: ({ workers }) => workers.refusal?.() ?? null,
      start: ({ workers }, source, sink) => workers.start(source, { name, heapLimitMb }, sink),
    });
  }
}

function cannotRestrict(permissions: unknown): TypeError {
  const wanted = typeof permissions === "string" ? describe(permissions) : "those given";
  return new TypeError(
    `Cannot restrict the permissions of worker threads to ${wanted}: Deno does that only with ` +
      `the unstable flag --unstable-worker-options; use ProcessPoolExecutor, which always can`,
  );
}
