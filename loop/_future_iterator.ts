import type { Future } from "./future.ts";

/**
 * What `yield*` of a future runs: it yields the future unless that is done, then gives the result.
 *
 * It equals `function* () { if (!future.done()) yield future; return future.result(); }`, at a
 * third of the cost: the iterator is its own result object.
 */
export class FutureIterator<T> {
  /** Part of the result: whether `value` is what the future gave. */
  done = false;
  /** Part of the result: the future to wait for, or what it gave. */
  value: Future<T> | T;
  readonly #future: Future<T>;

  constructor(future: Future<T>) {
    this.#future = future;
    this.value = future;
  }

  next(): this {
    const future = this.#future;
    if (future.done()) {
      this.done = true;
      this.value = future.result();
    }
    return this;
  }

  throw(error: unknown): never {
    throw error;
  }

  return<V>(value: V): IteratorReturnResult<V> {
    return { done: true, value };
  }

  [Symbol.iterator](): this {
    return this;
  }
}
