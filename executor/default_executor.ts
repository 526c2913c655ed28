import { checkLoopOpen } from "../loop/errors/loop_closed.ts";
import * as inside from "../loop/inside.ts";
import { checkOptions } from "../loop/values/check_options.ts";
import { ensureFuture } from "../loop/tasks/ensure_future.ts";
import { InvalidStateError } from "../loop/errors/errors.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { Future } from "../loop/tasks/future.ts";
import type { PlatformLoop } from "../loop/platform/platform_loop.ts";
import type { Platform } from "../loop/platform/platform.ts";
import { RestrictedPlatform } from "../loop/permissions/restricted_platform.ts";
import { interruptedBy } from "../loop/tasks/interrupted_by.ts";
import { startOperation } from "../loop/tasks/start_operation.ts";
import { isThenable } from "../loop/values/is_coroutine.ts";
import type { Coroutine } from "../loop/tasks/task.ts";
import { wait } from "../loop/structure/wait.ts";
import { SHUTDOWN_DEFAULT_EXECUTOR } from "./_options.ts";
import { Job } from "./create_job.ts";
import type { Executor, JobFunction } from "./executor.ts";
import { PoolExecutor } from "./pool_executor.ts";
import { ProcessPoolExecutor } from "./process_pool_executor.ts";
import { WorkerPoolExecutor } from "./worker_pool_executor.ts";

/**
 * Settings of {@linkcode shutdownDefaultExecutor}.
 *
 * @category Executors
 */
export interface ShutdownDefaultExecutorOptions {
  /** Seconds after which workers are ended by force. No limit by default. */
  timeout?: number | undefined;
}

/** The default executor of a loop. */
interface DefaultExecutor {
  /** `null` until it is first needed, and once it has ended. */
  executor: Executor | null;
  /** Whether it takes jobs. */
  open: boolean;
}

/** Seconds that a foreign executor has beyond its timeout, before nobody waits for it. */
const PATIENCE = 1;

/** The default executor of each loop that has one, or had. */
const executors: WeakMap<EventLoop, DefaultExecutor> = new WeakMap();

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
  checkLoopOpen(loop, "run a job in an executor");
  const chosen = executor ?? defaultExecutor(loop);
  if (chosen instanceof PoolExecutor) return chosen[inside.submit](loop, fn, args);
  if (typeof (chosen as Partial<Executor>).submit !== "function") {
    const got = typeof chosen === "function"
      ? ", as in runInExecutor(null, f), got a function"
      : "";
    throw new TypeError(`Cannot run a job in an executor: expected one with submit()${got}`);
  }
  const signal = fn instanceof Job ? fn.options.signal : undefined;
  if (signal?.aborted === true) return interruptedBy(loop, signal, () => loop.createFuture());
  const result = chosen.submit(fn, ...args);
  if (!isThenable(result)) {
    throw new TypeError("Cannot run a job in an executor: its submit() gave no future");
  }
  const future = ensureFuture(result, { loop });
  return interruptedBy(loop, signal, () => future);
}

/** Sets the executor of jobs that name none. The one before is not shut down. */
export function setDefaultExecutor(loop: PlatformLoop, executor: Executor): void {
  const { submit, shutdown } = (executor ?? {}) as Partial<Executor>;
  if (typeof submit !== "function" || typeof shutdown !== "function") {
    throw new TypeError(
      "Cannot set the default executor: expected an executor with submit() and shutdown()",
    );
  }
  checkLoopOpen(loop, "set the default executor");
  const kept = executors.get(loop);
  if (kept?.open === false) {
    throw new InvalidStateError("Cannot set the default executor: the one before was shut down");
  }
  executors.set(loop, { executor, open: true });
}

/** Takes no more jobs without an executor, and waits for those that run. */
export function shutdownDefaultExecutor(
  loop: PlatformLoop,
  options: ShutdownDefaultExecutorOptions,
): Future<void> {
  checkOptions("shut the default executor down", options, SHUTDOWN_DEFAULT_EXECUTOR);
  return startOperation(loop, shutdownSteps(loop, close(loop), options.timeout ?? Infinity));
}

/** The loop is closed: nobody can receive what jobs give. Ends the default executor at once. */
export function abandonDefaultExecutor(loop: PlatformLoop): void {
  const kept = close(loop);
  const { executor } = kept;
  kept.executor = null;
  if (executor === null) return;
  const fail = (exception: unknown) =>
    loop.callExceptionHandler({ message: "Cannot shut down the default executor", exception });
  try {
    const ended: unknown = executor.shutdown({ wait: false, cancelFutures: true, timeout: 0 });
    Promise.resolve(ended).catch(fail);
  } catch (error) {
    fail(error);
  }
}

/** Lets the default executor of `loop` take no more jobs. */
function close(loop: PlatformLoop): DefaultExecutor {
  const kept = executors.get(loop) ?? { executor: null, open: false };
  kept.open = false;
  executors.set(loop, kept);
  return kept;
}

function defaultExecutor(loop: PlatformLoop): Executor {
  const kept = executors.get(loop);
  if (kept?.open === false) {
    throw new InvalidStateError(
      "Cannot run a job in the default executor: the executor was shut down",
    );
  }
  if (kept !== undefined && kept.executor !== null) return kept.executor;
  const executor = createDefaultExecutor(loop.platform);
  executors.set(loop, { executor, open: true });
  return executor;
}

/** A loop that is not permitted threads, which nothing restricts, has processes if it may. */
function createDefaultExecutor(platform: Platform): Executor {
  const permissions = platform instanceof RestrictedPlatform ? platform.jobPermissions : null;
  if (permissions !== null) return new ProcessPoolExecutor({ permissions });
  return new WorkerPoolExecutor({ name: "default executor" });
}

/** A second shutdown waits for the same end, and may set a sooner one. */
function* shutdownSteps(
  loop: PlatformLoop,
  kept: DefaultExecutor,
  timeout: number,
): Coroutine<void> {
  const { executor } = kept;
  if (executor === null) return;
  const shutdown = executor.shutdown({ timeout });
  if (!isThenable(shutdown)) {
    throw new TypeError("Cannot shut down the default executor: its shutdown() gave no promise");
  }
  const ended = ensureFuture(shutdown, { loop });
  if (!(executor instanceof PoolExecutor) && timeout < Infinity) {
    // It is for the executor to keep to its timeout; one that does not must not hang the program.
    const { pending } = yield* wait([ended], { timeout: timeout + PATIENCE });
    if (pending.size > 0) {
      const message = `The default executor has not ended within ${timeout} seconds`;
      return loop.callExceptionHandler({ message });
    }
  }
  yield* ended;
  kept.executor = null;
}
