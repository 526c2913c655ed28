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
export {
  asCompleted,
  type AsCompletedOptions,
  type Completions,
  type FinishedFuture,
} from "./structure/as_completed.ts";
export { Barrier } from "./synchronisation/barrier.ts";
export {
  type CallGraph,
  captureCallGraph,
  formatCallGraph,
  printCallGraph,
  type PrintCallGraphOptions,
} from "./inspection/call_graph.ts";
export type { CancelOptions } from "./tasks/_cancel_reason.ts";
export { Condition } from "./synchronisation/condition.ts";
export {
  Context,
  type ContextToken,
  ContextVar,
  type ContextVarOptions,
  copyContext,
} from "./scheduling/context.ts";
export { DenoEventLoop, type DenoEventLoopOptions } from "./deno_event_loop.ts";
export type { EndedTask, QueueSnapshot, SlowStep } from "./inspection/meter.ts";
export { printSnapshot, type PrintSnapshotOptions } from "./inspection/print_snapshot.ts";
export type {
  ExecutorSnapshot,
  FutureSnapshot,
  LagSnapshot,
  LoopSnapshot,
  ProcessSnapshot,
  ServerSnapshot,
  TaskSnapshot,
  TimerSnapshot,
  TransportSnapshot,
  UnretrievedSnapshot,
} from "./inspection/snapshot.ts";
export type { LoopPermissions } from "./permissions/loop_permissions.ts";
export type { LoopStatistics } from "./scheduling/_driver.ts";
export {
  type Awaitable,
  ensureFuture,
  type EnsureFutureOptions,
  isFuture,
} from "./tasks/ensure_future.ts";
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
} from "./errors/errors.ts";
export { isConnectionError, isOSError } from "./errors/os_error.ts";
export { Event } from "./synchronisation/event.ts";
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
export { Future, type FutureOptions } from "./tasks/future.ts";
export {
  gather,
  type GatherOptions,
  type GatherOutcomes,
  type GatherResults,
} from "./structure/gather.ts";
export { type Callback, Handle } from "./scheduling/handle.ts";
export { LifoQueue } from "./synchronisation/lifo_queue.ts";
export { Lock } from "./synchronisation/lock.ts";
export type {
  Acceptor,
  AddressFamily,
  AdoptListenerOptions,
  ByteChannel,
  ByteSink,
  ChildProcess,
  Clock,
  ClockAlarm,
  ConnectTcpOptions,
  DatagramChannel,
  DatagramConn,
  DatagramSink,
  FileSender,
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
  Readiness,
  Signals,
  SocketAddress,
  SpawnOptions,
  StdioTarget,
  Tls,
  TlsCertificate,
  TlsContext,
  TlsEngine,
  TlsEngineEvents,
  TlsIdentity,
  TlsInfo,
  TlsOptions,
  TlsVersion,
  WritableHandle,
} from "./platform/platform.ts";
export type { PlatformLoop } from "./platform/platform_loop.ts";
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
export { PriorityQueue, type PriorityQueueOptions } from "./synchronisation/priority_queue.ts";
export { Queue, type QueueOptions, type QueueStore } from "./synchronisation/queue.ts";
export { runMain } from "./run_main.ts";
export {
  run,
  Runner,
  type RunnerOptions,
  type RunnerRunOptions,
  type RunOptions,
} from "./runner.ts";
export { BoundedSemaphore, Semaphore } from "./synchronisation/semaphore.ts";
export { shield } from "./structure/shield.ts";
export { sleep } from "./structure/sleep.ts";
export { isCoroutine } from "./values/is_coroutine.ts";
export { type Coroutine, Task, type TaskBody, type TaskOptions } from "./tasks/task.ts";
export { TaskGroup, taskGroup } from "./structure/task_group.ts";
export type { BlockBody } from "./structure/_block_body.ts";
export { Timeout, timeout, timeoutAt } from "./structure/timeout.ts";
export { TimerHandle } from "./scheduling/timer_handle.ts";
export {
  ALL_COMPLETED,
  FIRST_COMPLETED,
  FIRST_EXCEPTION,
  type ReturnWhen,
  wait,
  type WaitOptions,
  type WaitResult,
} from "./structure/wait.ts";
export { waitFor } from "./structure/wait_for.ts";
export type {
  WorkerLink,
  WorkerPermissions,
  WorkerPort,
  WorkerProcesses,
  WorkerProcessOptions,
  Workers,
  WorkerSink,
  WorkerThreadOptions,
} from "./platform/worker_platform.ts";
