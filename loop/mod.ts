/**
 * The event loop: time, callbacks, futures, tasks, synchronisation, and running them.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { gather, run, sleep } from "@gyre/asyncio/loop";
 *
 * assertEquals(await run(() => gather([sleep(0.002, 1), sleep(0.001, 2)])), [1, 2]);
 * ```
 *
 * @module
 */
export { asCompleted, type AsCompletedOptions, type Completions } from "./as_completed.ts";
export { Barrier } from "./barrier.ts";
export {
  type CallGraph,
  captureCallGraph,
  printCallGraph,
  type PrintCallGraphOptions,
} from "./call_graph.ts";
export type { CancelOptions } from "./_cancel_reason.ts";
export { Condition } from "./condition.ts";
export {
  Context,
  type ContextToken,
  ContextVar,
  type ContextVarOptions,
  copyContext,
} from "./context.ts";
export { DenoEventLoop, type DenoEventLoopOptions } from "./deno_event_loop.ts";
export type { LoopPermissions } from "./loop_permissions.ts";
export type { LoopStatistics } from "./_driver.ts";
export {
  type Awaitable,
  ensureFuture,
  type EnsureFutureOptions,
  isFuture,
} from "./ensure_future.ts";
export {
  BrokenBarrierError,
  BrokenExecutor,
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
export { isConnectionError, isOSError } from "./os_error.ts";
export { Event } from "./event.ts";
export {
  allTasks,
  createTask,
  currentTask,
  EventLoop,
  type EventLoopOptions,
  type ExceptionContext,
  type ExceptionHandler,
  type TaskFactory,
} from "./event_loop.ts";
export { Future, type FutureOptions } from "./future.ts";
export { gather, type GatherOptions, type GatherOutcomes, type GatherResults } from "./gather.ts";
export { type Callback, Handle } from "./handle.ts";
export { LifoQueue } from "./lifo_queue.ts";
export { Lock } from "./lock.ts";
export type {
  Acceptor,
  AddressFamily,
  AdoptListenerOptions,
  Alarm,
  ByteChannel,
  ByteSink,
  ChildProcess,
  Clock,
  ConnectTcpOptions,
  DatagramChannel,
  DatagramConn,
  DatagramSink,
  HostAddress,
  Listener,
  ListenTcpOptions,
  ListenUnixOptions,
  Network,
  OpenDatagramsOptions,
  Pipes,
  Platform,
  Processes,
  ProcessSink,
  Program,
  Random,
  ReadableHandle,
  Signals,
  SpawnOptions,
  StdioTarget,
  TcpAddress,
  WritableHandle,
} from "./platform.ts";
export type { PlatformLoop } from "./platform_loop.ts";
export {
  DefaultEventLoopPolicy,
  type EventLoopPolicy,
  type EventLoopPolicyFactory,
  eventLoopPolicyNames,
  getEventLoop,
  getEventLoopPolicy,
  getRunningLoop,
  newEventLoop,
  registerEventLoopPolicy,
  setEventLoop,
  setEventLoopPolicy,
} from "./policy.ts";
export { PriorityQueue, type PriorityQueueOptions } from "./priority_queue.ts";
export { Queue, type QueueOptions, type QueueStore } from "./queue.ts";
export { runMain } from "./run_main.ts";
export {
  run,
  Runner,
  type RunnerOptions,
  type RunnerRunOptions,
  type RunOptions,
} from "./runner.ts";
export { BoundedSemaphore, Semaphore } from "./semaphore.ts";
export { shield } from "./shield.ts";
export { sleep } from "./sleep.ts";
export { isCoroutine } from "./is_coroutine.ts";
export { type Coroutine, Task, type TaskBody, type TaskOptions } from "./task.ts";
export { type ReportReady, TaskGroup, taskGroup } from "./task_group.ts";
export { type RegionBody, Timeout, timeout, timeoutAt } from "./timeout.ts";
export { TimerHandle } from "./timer_handle.ts";
export {
  ALL_COMPLETED,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  type ReturnWhen,
  wait,
  type WaitOptions,
  type WaitResult,
} from "./wait.ts";
export { waitFor } from "./wait_for.ts";
export type {
  WorkerLink,
  WorkerPermissions,
  WorkerPort,
  WorkerProcesses,
  WorkerProcessOptions,
  Workers,
  WorkerSink,
  WorkerThreadOptions,
} from "./worker_platform.ts";
