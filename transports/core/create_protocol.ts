import { describe } from "../../loop/values/describe.ts";
import { isCoroutine } from "../../loop/values/is_coroutine.ts";

/** The methods of protocols as asyncio spells them, which nobody would call. */
const METHODS: readonly string[] = [
  "connection_made",
  "connection_lost",
  "data_received",
  "eof_received",
  "pause_writing",
  "resume_writing",
  "get_buffer",
  "buffer_updated",
  "datagram_received",
  "error_received",
  "pipe_data_received",
  "pipe_connection_lost",
  "process_exited",
];

/** Returns what `factory` creates. Throws a `TypeError` if that is no protocol. */
export function createProtocol<P extends object>(factory: () => P): P {
  const protocol: unknown = factory();
  return checkProtocol(protocol as P, "create a protocol");
}

/** Throws unless `factory` is a function. */
export function checkFactory(factory: unknown): void {
  if (typeof factory === "function") return refuseClass(factory);
  throw new TypeError(
    `Cannot create a protocol: expected a function as the factory, got ${describe(factory)}`,
  );
}

/** A class is a factory in Python; here it has to be called with `new`. */
function refuseClass(factory: object): void {
  if (!/^class\b/.test(Function.prototype.toString.call(factory))) return;
  throw new TypeError(
    "Cannot create a protocol: expected a function as the factory, " +
      `as in () => new Echo(), got ${describe(factory).replace("function", "class")}`,
  );
}

/** Returns `protocol`. Throws unless it is an object that can have the methods of a protocol. */
export function checkProtocol<P extends object>(protocol: P, action = "set a protocol"): P {
  const mistake = mistakeOf(protocol);
  if (mistake !== null) {
    throw new TypeError(`Cannot ${action}: expected an object with its methods, got ${mistake}`);
  }
  const misspelt = METHODS.find((name) => hasMethod(protocol, name));
  if (misspelt === undefined) return protocol;
  throw new TypeError(
    `Cannot ${action}: unknown method "${misspelt}", the name is "${inCamelCase(misspelt)}"`,
  );
}

/**
 * Follows what a method of a protocol has returned, which nobody awaits: `failed` is told what an
 * async function throws, and that the body of a generator function never runs.
 */
export function followMethod(result: unknown, failed: (thrown: unknown) => void): void {
  if (typeof result !== "object" || result === null) return;
  try {
    if (result instanceof Promise) result.then(undefined, failed);
    else if (isCoroutine(result)) {
      failed(new TypeError("Cannot call a method of a protocol: it is a generator function"));
    }
  } catch {
    // A value that cannot even be looked at means nothing, as any other.
  }
}

function hasMethod(protocol: object, name: string): boolean {
  try {
    return name in protocol &&
      typeof (protocol as Record<string, unknown>)[name] === "function";
  } catch {
    // It is no mistake of spelling.
    return false;
  }
}

function inCamelCase(name: string): string {
  return name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Says what `protocol` is, if it is none. */
function mistakeOf(protocol: unknown): string | null {
  if (typeof protocol !== "object" || protocol === null) {
    return describe(protocol);
  }
  try {
    if (isCoroutine(protocol)) return "a coroutine";
    if (typeof (protocol as { then?: unknown }).then !== "function") return null;
    // The mistake is told here, and not by what comes of the promise.
    followMethod(protocol, () => {});
    return "a promise";
  } catch {
    return "an object that cannot be read";
  }
}
