import * as inside from "../inside.ts";
import { current } from "../scheduling/_current.ts";
import { InvalidStateError } from "../errors/errors.ts";
import { ranTwice } from "./_wait_errors.ts";
import type { Future } from "./future.ts";
import type { Task } from "./task.ts";

/**
 * What `yield*` of a future runs: it yields the future unless that is done, then gives the result.
 *
 * It equals `function* () { if (!future.done()) yield future; return future.result(); }`, at a
 * third of the cost: the iterator is its own result object. Who goes on before the future is done
 * is no task but a loop over it, as `[...future]`, which would never end, or somebody who goes on with
 * the coroutine of a task; and who stops before it is done has taken it apart, as `const [a] = future`,
 * or has closed a coroutine, whose stack says so.
 */
export class FutureIterator<T> {
  /** Part of the result: whether `value` is what the future gave. */
  done = false;
  /** Part of the result: the future to wait for, or what it gave. */
  value: Future<T> | T;
  readonly #future: Future<T>;
  /** The task that waits, `null` for none; `undefined` before it does. */
  #owner: Task<unknown> | null | undefined = undefined;

  constructor(future: Future<T>) {
    this.#future = future;
    this.value = future;
  }

  next(): this {
    const future = this.#future;
    if (future.done()) {
      this.done = true;
      this.value = future.result();
    } else if (this.#owner !== undefined) {
      const isLost = this.#owner?.[inside.loseCoroutine](future) === true;
      throw isLost || this.#owner !== current.task ? ranTwice() : notAwaited();
    } else current.yielded = future;
    const task = this.#owner = current.task;
    if (!this.done && task !== null && current.operation === null) {
      const loop = future.getLoop();
      if (loop.getDebug()) loop[inside.noteWait](task);
    }
    return this;
  }

  throw(error: unknown): never {
    throw error;
  }

  return<V>(value: V): IteratorReturnResult<V> {
    if (!this.#future.done() && !isCoroutineClosed()) throw notAwaited();
    return { done: true, value };
  }

  [Symbol.iterator](): this {
    return this;
  }
}

function notAwaited(): InvalidStateError {
  return new InvalidStateError(
    "Cannot iterate over a future: it is pending, and waiting for it takes await or yield*, " +
      "as in const [a, b] = await future",
  );
}

/** Whether `return()` of a coroutine has called, as far as the stack says. */
function isCoroutineClosed(): boolean {
  const errors = Error as { prepareStackTrace?: unknown; stackTraceLimit: number };
  const { prepareStackTrace, stackTraceLimit } = errors;
  try {
    errors.stackTraceLimit = Infinity;
    errors.prepareStackTrace = undefined;
    return /\.return \(<anonymous>\)/.test(new Error().stack ?? "");
  } finally {
    errors.prepareStackTrace = prepareStackTrace;
    errors.stackTraceLimit = stackTraceLimit;
  }
}
