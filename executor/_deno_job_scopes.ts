import type { AsyncLocalStorage } from "node:async_hooks";
import type { WorkerPort } from "../loop/platform/worker_platform.ts";

/** What belongs to which job, in a worker. */
export interface JobScopes extends Pick<WorkerPort, "runAs" | "onStray"> {
  /** Reports an error that nothing catches, as one of the job that is running. */
  report(error: unknown): void;
}

/**
 * Keeps track of what belongs to which job inside a worker, and catches what nothing else there
 * catches. Only the text of this function gets there: it uses nothing of this file but types.
 */
export function trackJobs(storage: AsyncLocalStorage<number>): JobScopes {
  let callback: (error: unknown, id: number | null) => void = () => {};
  const report = (error: unknown) => callback(error, storage.getStore() ?? null);

  function onEvent(event: Event, error: unknown): void {
    event.preventDefault();
    report(error);
  }

  /** The host reports what a timer throws outside of the job that has set it. */
  function guardTimer(name: "setTimeout" | "setInterval" | "setImmediate"): void {
    type SetTimer = (work: unknown, ...rest: unknown[]) => unknown;
    const original = globalThis[name] as unknown as SetTimer;
    const guard = (work: (...args: unknown[]) => unknown) => (...args: unknown[]) => {
      try {
        return work(...args);
      } catch (error) {
        return report(error);
      }
    };
    const guarded: SetTimer = (work, ...rest) =>
      original(typeof work === "function" ? guard(work as typeof report) : work, ...rest);
    Object.defineProperties(guarded, Object.getOwnPropertyDescriptors(original));
    Object.assign(globalThis, { [name]: guarded });
  }

  globalThis.addEventListener("error", (event) => onEvent(event, event.error));
  globalThis.addEventListener("unhandledrejection", (event) => onEvent(event, event.reason));
  guardTimer("setTimeout");
  guardTimer("setInterval");
  guardTimer("setImmediate");
  return {
    report,
    runAs: (id, work) => storage.run(id, work),
    onStray: (receiver) => callback = receiver,
  };
}
