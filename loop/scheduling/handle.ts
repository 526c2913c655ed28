import * as inside from "../inside.ts";
import { captureEngineContext, current, runInEngineContext } from "./_current.ts";
import type { EngineContext } from "./_deno_engine_context.ts";
import { describe, lineOf } from "../values/_describe.ts";
import { showAsText } from "../values/_shown_as_text.ts";
import { isCoroutine } from "../values/is_coroutine.ts";
import { capturedValues, type Context, type ContextValues, currentContext } from "./context.ts";
import type { EventLoop } from "../event_loop.ts";

/**
 * A callback of any arguments.
 *
 * @category Scheduling
 */
export type Callback = (...args: never[]) => unknown;

/** A callback that is called in a foreign context: that of who scheduled it. */
interface ForeignCallback {
  readonly callback: Callback;
  readonly context: EngineContext;
}

/** Every callback without arguments shares this list. */
const NO_ARGUMENTS: readonly unknown[] = [];

/** Returns the arguments of `handle`. */
export let argsOf: (handle: Handle) => readonly unknown[];
/** Returns the callback of `handle`, or `null` once it is cancelled. */
export let callbackOf: (handle: Handle) => Callback | null;

/**
 * A scheduled callback, to cancel it. Returned by `callSoon`; as `asyncio.Handle`.
 *
 * @category Scheduling
 */
export class Handle {
  readonly #loop: EventLoop;
  /** `null` once cancelled. The rare foreign context has no field here, which all would pay. */
  #callback: Callback | ForeignCallback | null;
  #args: readonly unknown[];
  readonly #values: ContextValues;

  /** @ignore Handles are created by the loop. */
  constructor(
    loop: EventLoop,
    callback: Callback,
    args: readonly unknown[],
    values: ContextValues | null = null,
  ) {
    // The values are those of the context that was captured last.
    const context = captureEngineContext();
    this.#loop = loop;
    this.#callback = context === null ? callback : { callback, context };
    this.#args = args.length === 0 ? NO_ARGUMENTS : args;
    this.#values = values ?? capturedValues();
    if (loop.getDebug()) loop[inside.rememberOrigin](this);
  }

  /** Prevents the call. Does nothing if it was made already, or cancelled before. */
  cancel(): void {
    this.#callback = null;
    this.#args = NO_ARGUMENTS;
  }

  /** Whether {@linkcode cancel} was called. */
  cancelled(): boolean {
    return this.#callback === null;
  }

  /** Says what it calls, as `repr()`: `<Handle tick()>`. */
  toString(): string {
    return this[inside.text]({});
  }

  /** @ignore The text, with the details of a subclass. */
  [inside.text](details: Readonly<Record<string, number>>): string {
    const callback = callbackOf(this);
    const state = callback === null ? "cancelled" : describeCallback(callback);
    const origin = this.#loop[inside.originOf](this)?.split("\n", 1)[0]?.trim();
    return lineOf(this, state, { ...details, created: origin });
  }

  /** @ignore Makes the call; what it throws goes to the exception handler. */
  [inside.run](): void {
    const callback = this.#callback;
    if (callback === null) return;
    if (typeof callback !== "function") return this.#runForeign(callback);
    current.values = this.#values;
    try {
      const args = this.#args;
      const result = args.length === 0
        ? (callback as () => unknown)()
        : callback(...args as never[]);
      if (typeof result === "object" && result !== null) this.#checkResult(callback, result);
    } catch (error) {
      this.#report(callback, error);
    }
  }

  #runForeign({ callback, context }: ForeignCallback): void {
    current.values = this.#values;
    runInEngineContext(context, () => {
      try {
        const result = callback(...this.#args as never[]);
        if (typeof result === "object" && result !== null) this.#checkResult(callback, result);
      } catch (error) {
        this.#report(callback, error);
      }
    });
  }

  /** Nobody else looks at what a callback returns. */
  #checkResult(callback: Callback, result: object): void {
    // An async function: nobody else would see how its promise fails.
    if (result instanceof Promise) {
      const context = currentContext();
      result.catch((error) => this.#report(callback, error, context));
    } else if (isCoroutine(result)) {
      throw new TypeError("Cannot run a coroutine that a callback returned: it needs a task");
    }
  }

  #report(callback: Callback, exception: unknown, context: Context | null = null): void {
    const message = `Exception in callback ${describeCallback(callback)}`;
    this.#loop[inside.report]({ message, exception, handle: this }, context);
  }

  static {
    showAsText(this);
    argsOf = (handle) => handle.#args;
    callbackOf = (handle) => {
      const called = handle.#callback;
      return typeof called === "function" ? called : called?.callback ?? null;
    };
  }
}

/** Names `callback` in a message. */
export function describeCallback(callback: Callback): string {
  try {
    return callback.name === "" ? "(anonymous)" : `${callback.name}()`;
  } catch {
    // A proxy, or a name that has no text.
    return describe(callback);
  }
}
