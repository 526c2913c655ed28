/**
 * The event loop: time, callbacks, futures, tasks, and running them.
 *
 * @module
 */
export {
  allTasks,
  createTask,
  currentTask,
  EventLoop,
  type EventLoopOptions,
  type ExceptionContext,
  type ExceptionHandler,
  getRunningLoop,
  type TaskFactory,
} from "./event_loop.ts";
export {
  Context,
  type ContextToken,
  ContextVar,
  type ContextVarOptions,
  copyContext,
} from "./context.ts";
export {
  type Awaitable,
  ensureFuture,
  type EnsureFutureOptions,
  isFuture,
} from "./ensure_future.ts";
export {
  BrokenBarrierError,
  CancelledError,
  DeadlockError,
  IncompleteReadError,
  InvalidStateError,
  LimitOverrunError,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  SendfileNotAvailableError,
  TimeoutError,
} from "./errors.ts";
export { Future, type FutureOptions } from "./future.ts";
export { type Callback, Handle } from "./handle.ts";
export type { LoopStatistics } from "./_driver.ts";
export { sleep } from "./sleep.ts";
export { type Coroutine, isCoroutine, Task, type TaskBody, type TaskOptions } from "./task.ts";
export { TimerHandle } from "./timer_handle.ts";
export type { Alarm, ByteChannel, ByteSink, Clock, Platform, Random, Signals } from "./platform.ts";
