function isInstance(this: unknown, value: unknown): boolean {
  try {
    return Function.prototype[Symbol.hasInstance].call(this, value);
  } catch {
    return false;
  }
}

/**
 * Thrown into a task or a future's awaiter when its work was cancelled.
 *
 * `message` is the message given to `cancel()`, or empty. Code that catches it to clean up
 * should throw it again. It carries a stack only in debug mode: building one costs as much as
 * the rest of a cancellation.
 *
 * @category Errors
 */
export class CancelledError extends Error {
  static {
    // On the prototype, not a field: a field costs every cancellation a store.
    Object.defineProperty(this.prototype, "name", { value: "CancelledError", configurable: true });
    // What is thrown may be a proxy that throws when it is asked for its prototype. Defined here,
    // as a static method would take the narrowing of `instanceof` from subclasses.
    Object.defineProperty(this, Symbol.hasInstance, { value: isInstance, configurable: true });
  }
}

/**
 * Thrown when an operation is not allowed in the current state of a loop, future or transport.
 *
 * @category Errors
 */
export class InvalidStateError extends Error {
  /** The class name. */
  override readonly name = "InvalidStateError";
}

/**
 * Thrown when a time limit ran out.
 *
 * @category Errors
 */
export class TimeoutError extends Error {
  /** The class name. */
  override readonly name = "TimeoutError";
}

/**
 * Thrown by a stream read that met the end before the requested bytes; `partial` holds what came.
 *
 * @category Errors
 */
export class IncompleteReadError extends Error {
  /** The class name. */
  override readonly name = "IncompleteReadError";
  /** The bytes read before the end of the stream. */
  readonly partial: Uint8Array;
  /** How many bytes were wanted, or `null` when the wanted end is a separator. */
  readonly expected: number | null;

  /** Creates the error for `partial` bytes where `expected` were wanted. */
  constructor(partial: Uint8Array, expected: number | null) {
    super(
      expected === null
        ? `Cannot read up to the separator: the stream ended after ${partial.length} bytes`
        : `Cannot read ${expected} bytes: the stream ended after ${partial.length}`,
    );
    this.partial = partial;
    this.expected = expected;
  }
}

/**
 * Thrown by a stream read whose separator did not come within the limit.
 *
 * @category Errors
 */
export class LimitOverrunError extends Error {
  /** The class name. */
  override readonly name = "LimitOverrunError";
  /**
   * How many bytes stand before the point where the search stopped. They stay readable, except
   * that `readLine()` drops them.
   */
  readonly consumed: number;

  /** Creates the error with the number of bytes `consumed` by the search. */
  constructor(message: string, consumed: number) {
    super(message);
    this.consumed = consumed;
  }
}

/**
 * Thrown by `getNowait()` of an empty queue.
 *
 * @category Errors
 */
export class QueueEmpty extends Error {
  /** The class name. */
  override readonly name = "QueueEmpty";
}

/**
 * Thrown by `putNowait()` of a full queue.
 *
 * @category Errors
 */
export class QueueFull extends Error {
  /** The class name. */
  override readonly name = "QueueFull";
}

/**
 * Thrown by `put()` and `get()` of a queue that was shut down.
 *
 * @category Errors
 */
export class QueueShutDown extends Error {
  /** The class name. */
  override readonly name = "QueueShutDown";
}

/**
 * Thrown by `wait()` of a barrier that was reset or aborted.
 *
 * @category Errors
 */
export class BrokenBarrierError extends Error {
  /** The class name. */
  override readonly name = "BrokenBarrierError";
}

/**
 * Thrown by a job whose worker died, broke, or was ended by force.
 *
 * @category Errors
 */
export class BrokenExecutor extends Error {
  /** The class name. */
  override readonly name = "BrokenExecutor";
}

/**
 * Thrown by `sendfile()` where the transport has no native way and `fallback` is false.
 *
 * @category Errors
 */
export class SendfileNotAvailableError extends Error {
  /** The class name. */
  override readonly name = "SendfileNotAvailableError";
}

/**
 * Thrown when a program waits and nothing can ever wake it.
 *
 * @category Errors
 */
export class DeadlockError extends Error {
  /** The class name. */
  override readonly name = "DeadlockError";
}
