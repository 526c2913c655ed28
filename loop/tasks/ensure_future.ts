import * as inside from "../inside.ts";
import { requireLoop } from "../scheduling/_current.ts";
import { describe } from "../values/_describe.ts";
import { ENSURE_FUTURE } from "../values/_options.ts";
import { checkOptions, NO_OPTIONS } from "../values/check_options.ts";
import { InvalidStateError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import { Future } from "./future.ts";
import { isCoroutine, isThenable } from "../values/is_coroutine.ts";
import type { Coroutine, TaskBody } from "./task.ts";

/**
 * What can be waited for: a future, a promise, a coroutine, or a function that returns one.
 *
 * @category Tasks
 */
export type Awaitable<T> =
  | Future<T>
  | PromiseLike<T>
  | Coroutine<T>
  | (() => Coroutine<T> | PromiseLike<T> | T);

/**
 * Settings of {@linkcode ensureFuture}.
 *
 * @category Tasks
 */
export interface EnsureFutureOptions {
  /** The loop of a new future. Defaults to the running loop. */
  loop?: EventLoop | undefined;
}

/**
 * Whether `value` is a future of this package. As `asyncio.isfuture()`.
 *
 * @category Tasks
 */
export function isFuture(value: unknown): value is Future<unknown> {
  return value instanceof Future;
}

/**
 * Checks that `value` can be waited for.
 *
 * @throws {TypeError} If it is no future, promise, coroutine or function.
 */
export function checkAwaitable(value: unknown): void {
  if (value instanceof Future || typeof value === "function") return;
  if (isCoroutine(value) || isThenable(value)) return;
  throw new TypeError(
    `Cannot wait for ${describe(value)}: expected a future, a promise, a coroutine or a function`,
  );
}

/**
 * Returns `awaitable` as a future. As `asyncio.ensure_future()`.
 *
 * A future is returned as it is. A coroutine or a function becomes a task. A native promise is
 * followed by a new future: cancelling that ends the wait at once, whatever the promise does.
 *
 * @throws {TypeError} If `awaitable` is none of them.
 * @throws {InvalidStateError} If no loop is running here and none is given, or `awaitable` is a
 * future of another loop than the one given.
 * @category Tasks
 */
export function ensureFuture<T>(
  awaitable: Awaitable<T>,
  options: EnsureFutureOptions = NO_OPTIONS,
): Future<T> {
  checkOptions("create a future", options, ENSURE_FUTURE);
  return futureOf(awaitable, options.loop ?? null);
}

/** As {@linkcode ensureFuture}, with the loop of a new future. */
function futureOf<T>(awaitable: Awaitable<T>, ownLoop: EventLoop | null): Future<T> {
  if (!(awaitable instanceof Future)) checkAwaitable(awaitable);
  return futureOfChecked(awaitable, ownLoop);
}

/** As {@linkcode ensureFuture} of what {@linkcode checkAwaitable} has seen. */
export function futureOfChecked<T>(awaitable: Awaitable<T>, ownLoop: EventLoop | null): Future<T> {
  if (awaitable instanceof Future) {
    if (ownLoop !== null && awaitable.getLoop() !== ownLoop) {
      throw new InvalidStateError("Cannot wait for a future: it belongs to another loop");
    }
    awaitable[inside.begin]();
    return awaitable;
  }
  const loop = ownLoop ?? requireLoop("create a future");
  if (typeof awaitable === "function" || isCoroutine(awaitable)) {
    return loop.createTask(awaitable as TaskBody<T>);
  }
  const future = loop.createFuture<T>();
  Promise.resolve(awaitable as PromiseLike<T>).then(
    (value) => future.done() || future.setResult(value),
    (error) => future.done() || future.setException(error),
  );
  return future;
}
