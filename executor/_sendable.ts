import { describeJob } from "./_describe_job.ts";
import { describe, messageOf } from "../loop/values/describe.ts";
import { freeNames } from "./_free_names.ts";
import type { Target } from "./_job_runner.ts";
import { Job, type JobOptions } from "./create_job.ts";
import type { JobFunction } from "./executor.ts";
import { ModuleFunction } from "./module_function.ts";

/** A job as it is sent. */
export interface Order {
  /** Names the job in messages. */
  readonly name: string;
  /** What to run. */
  readonly target: Target;
  /** Its arguments. */
  readonly args: readonly unknown[];
  /** What else the caller wants. */
  readonly options: Readonly<JobOptions<never>>;
}

/** Sources of functions that were found to be self-contained. */
const sources: WeakMap<object, string> = new WeakMap();

/** Globals of a worker that the loop's side may lack. */
const WORKER_GLOBALS: ReadonlySet<string> = new Set(["close", "onmessage", "postMessage", "self"]);

const NO_OPTIONS: Readonly<JobOptions<never>> = {};

/**
 * Returns `fn` with `args` as it is sent to a worker.
 *
 * @throws {TypeError} If it cannot be sent. The message says what and why.
 */
export function orderOf(fn: JobFunction<never[], unknown>, args: readonly unknown[]): Order {
  checkJob(fn);
  const options = fn instanceof Job ? fn.options : NO_OPTIONS;
  const inner = fn instanceof Job ? fn.fn : fn;
  const name = describeJob(inner);
  checkArguments(name, args, options.transfer);
  const target: Target = inner instanceof ModuleFunction
    ? [inner.url, inner.exportName]
    : sourceOf(inner, name);
  return { name, target, args, options };
}

/**
 * Refuses arguments of job `name` of which can be seen at once that they cannot be copied.
 *
 * @throws {TypeError} If there is one.
 */
export function checkArguments(
  name: string,
  args: readonly unknown[],
  transfer?: Transferable[],
): void {
  for (const [index, arg] of args.entries()) {
    const obstacle = obstacleOf(arg, transfer);
    if (obstacle !== null) throw unsendableArgument(name, index, obstacle);
  }
}

/**
 * Throws unless `fn` is of the kinds that a worker can run.
 *
 * @throws {TypeError} If it is none.
 */
export function checkJob(fn: unknown): void {
  const inner = fn instanceof Job ? fn.fn as unknown : fn;
  if (typeof inner === "function" || inner instanceof ModuleFunction) return;
  throw new TypeError(
    "Cannot send a job to a worker: expected a function, a moduleFunction() or a createJob(), " +
      `got ${describe(inner)}`,
  );
}

/**
 * Refuses what cannot be copied to another process.
 *
 * @throws {TypeError} If `order` transfers something or shares memory.
 */
export function checkCopied(order: Order): void {
  const { args, name, options } = order;
  if ((options.transfer?.length ?? 0) > 0) {
    throw new TypeError(
      `Cannot send job ${name} to a process: nothing can be transferred there, only copied`,
    );
  }
  const shared = args.findIndex((arg) => arg instanceof SharedArrayBuffer);
  if (shared !== -1) {
    throw unsendableArgument(name, shared, "it is shared memory, and a process shares none");
  }
}

/** Returns the error for arguments that could not be cloned, from the host's own `cause`. */
export function uncloneable(order: Order, cause: unknown): TypeError {
  const index = order.args.findIndex((arg) => !isCloneable(arg, order.options.transfer ?? []));
  const obstacle = `it holds what cannot be cloned: "${messageOf(cause)}"`;
  return unsendableArgument(order.name, index, obstacle, cause);
}

function unsendableArgument(
  name: string,
  index: number,
  obstacle: string,
  cause?: unknown,
): TypeError {
  const options = cause === undefined ? {} : { cause };
  const what = index === -1 ? "the arguments" : `argument ${index + 1}`;
  return new TypeError(`Cannot send ${what} of job ${name} to a worker: ${obstacle}`, options);
}

function sourceOf(fn: (...args: never[]) => unknown, name: string): string {
  const known = sources.get(fn);
  if (known !== undefined) return known;
  const source = Function.prototype.toString.call(fn);
  const obstacle = obstacleInSource(fn, source);
  if (obstacle !== null) throw new TypeError(`Cannot send job ${name} to a worker: ${obstacle}`);
  sources.set(fn, source);
  return source;
}

/** Says why a function with this `source` cannot run elsewhere, or returns `null`. */
function obstacleInSource(fn: object, source: string): string | null {
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source)) {
    return "it is native or bound, and so has no source; wrap it in a function of your own";
  }
  if (/^class\b/.test(source)) return "it is a class; send a function that creates it";
  if (Object.prototype.toString.call(fn).includes("Generator")) {
    return "it is a generator, whose steps cannot cross; send a function that returns a value";
  }
  try {
    // Compiles it without running it.
    new Function(`"use strict";return (${source}\n)`);
  } catch (error) {
    return "its source does not stand alone, as that of a method does not; send a function or an " +
      `arrow function ("${messageOf(error)}")`;
  }
  const [name] = [...freeNames(source)].filter((free) => !isGlobal(free));
  if (name === undefined) return null;
  return `it uses "${name}" from the scope around it, which stays here; ` +
    "pass it as an argument, import it inside the function, or use moduleFunction()";
}

function isGlobal(name: string): boolean {
  return name in globalThis || WORKER_GLOBALS.has(name);
}

/** Says why `arg` cannot be sent, if that can be seen at once, or returns `null`. */
function obstacleOf(arg: unknown, transfer: Transferable[] | undefined): string | null {
  if (typeof arg === "function") {
    return "it is a function, and functions do not cross; only the job itself does";
  }
  if (typeof arg === "symbol") return "it is a symbol, which exists in one thread only";
  if (typeof arg !== "object" || arg === null) return null;
  if (typeof (arg as { then?: unknown }).then === "function") {
    return "it is a promise or a future; await it first";
  }
  if (transfer?.includes(arg as Transferable) || keepsItsClass(arg)) return null;
  const className = arg.constructor?.name ?? "Object";
  if (className === "Object" || Object.keys(arg).length > 0) return null;
  return survivesCloning(arg) ? null : `objects of class ${className} cannot be copied`;
}

/** Whether `arg` is of a class whose clone is of the same class, and may be large. */
function keepsItsClass(arg: object): boolean {
  return ArrayBuffer.isView(arg) ||
    [Array, ArrayBuffer, Map, Set, SharedArrayBuffer].some((kept) => arg instanceof kept);
}

/** Whether a clone of `arg`, which has no properties, is more than an empty object. */
function survivesCloning(arg: object): boolean {
  try {
    return Object.getPrototypeOf(structuredClone(arg)) !== Object.prototype;
  } catch {
    return false;
  }
}

function isCloneable(arg: unknown, transfer: Transferable[]): boolean {
  if (transfer.includes(arg as Transferable)) return true;
  try {
    structuredClone(arg);
    return true;
  } catch {
    return false;
  }
}
