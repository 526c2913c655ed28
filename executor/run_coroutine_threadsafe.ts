import { checkLoopOpen } from "../loop/errors/loop_closed.ts";
import * as inside from "../loop/inside.ts";
import { type EventLoop, runningEventLoop } from "../loop/event_loop.ts";
import { Future } from "../loop/tasks/future.ts";
import type { TaskBody } from "../loop/tasks/task.ts";

/**
 * Runs `body` as a task of another loop. As `asyncio.run_coroutine_threadsafe()`.
 *
 * Several loops may run at once in one program; this is the way from one to the other. The
 * task starts in an iteration of `loop`, its result arrives in one of the caller's. From a
 * Worker, which shares no loop, use `createCallbackPort()`.
 *
 * @param body A coroutine, or a function that returns a coroutine, a promise or a value.
 * @param loop The loop to run it on.
 * @returns The result, on the running loop, or on `loop` where none is running. Cancelling it
 * cancels the task.
 * @throws {InvalidStateError} If `loop` is closed.
 *
 * @category Executors
 *
 * @example From one loop to another
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { EventLoop, getRunningLoop, run, runCoroutineThreadsafe } from "@gyre/asyncio";
 *
 * const other = new EventLoop();
 * const running = other.runForever();
 * const found = await run(() => runCoroutineThreadsafe(() => getRunningLoop() === other, other));
 * assertEquals(found, true);
 * other.stop();
 * await running;
 * other.close();
 * ```
 */
export function runCoroutineThreadsafe<T>(body: TaskBody<T>, loop: EventLoop): Future<T> {
  checkLoopOpen(loop, "run a coroutine");
  const home = tryGetRunningLoop() ?? loop;
  const result = new RemoteResult<T>(home);
  loop.callSoonThreadsafe(() => result.follow(() => loop.createTask(body)));
  return result;
}

/** The result of a task that another loop runs. */
class RemoteResult<T> extends Future<T> {
  #task: Future<T> | null = null;

  constructor(loop: EventLoop) {
    super({ loop });
  }

  /** @ignore */
  override [inside.noteCancelled]({ message, cause }: { message?: string; cause?: unknown }): void {
    const task = this.#task;
    task?.getLoop().callSoonThreadsafe(() => task.cancel(message, { cause }));
  }

  /** Starts the task, unless the caller has changed its mind. */
  follow(start: () => Future<T>): void {
    if (this.done()) return;
    try {
      this.#task = start();
    } catch (error) {
      return this.#tell(() => this.setException(error));
    }
    this.#task.addDoneCallback((task) => this.#tell(() => this.#copy(task)));
  }

  #tell(settle: () => void): void {
    const home = this.getLoop();
    if (!home.isClosed()) home.callSoonThreadsafe(() => this.done() || settle());
  }

  #copy(task: Future<T>): void {
    if (task.cancelled()) return void this.cancel();
    const exception = task.exception();
    if (exception === null) this.setResult(task.result());
    else this.setException(exception);
  }
}

function tryGetRunningLoop(): EventLoop | null {
  try {
    return runningEventLoop();
  } catch {
    return null;
  }
}
