// What jobs may do. Each stands alone, so that it can be sent as a source as well as by its module.

/** Jobs with a value, and the value. */
export const GIVES: [name: keyof typeof import("./_odd_jobs.ts"), value: unknown][] = [
  ["returnNumber", 1],
  ["returnNothing", undefined],
  ["returnPromise", "promised"],
  ["returnThenable", "thenable"],
  ["resolveTwice", "first"],
  ["resolveAndThrow", "first"],
  ["resolveThenReject", "first"],
  ["returnThenableOfThenable", "inner"],
  ["returnPromiseOfThenable", "inner"],
  ["returnMuch", 8 << 20],
];

/** Jobs that fail, and the text of the error. */
export const FAILS: [name: keyof typeof import("./_odd_jobs.ts"), text: string | RegExp][] = [
  ["throwError", "RangeError: mine"],
  ["throwNothing", "undefined"],
  ["throwNull", "null"],
  ["throwSymbol", "Symbol(mine)"],
  ["throwFunction", /^\(\) *=> *"mine"$/],
  ["throwPromise", "[object Promise]"],
  ["throwWithoutPrototype", "[object Object]"],
  ["throwWithoutText", "a value without a text (object)"],
  ["throwProxy", "a value without a text (object)"],
  ["throwErrorOfGetters", "a value without a text (object)"],
  ["throwErrorWithoutText", "Error: a value without a text (object)"],
  ["throwErrorWithoutConstructor", /^Error: odd$/],
  ["rejectWithoutText", "a value without a text (object)"],
  ["rejectProxy", "a value without a text (object)"],
  ["thenThrows", "TypeError: no then"],
  ["thenableRejects", "RangeError: rejected"],
  ["thenableThrows", "RangeError: thrown"],
  ["returnProxy", /^RangeError: trapped$|^TypeError: Cannot return the result of a job/],
  ["returnFunction", /^TypeError: Cannot return the result of a job/],
  ["returnSymbol", /^TypeError: Cannot return the result of a job/],
  ["returnPromiseOfFunction", /^TypeError: Cannot return the result of a job/],
];

/** Jobs that break their worker, and what is said of that. */
export const BREAKS: [name: keyof typeof import("./_odd_jobs.ts"), says: string | RegExp][] = [
  ["throwFromTimer", 'outside of what the job returned ("Object")'],
  ["throwFromMicrotask", 'outside of what the job returned ("Error: stray")'],
  ["rejectAlone", 'outside of what the job returned ("Object")'],
  ["exitDeno", "exited with code 7"],
  ["exitNode", "exited with code 7"],
];

/** Jobs of threads that break their worker. */
export const THREAD_BREAKS: typeof BREAKS = [
  ["closeWorker", "exited with code 0"],
  ["forgeResult", "outside of what the job returned"],
  ["forgeFatal", "outside of what the job returned"],
  ["forgeByParentPort", "outside of what the job returned"],
];

/** Jobs that leave behind what fails when `go()` is called in their worker, and with what. */
export const LEAVES: [name: keyof typeof import("./_odd_jobs.ts"), text: string | RegExp][] = [
  ["leaveTimer", "Error: late timer"],
  ["leaveRejection", "Error: late rejection"],
  ["leaveOddTimer", "a value without a text (object)"],
];

/** Jobs of threads that leave behind what posts messages when `go()` is called. */
export const THREAD_LEAVES: typeof LEAVES = [
  ["leaveForgery", /^TypeError: Cannot post a message from a job/],
];

export function returnNumber(): unknown {
  return 1;
}

export function returnNothing(): unknown {
  return undefined;
}

export async function returnPromise(): Promise<unknown> {
  return await Promise.resolve("promised");
}

export function returnThenable(): unknown {
  return { then: (resolve: (value: unknown) => void) => resolve("thenable") };
}

export function resolveTwice(): unknown {
  return {
    then(resolve: (value: unknown) => void) {
      resolve("first");
      resolve("second");
    },
  };
}

export function resolveAndThrow(): unknown {
  return {
    then(resolve: (value: unknown) => void) {
      resolve("first");
      throw new Error("too late");
    },
  };
}

export function resolveThenReject(): unknown {
  return {
    then(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
      resolve("first");
      reject(new Error("too late"));
    },
  };
}

export function returnThenableOfThenable(): unknown {
  const inner = { then: (resolve: (value: unknown) => void) => resolve("inner") };
  return { then: (resolve: (value: unknown) => void) => resolve(inner) };
}

export async function returnPromiseOfThenable(): Promise<unknown> {
  return await { then: (resolve: (value: unknown) => void) => resolve("inner") };
}

export function returnMuch(): unknown {
  return new Uint8Array(8 << 20);
}

export function throwError(): unknown {
  throw new RangeError("mine");
}

export function throwNothing(): unknown {
  // deno-lint-ignore no-throw-literal -- Jobs of others may.
  throw undefined;
}

export function throwNull(): unknown {
  // deno-lint-ignore no-throw-literal -- Jobs of others may.
  throw null;
}

