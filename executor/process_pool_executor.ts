import { isAbsoluteUrl } from "../loop/values/absolute_url.ts";
import { checkOptions } from "../loop/values/check_options.ts";
import { copyPermissions, WORKER_KINDS } from "../loop/permissions/permission_kinds.ts";
import type { WorkerPermissions } from "../loop/platform/worker_platform.ts";
import { PROCESS_POOL_EXECUTOR } from "./_options.ts";
import { PoolExecutor, type PoolExecutorOptions } from "./pool_executor.ts";

/**
 * Settings of a {@linkcode ProcessPoolExecutor}.
 *
 * @category Executors
 */
export interface ProcessPoolExecutorOptions extends PoolExecutorOptions {
  /** What jobs may do. `"none"`, the default, is nothing but compute. */
  permissions?: "none" | WorkerPermissions | undefined;
  /**
   * A module that each process loads: an absolute URL. The `deno.json` that belongs to it applies to
   * what jobs import.
   */
  program?: string | URL | undefined;
}

/**
 * Runs jobs in processes of their own. As `concurrent.futures.ProcessPoolExecutor`.
 *
 * It takes the same jobs as `WorkerPoolExecutor`, but nothing can be transferred or shared. Each
 * worker is one more Deno with the permissions given, none by default. Cancelling a job that
 * runs kills its process, which really stops it. What a job prints appears on our output. A program
 * that a job has started is its own affair: it goes on when the process of the job is ended.
 *
 * A process costs more memory than a thread, and a job more time on the way.
 *
 * @permissions allow-run=deno
 *
 * @category Executors
 *
 * @example A job that is stopped
 * ```ts
 * import { assertRejects } from "@std/assert";
 * import { ProcessPoolExecutor, run, TimeoutError, waitFor } from "@gyre/asyncio";
 *
 * await run(async () => {
 *   await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
 *   const endless = pool.submit(() => {
 *     for (;;);
 *   });
 *   await assertRejects(async () => await waitFor(endless, 0.05), TimeoutError);
 * });
 * ```
 */
export class ProcessPoolExecutor extends PoolExecutor {
  /**
   * Creates a pool without processes yet.
   *
   * @throws {RangeError} If a number is none of its kind.
   * @throws {TypeError} If there is no such kind of permission, or it is given as what it is not.
   */
  constructor(options: ProcessPoolExecutorOptions = {}) {
    checkOptions("create a pool", options, PROCESS_POOL_EXECUTOR);
    const { maxWorkers, maxQueued = Infinity, heapLimitMb = 2048, permissions = "none" } = options;
    const program = options.program === undefined ? undefined : String(options.program);
    if (program !== undefined && !isAbsoluteUrl(program)) {
      throw new TypeError(`Cannot create a pool: the URL "${program}" is not absolute`);
    }
    const granted = permissions === "none" ? {} : copyPermissions(permissions, WORKER_KINDS);
    super({
      kind: "process pool",
      maxWorkers: maxWorkers ?? null,
      maxQueued,
      killsCancelled: true,
      canTransfer: false,
      refusal: ({ workerProcesses }) => workerProcesses.refusal?.(granted) ?? null,
      start: ({ workerProcesses }, source, sink) =>
        workerProcesses.start(source, { permissions: granted, heapLimitMb, program }, sink),
    });
  }
}
