import { ensureFuture } from "../loop/ensure_future.ts";
import { InvalidStateError } from "../loop/errors.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { Future } from "../loop/future.ts";
import type { PlatformLoop } from "../loop/platform_loop.ts";
import type { Platform } from "../loop/platform.ts";
import { RestrictedPlatform } from "../loop/restricted_platform.ts";
import { startOperation } from "../loop/start_operation.ts";
import type { Coroutine } from "../loop/task.ts";
import type { Executor, JobFunction } from "./executor.ts";
import { PoolExecutor } from "./pool_executor.ts";
import { ProcessPoolExecutor } from "./process_pool_executor.ts";
import { WorkerPoolExecutor } from "./worker_pool_executor.ts";

/** Settings of {@linkcode shutdownDefaultExecutor}. */
export interface ShutdownDefaultExecutorOptions {
  /** Seconds after which workers are ended by force. No limit by default. */
  timeout?: number;
}

/** What stands for the default executor of a loop once it was shut down. */
const SHUT_DOWN: unique symbol = Symbol("shut down");

/** The default executor of each loop that has one. */
const executors: WeakMap<EventLoop, Executor | typeof SHUT_DOWN> = new WeakMap();

/**
 * Runs `fn(...args)` in `executor`; `null` is the loop's default executor, which is created when
 * it is first needed. The job starts at once, awaited or not.
 */
export function runInExecutor<A extends unknown[], R>(
  loop: PlatformLoop,
  executor: Executor | null,
  fn: JobFunction<A, R>,
  args: A,
): Future<Awaited<R>> {
  if (loop.isClosed()) {
    throw new InvalidStateError("Cannot run a job in an executor: the event loop is closed");
  }
  const chosen = executor ?? defaultExecutor(loop);
  if (chosen instanceof PoolExecutor) return chosen._submit(loop, fn, args);
  return ensureFuture(chosen.submit(fn, ...args), { loop });
}

/** Sets the executor of jobs that name none. The one before is not shut down. */
export function setDefaultExecutor(loop: PlatformLoop, executor: Executor): void {
  if (typeof (executor as Partial<Executor> | null)?.submit !== "function") {
    throw new TypeError("Cannot set the default executor: expected an executor with submit()");
  }
  executors.set(loop, executor);
}

/** Takes no more jobs without an executor, and waits for those that run. */
export function shutdownDefaultExecutor(
  loop: PlatformLoop,
  options: ShutdownDefaultExecutorOptions,
): Future<void> {
  const executor = executors.get(loop);
  executors.set(loop, SHUT_DOWN);
  return startOperation(loop, shutdownSteps(loop, executor, options.timeout ?? Infinity));
}

/** The loop is closed: nobody can receive what jobs give. Ends the default executor at once. */
export function abandonDefaultExecutor(loop: PlatformLoop): void {
  const executor = executors.get(loop);
  executors.set(loop, SHUT_DOWN);
  if (executor === undefined || executor === SHUT_DOWN) return;
  void executor.shutdown({ wait: false, cancelFutures: true, timeout: 0 });
}

function defaultExecutor(loop: PlatformLoop): Executor {
  const executor = executors.get(loop);
  if (executor === SHUT_DOWN) {
    throw new InvalidStateError(
      "Cannot run a job in the default executor: the executor was shut down",
    );
  }
  if (executor !== undefined) return executor;
  const created = createDefaultExecutor(loop.platform);
  executors.set(loop, created);
  return created;
}

/** A loop that is not permitted threads, which nothing restricts, has processes if it may. */
function createDefaultExecutor(platform: Platform): Executor {
  const permissions = platform instanceof RestrictedPlatform ? platform.jobPermissions : null;
  if (permissions !== null) return new ProcessPoolExecutor({ permissions });
  return new WorkerPoolExecutor({ name: "default executor" });
}

function* shutdownSteps(
  loop: PlatformLoop,
  executor: Executor | typeof SHUT_DOWN | undefined,
  timeout: number,
): Coroutine<void> {
  if (executor === undefined || executor === SHUT_DOWN) return;
  yield* ensureFuture(executor.shutdown({ timeout }), { loop });
}
