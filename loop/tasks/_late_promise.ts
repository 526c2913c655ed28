import type { Future } from "./future.ts";

/**
 * What `then()` gives for the two functions of a native promise: a promise that is fulfilled when
 * they were called. The engine passes such functions for each `await` and drops what it gets, so
 * the promise is made when somebody uses it.
 */
export class LatePromise implements Promise<void> {
  readonly #future: Future<unknown>;

  constructor(future: Future<unknown>) {
    this.#future = future;
  }

  get [Symbol.toStringTag](): string {
    return "Promise";
  }

  then<R1 = void, R2 = never>(
    onFulfilled?: ((value: void) => R1 | PromiseLike<R1>) | null,
    onRejected?: ((reason: unknown) => R2 | PromiseLike<R2>) | null,
  ): Promise<R1 | R2> {
    return this.#promise().then(onFulfilled, onRejected);
  }

  catch<R = never>(
    onRejected?: ((reason: unknown) => R | PromiseLike<R>) | null,
  ): Promise<void | R> {
    return this.#promise().catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<void> {
    return this.#promise().finally(onFinally);
  }

  /** Those functions give `undefined`, whatever the future gave. */
  #promise(): Promise<void> {
    return this.#future.then(() => {}, () => {});
  }

  static {
    // For `instanceof Promise`; its own methods come first.
    Object.setPrototypeOf(this.prototype, Promise.prototype);
  }
}
