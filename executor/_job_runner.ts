import type { WorkerPort } from "../loop/platform/worker_platform.ts";
import type { ThrownRecord } from "./_thrown_record.ts";

/** What a worker is told to run: the source text of a function, or its module and name. */
export type Target = string | readonly [url: string, exportName: string];

/** The loop asks the worker to run a job. */
export type Request = readonly [
  id: number,
  target: Target,
  args: readonly unknown[],
  reports: boolean,
  transfersResult: boolean,
];

/** The worker tells that it is there, how a job went, or what failed beside it. */
export type Reply =
  | readonly [id: 0, kind: "ready"]
  /** Nothing waits for the error. `null` is no job that is known. */
  | readonly [id: number | null, kind: "stray", error: ThrownRecord]
  | readonly [id: number, kind: "finished", value: unknown]
  | readonly [id: number, kind: "failed", error: ThrownRecord]
  | readonly [id: number, kind: "progress", value: unknown];

/**
 * Runs jobs inside a worker. Only the text of this function gets there, with that of `recordThrown`:
 * it uses nothing of this file but types.
 */
export function runJobs(port: WorkerPort, record: (thrown: unknown) => ThrownRecord): void {
  type JobFunction = (...args: unknown[]) => unknown;
  const functions = new Map<string, JobFunction>();
  const modules = new Map<string, Promise<Record<string, unknown>>>();
  /** The text of functions made at run time may differ for ever. */
  const maxFunctions = 500;

  function compile(source: string): JobFunction {
    const known = functions.get(source);
    if (known !== undefined) return known;
    if (functions.size >= maxFunctions) functions.clear();
    const compiled: JobFunction = (0, globalThis.eval)(`"use strict";(${source}\n)`);
    functions.set(source, compiled);
    return compiled;
  }

  async function load(url: string, exportName: string): Promise<JobFunction> {
    let module = modules.get(url);
    if (module === undefined) modules.set(url, module = import(url));
    const found = (await module)[exportName];
    if (typeof found === "function") return found as JobFunction;
    throw new TypeError(
      `Cannot run "${exportName}" of module "${url}": it is ${
        found === undefined ? "not exported" : "not a function"
      }`,
    );
  }

  /** Whatever a job throws has some text: getters, proxies and `toString()` may throw as well. */
  function textOf(value: unknown): string {
    try {
      return String(value);
    } catch {
      return `a value without a text (${typeof value})`;
    }
  }

  function buffersOf(value: unknown): ArrayBuffer[] {
    const values = Array.isArray(value) ? value : [value];
    const buffers = values.map((one) => ArrayBuffer.isView(one) ? one.buffer : one);
    return [...new Set(buffers.filter((one) => one instanceof ArrayBuffer))];
  }

  function postError(id: number | null, kind: "failed" | "stray", error: unknown): void {
    try {
      port.post([id, kind, record(error)]);
    } catch {
      // What can be cloned for a thread may be nothing for a process.
      port.post([id, kind, { kind: "value", value: textOf(error) }]);
    }
  }

  function fail(id: number, error: unknown): void {
    postError(id, "failed", error);
  }

  function finish(id: number, value: unknown, transfersResult: boolean): void {
    try {
      if (transfersResult) port.post([id, "finished", value], buffersOf(value));
      else port.post([id, "finished", value]);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : textOf(cause);
      fail(id, new TypeError(`Cannot return the result of a job: "${reason}"`, { cause }));
    }
  }

  function call(fn: JobFunction, request: Request): void {
    const [id, , args, reports, transfersResult] = request;
    const report = (value: unknown) => port.post([id, "progress", value]);
    const result = reports ? fn(...args, report) : fn(...args);
    if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== "function") {
      return finish(id, result, transfersResult);
    }
    // As `await` does it: the first call of a callback counts, and thenables of thenables resolve.
    Promise.resolve(result).then(
      (value) => finish(id, value, transfersResult),
      (error) => fail(id, error),
    );
  }

  function onRequest(request: Request): void {
    const [id, target] = request;
    try {
      if (typeof target === "string") return call(compile(target), request);
      load(target[0], target[1]).then((fn) => call(fn, request)).catch((error) => fail(id, error));
    } catch (error) {
      fail(id, error);
    }
  }

  port.onStray((error, id) => postError(id, "stray", error));
  port.receive((message) =>
    port.runAs((message as Request)[0], () => onRequest(message as Request))
  );
  port.post([0, "ready"]);
}
