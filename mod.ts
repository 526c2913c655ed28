/**
 * Python asyncio's event loop, transports, protocols, subprocesses and executors for Deno.
 *
 * @module
 */
export {
  allTasks,
  type Awaitable,
  CancelledError,
  ContextVar,
  copyContext,
  type Coroutine,
  createTask,
  currentTask,
  ensureFuture,
  EventLoop,
  Future,
  getRunningLoop,
  InvalidStateError,
  isCoroutine,
  isFuture,
  sleep,
  Task,
  TimeoutError,
} from "./loop/mod.ts";
