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
  // Plain names and no initializers, for speed: see "Insides" in CONTRIBUTING.md.
  declare private readonly _loop: EventLoop;
  /** `null` once cancelled. The rare foreign context has no field here, which all would pay. */
  declare private _callback: Callback | ForeignCallback | null;
  declare private _args: readonly unknown[];
  declare private readonly _values: ContextValues;

  /** @ignore Handles are created by the loop. */
  constructor(
    loop: EventLoop,
    callback: Callback,
    args: readonly unknown[],
    values: ContextValues | null = null,
  ) {
    // The values are those of the context that was captured last.
    const context = captureEngineContext();
    this._loop = loop;
    this._callback = context === null ? callback : { callback, context };
    this._args = args.length === 0 ? NO_ARGUMENTS : args;
    this._values = values ?? capturedValues();
    if (loop.getDebug()) loop[inside.rememberOrigin](this);
  }

  /** Prevents the call. Does nothing if it was made already, or cancelled before. */
  cancel(): void {
    this._callback = null;
    this._args = NO_ARGUMENTS;
  }

  /** Whether {@linkcode cancel} was called. */
  cancelled(): boolean {
    return this._callback === null;
  }

  /** Says what it calls, as `repr()`: `<Handle tick()>`. */
  toString(): string {
    return this[inside.text]({});
  }

  /** @ignore The text, with the details of a subclass. */
  [inside.text](details: Readonly<Record<string, number>>): string {
    const callback = callbackOf(this);
    const state = callback === null ? "cancelled" : describeCallback(callback);
    const origin = this._loop[inside.originOf](this)?.split("\n", 1)[0]?.trim();
    return lineOf(this, state, { ...details, created: origin });
  }

  /** @ignore Makes the call; what it throws goes to the exception handler. */
  [inside.run](): void {
    const callback = this._callback;
    if (callback === null) return;
    if (typeof callback !== "function") return this._runForeign(callback);
    current.values = this._values;
    try {
      const args = this._args;
      const result = args.length === 0
        ? (callback as () => unknown)()
        : callback(...args as never[]);
      if (typeof result === "object" && result !== null) this._checkResult(callback, result);
    } catch (error) {
      this._report(callback, error);
    }
  }

  /** Calls it in the foreign context that it was given in. */
  private _runForeign({ callback, context }: ForeignCallback): void {
    current.values = this._values;
    runInEngineContext(context, () => {
      try {
        const result = callback(...this._args as never[]);
        if (typeof result === "object" && result !== null) this._checkResult(callback, result);
      } catch (error) {
        this._report(callback, error);
      }
    });
  }

  /** Nobody else looks at what a callback returns. */
  private _checkResult(callback: Callback, result: object): void {
    // An async function: nobody else would see how its promise fails.
    if (result instanceof Promise) {
      const context = currentContext();
      result.catch((error) => this._report(callback, error, context));
    } else if (isCoroutine(result)) {
      throw new TypeError("Cannot run a coroutine that a callback returned: it needs a task");
    }
  }

  /** Tells the exception handler of what a callback has thrown. */
  private _report(callback: Callback, exception: unknown, context: Context | null = null): void {
    const message = `Exception in callback ${describeCallback(callback)}`;
    this._loop[inside.report]({ message, exception, handle: this }, context);
  }

  static {
    showAsText(this);
    argsOf = (handle) => handle._args;
    callbackOf = (handle) => {
      const called = handle._callback;
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
