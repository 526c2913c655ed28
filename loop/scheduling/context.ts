import { asyncFrames, capturedFrame, current, currentFrame } from "./_current.ts";
import { CONTEXT_VAR } from "../values/_options.ts";
import { describe, lineOf } from "../values/_describe.ts";
import { showAsText } from "../values/_shown_as_text.ts";
import { checkArgument, checkOptions, TEXT } from "../values/check_options.ts";
import { InvalidStateError } from "../errors/errors.ts";

/**
 * The values of a context. Never changed: `set()` replaces it, so that a copy is one reference.
 * A handle of the loop captures one for each callback.
 */
export type ContextValues = ReadonlyMap<ContextVar<unknown>, unknown>;

const NO_VALUES: ContextValues = new Map();

/** Creates a context that holds `values`. */
let contextOf: (values: ContextValues) => Context;
/** Returns the values of `context`. */
let valuesOf: (context: Context) => ContextValues;
/** Returns `context`; throws if it only looks like one, where `action` has it as an option. */
export let checkContext: (action: string, context: Context) => Context;
/** Replaces the values of `context`. */
let setValues: (context: Context, values: ContextValues) => void;

/**
 * The values of all {@linkcode ContextVar}s as one piece of the program sees them.
 *
 * Each task has one of its own, copied when the task is created. As `contextvars.Context`.
 *
 * @category Scheduling
 */
export class Context {
  /** The current values. */
  #values: ContextValues;

  /** Creates an empty context. Most callers want {@linkcode copyContext}. */
  constructor() {
    this.#values = NO_VALUES;
  }

  /**
   * Calls `fn` inside this context: what it sets stays here, across its awaits too.
   *
   * @param fn The function to call.
   * @param args Its arguments.
   * @returns What `fn` returned.
   */
  run<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R {
    const outer = current.context;
    const frame = currentFrame();
    if (current.loop !== null) current.context = this;
    try {
      return asyncFrames.run({
        loop: current.loop ?? frame?.loop ?? null,
        task: current.task ?? frame?.task ?? null,
        scope: frame?.scope ?? null,
        context: this,
      }, () => fn(...args));
    } finally {
      current.context = outer;
    }
  }

  /** Returns the value that `variable` has here, or `undefined`. */
  get<T>(variable: ContextVar<T>): T | undefined {
    return this.#values.get(variable as ContextVar<unknown>) as T | undefined;
  }

  /** Whether `variable` has a value here. */
  has<T>(variable: ContextVar<T>): boolean {
    return this.#values.has(variable as ContextVar<unknown>);
  }

