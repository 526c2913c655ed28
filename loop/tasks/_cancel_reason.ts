import { CancelledError } from "../errors/errors.ts";
import { describe } from "../values/_describe.ts";

/**
 * Settings of {@linkcode Future.cancel}.
 *
 * @category Tasks
 */
export interface CancelOptions {
  /** What led to it; the `cause` of the `CancelledError`. */
  cause?: unknown | undefined;
}

/** How many stacks one cancellation may read to find out whether it has arrived. */
const MAX_PROBES = 500;

/** What a cancellation says, on its way from `cancel()` to the error that is thrown. */
export class CancelReason {
  /** The message of the error. */
  readonly message?: string;
  /** The cause of the error; `undefined` for none. */
  readonly cause?: unknown;
  #probes = 0;
  #yields = false;

  constructor(message?: unknown, options?: CancelOptions) {
    if (typeof message === "string") this.message = message;
    else if (message !== undefined && message !== null) this.message = textOf(message);
    if (options?.cause !== undefined) this.cause = options.cause;
  }

  /** That of `error`, without the message. */
  static of(error: CancelledError): CancelReason {
    return new CancelReason(undefined, { cause: causeOf(error) });
  }

  /** One that any other takes the place of, where they arrive as one. */
  static yielding(): CancelReason {
    const reason = new CancelReason();
    reason.#yields = true;
    return reason;
  }

  /** This reason, with the cause of `earlier` if it has none: two that arrive as one. */
  after(earlier: CancelReason): CancelReason {
    if (this.#yields) return earlier;
    if (this.cause !== undefined || earlier.cause === undefined) return this;
    return new CancelReason(this.message, earlier);
  }

  /** Without the message, which asyncio gives to the first who asks only. */
  withoutMessage(): CancelReason {
    return new CancelReason(undefined, this);
  }

  /** Whether it may look once more where it has arrived: of thousands of tasks not in each. */
  mayProbe(): boolean {
    return this.#probes++ < MAX_PROBES;
  }

  /**
   * Creates the error; without the calls in its stack, which cost half of a cancellation, unless
   * `traced`, in debug mode.
   */
  toError(traced = false): CancelledError {
    if (traced) return this.#createError();
    const errors = Error as { stackTraceLimit: number | undefined };
    const limit = errors.stackTraceLimit;
    try {
      // With a limit of 0 the engine looks at the calls all the same.
      errors.stackTraceLimit = undefined;
      const error = this.#createError();
      const { name, message } = error;
      error.stack = message === "" ? name : `${name}: ${message}`;
      return error;
    } finally {
      errors.stackTraceLimit = limit;
    }
  }

  #createError(): CancelledError {
    return this.cause === undefined
      ? new CancelledError(this.message)
      : new CancelledError(this.message, { cause: this.cause });
  }
}

/** The cause of `error`, whose getter may throw: somebody else may have thrown it. */
export function causeOf(error: CancelledError): unknown {
  try {
    return error.cause;
  } catch {
    return undefined;
  }
}

/** Gives `error` a cause if it has none and takes one: it may be frozen. */
export function giveCause(error: CancelledError, cause: unknown): void {
  if (cause === undefined) return;
  try {
    error.cause ??= cause;
  } catch {
    // It stays as it is.
  }
}

/** A message that is no text becomes one at once: where it is thrown nobody could be told. */
function textOf(message: unknown): string {
  try {
    return String(message);
  } catch {
    return describe(message);
  }
}
