import { describe } from "./_describe.ts";

/**
 * Whether `value` is surely no generator function; a fast answer for nearly all callbacks. Asking
 * for the prototype would cost a fifth of scheduling one.
 */
export function isPlainFunction(value: unknown): boolean {
  return typeof value === "function" && value.constructor === Function;
}

/**
 * Throws unless `callback` does its work when it is called. A generator function does nothing: what
 * it returns would have to be run, as a task.
 *
 * @throws {TypeError} If it is none, or no function.
 */
export function checkRunsWhenCalled(callback: unknown, action: string): void {
  const kind = kindOfFunction(callback);
  if (kind === "Function" || kind === "AsyncFunction") return;
  throw new TypeError(
    kind === null
      ? `Cannot ${action}: expected a function, got ${describe(callback)}`
      : `Cannot ${action}: expected a plain function, got a ${kind}`,
  );
}

/**
 * Throws unless the work of `callback` is done when it returns.
 *
 * @throws {TypeError} If it gives a coroutine or a promise, or is no function.
 */
export function checkPlain(callback: unknown, action: string): void {
  checkRunsWhenCalled(callback, action);
  if (kindOfFunction(callback) !== "AsyncFunction") return;
  throw new TypeError(`Cannot ${action}: expected a plain function, got an AsyncFunction`);
}

/** The kind of a function by its tag, as far as it has one; `null` for other values. */
function kindOfFunction(value: unknown): string | null {
  if (typeof value !== "function") return null;
  try {
    return Object.prototype.toString.call(value).slice("[object ".length, -1);
  } catch {
    // A proxy that throws: it will when it is called, and that is reported.
    return "Function";
  }
}

const GeneratorFunctionPrototype = Object.getPrototypeOf(function* () {});

/** Whether calling `fn` surely gives a coroutine, and so needs no scope. */
export function isGeneratorFunction(fn: object): boolean {
  return Object.getPrototypeOf(fn) === GeneratorFunctionPrototype;
}

const AsyncGeneratorFunctionPrototype = Object.getPrototypeOf(async function* () {});
const AsyncGeneratorPrototype = AsyncGeneratorFunctionPrototype.prototype;

/** Throws if `body` is an async generator, or a function that gives one: nobody would iterate it. */
export function refuseAsyncGenerator(body: unknown): void {
  const wrong = typeof body === "function"
    ? Object.getPrototypeOf(body) === AsyncGeneratorFunctionPrototype
    : typeof body === "object" && body !== null &&
      Object.prototype.isPrototypeOf.call(AsyncGeneratorPrototype, body);
  if (!wrong) return;
  throw new TypeError(
    "Cannot run an async generator as a task: expected a coroutine (function*) or an async function",
  );
}