export function throwSymbol(): unknown {
  throw Symbol("mine");
}

export function throwFunction(): unknown {
  throw () => "mine";
}

export function throwPromise(): unknown {
  throw Promise.resolve("mine");
}

export function throwWithoutPrototype(): unknown {
  throw Object.create(null);
}

export function throwWithoutText(): unknown {
  throw {
    toString() {
      throw new Error("no text");
    },
  };
}

export function throwProxy(): unknown {
  const trap = () => {
    throw new RangeError("trapped");
  };
  throw new Proxy({}, { get: trap, getPrototypeOf: trap, ownKeys: trap });
}

export function throwErrorOfGetters(): unknown {
  const error = new Error("mine");
  for (const key of ["name", "message", "stack", "cause"]) {
    Object.defineProperty(error, key, {
      get() {
        throw new Error("no property");
      },
    });
  }
  throw error;
}

export function throwErrorWithoutText(): unknown {
  const error = new Error();
  Object.defineProperty(error, "message", { value: { toString: null, valueOf: null } });
  throw error;
}

export function throwErrorWithoutConstructor(): unknown {
  class Odd extends Error {}
  Object.defineProperty(Odd.prototype, "constructor", { value: null });
  throw new Odd("odd");
}

export function rejectWithoutText(): unknown {
  return Promise.reject({
    toString() {
      throw new Error("no text");
    },
  });
}

export function rejectProxy(): unknown {
  const trap = () => {
    throw new RangeError("trapped");
  };
  return Promise.reject(new Proxy({}, { get: trap, getPrototypeOf: trap, ownKeys: trap }));
}

export function thenThrows(): unknown {
  return {
    get then() {
      throw new TypeError("no then");
    },
  };
}

export function thenableRejects(): unknown {
  const then = (_: unknown, reject: (error: unknown) => void) => reject(new RangeError("rejected"));
  return { then };
}

export function thenableThrows(): unknown {
  return {
    then() {
      throw new RangeError("thrown");
    },
  };
}

export function returnProxy(): unknown {
  const trap = () => {
    throw new RangeError("trapped");
  };
  return new Proxy({}, { get: trap, getPrototypeOf: trap, ownKeys: trap });
}

export function returnFunction(): unknown {
  return () => 1;
}

export function returnSymbol(): unknown {
  return Symbol("mine");
}

export function returnPromiseOfFunction(): unknown {
  return Promise.resolve(() => 1);
}

export function throwFromTimer(): unknown {
  setTimeout(() => {
    throw { toString: null, valueOf: null };
  });
  return new Promise(() => {});
}

export function throwFromMicrotask(): unknown {
  queueMicrotask(() => {
    throw new Error("stray");
  });
  return new Promise(() => {});
}

export function rejectAlone(): unknown {
  void Promise.reject({ toString: null, valueOf: null });
  return new Promise(() => {});
}

export function exitDeno(): unknown {
  return Deno.exit(7);
}

export async function exitNode(): Promise<unknown> {
  const { default: process } = await import("node:process");
  return process.exit(7);
}

export function closeWorker(): unknown {
  globalThis.close();
  return new Promise(() => {});
}

export function forgeResult(): unknown {
  for (let id = 0; id < 100; id += 1) {
    (globalThis as unknown as MessagePort).postMessage([id, "finished", "forged"]);
  }
  return new Promise(() => {});
}

export function forgeFatal(): unknown {
  (globalThis as unknown as MessagePort).postMessage([0, "stray", null]);
  return new Promise(() => {});
}

export async function forgeByParentPort(): Promise<unknown> {
  const { parentPort } = await import("node:worker_threads");
  parentPort?.postMessage([1, "failed", { kind: "error" }]);
  return new Promise(() => {});
}

export function leaveTimer(): unknown {
  const { promise, resolve } = Promise.withResolvers<void>();
  Object.assign(globalThis, { go: resolve });
  const fail = () => {
    throw new Error("late timer");
  };
  void promise.then(() => setTimeout(fail));
  return "left";
}

export function leaveRejection(): unknown {
  const { promise, resolve } = Promise.withResolvers<void>();
  Object.assign(globalThis, { go: resolve });
  void promise.then(() => {
    throw new Error("late rejection");
  });
  return "left";
}

export function leaveOddTimer(): unknown {
  const { promise, resolve } = Promise.withResolvers<void>();
  Object.assign(globalThis, { go: resolve });
  const fail = () => {
    throw { toString: null, valueOf: null };
  };
  void promise.then(() => setTimeout(fail));
  return "left";
}

export function leaveForgery(): unknown {
  const { promise, resolve } = Promise.withResolvers<void>();
  Object.assign(globalThis, { go: resolve });
  void promise.then(() => {
    (globalThis as unknown as MessagePort).postMessage([100, "finished", "forged"]);
  });
  return "left";
}

/** Lets what a former job has left behind fail, and is still there after that. */
export async function beInnocent(): Promise<string> {
  (globalThis as unknown as { go(): void }).go();
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setTimeout(resolve));
  return "innocent";
}