  /** Returns a copy that changes on its own. */
  copy(): Context {
    return contextOf(this.#values);
  }

  /** Says how many variables have a value here: `<Context size=2>`. */
  toString(): string {
    return lineOf(this, "", { size: this.#values.size });
  }

  static {
    showAsText(this);
    contextOf = (values) => {
      const context = new Context();
      context.#values = values;
      return context;
    };
    valuesOf = (context) => context.#values;
    checkContext = (action, context) => {
      if (#values in context) return context;
      throw new TypeError(
        `Cannot ${action}: option "context" must be a Context, got ${describe(context)}`,
      );
    };
    setValues = (context, values) => {
      context.#values = values;
    };
  }
}

/** The context of code that neither a loop nor a task runs. */
const rootContext = new Context();

/** Returns the context that current code runs in. */
export function currentContext(): Context {
  if (current.context === null && current.values !== null) {
    current.context = contextOf(current.values);
  }
  return current.context ?? currentFrame()?.context ?? rootContext;
}

/** Returns the values of {@linkcode currentContext}, and creates none. */
export function currentValues(): ContextValues {
  if (current.context === null && current.values !== null) return current.values;
  return valuesOf(currentContext());
}

/** As {@linkcode currentValues}, right after the context of the engine was captured. */
export function capturedValues(): ContextValues {
  if (current.context !== null) return valuesOf(current.context);
  return current.values ?? valuesOf(capturedFrame()?.context ?? rootContext);
}

/**
 * Runs the rest of the current entry of the ready queue in `context`. Each entry that calls user
 * code does so first; the loop restores what was before.
 */
export function enterContext(context: Context): void {
  current.context = context;
}

/**
 * Returns a copy of the current context. As `contextvars.copy_context()`.
 *
 * @returns A context with the same values, which changes on its own.
 * @category Scheduling
 */
export function copyContext(): Context {
  return currentContext().copy();
}

/**
 * What {@linkcode ContextVar.set} returns: the way back to the value before.
 *
 * @category Scheduling
 */
export interface ContextToken<T> {
  /** The variable that was set. */
  readonly variable: ContextVar<T>;
  /** The value before; `undefined` when there was none. */
  readonly oldValue: T | undefined;
}

/**
 * Settings of a {@linkcode ContextVar}.
 *
 * @category Scheduling
 */
export interface ContextVarOptions<T> {
  /** What `get()` returns where no value was set. */
  default?: T;
}

/**
 * A variable with a value for each task, which follows `await`. As `contextvars.ContextVar`.
 *
 * @category Scheduling
 *
 * @example A request id that reaches every function of its task
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { ContextVar, gather, run, sleep } from "@gyre/asyncio";
 *
 * const requestId = new ContextVar("requestId", { default: "none" });
 * async function handle(id: string) {
 *   requestId.set(id);
 *   await sleep(0);
 *   return requestId.get();
 * }
 * assertEquals(await run(() => gather([() => handle("a"), () => handle("b")])), ["a", "b"]);
 * assertEquals(requestId.get(), "none");
 * ```
 */
export class ContextVar<T> {
  /** The name, for messages. */
  readonly name: string;
  readonly #default: { value: T } | null;
  /** Tokens that were not used yet, with the context that each belongs to. */
  readonly #tokens: WeakMap<ContextToken<T>, { context: Context; had: boolean }> = new WeakMap();

  /** Creates a variable; create them once, at the top of a module. */
  constructor(name: string, options: ContextVarOptions<T> = {}) {
    checkArgument("create a context variable", "the name", name, TEXT);
    checkOptions("create a context variable", options, CONTEXT_VAR);
    this.name = name;
    this.#default = "default" in options ? { value: options.default as T } : null;
  }

  /**
   * Returns the value in the current context.
   *
   * @param fallback Returned where there is no value; comes before the variable's default.
   * @throws {InvalidStateError} If there is no value, no fallback and no default.
   */
  get(...fallback: [] | [T]): T {
    const context = currentContext();
    if (context.has(this)) return context.get(this) as T;
    if (fallback.length > 0) return fallback[0] as T;
    if (this.#default !== null) return this.#default.value;
    throw new InvalidStateError(`Cannot read context variable "${this.name}": it has no value`);
  }

  /** Sets the value in the current context and returns the way back for {@linkcode reset}. */
  set(value: T): ContextToken<T> {
    const context = currentContext();
    const token = { variable: this, oldValue: context.get(this) };
    this.#tokens.set(token, { context, had: context.has(this) });
    setValues(context, new Map(valuesOf(context)).set(this as ContextVar<unknown>, value));
    return token;
  }

  /**
   * Restores the value before the `set()` that gave `token`.
   *
   * @throws {InvalidStateError} If the token was used before, or comes from another variable or
   * another context.
   */
  reset(token: ContextToken<T>): void {
    const origin = this.#tokens.get(token);
    const context = currentContext();
    if (origin === undefined || origin.context !== context) {
      const state = token.variable !== this
        ? `the token belongs to "${token.variable.name}"`
        : origin === undefined
        ? "the token was used already"
        : "the token belongs to another context";
      throw new InvalidStateError(`Cannot reset context variable "${this.name}": ${state}`);
    }
    this.#tokens.delete(token);
    const values = new Map(valuesOf(context));
    if (origin.had) values.set(this as ContextVar<unknown>, token.oldValue);
    else values.delete(this as ContextVar<unknown>);
    setValues(context, values);
  }

  /** Says its name and default, as `repr()`: `<ContextVar name="user" default="nobody">`. */
  toString(): string {
    const fallback = this.#default;
    return lineOf(this, "", {
      name: JSON.stringify(this.name),
      default: fallback === null ? undefined : describe(fallback.value),
    });
  }

  static {
    showAsText(this);
  }
}
