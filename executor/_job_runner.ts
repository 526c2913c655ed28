import type { WorkerPort } from "../loop/worker_platform.ts";

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

/** The worker tells how a job went, or with id 0 how the worker is. */
export type Reply =
  | readonly [id: 0, kind: "ready"]
  | readonly [id: 0, kind: "fatal", error: ThrownRecord]
  | readonly [id: number, kind: "finished", value: unknown]
  | readonly [id: number, kind: "failed", error: ThrownRecord]
  | readonly [id: number, kind: "progress", value: unknown];

/** What was thrown, as it crosses. Structured clone would lose most of an error. */
export type ThrownRecord =
  | { readonly kind: "value"; readonly value: unknown }
  | {
    readonly kind: "error";
    /** Names of its class and of those it extends, the nearest first. */
    readonly classes: readonly string[];
    readonly name: string;
    readonly message: string;
    readonly stack: string | undefined;
    readonly cause: ThrownRecord | null;
    readonly errors: readonly ThrownRecord[] | null;
    /** Its other properties, such as `code`. */
    readonly properties: Readonly<Record<string, unknown>>;
  };

/**
 * Runs jobs inside a worker. Only the text of this function gets there: it uses nothing of this
 * file but types.
 */
export function runJobs(port: WorkerPort): void {
  type JobFunction = (...args: unknown[]) => unknown;
  const functions = new Map<string, JobFunction>();
  const modules = new Map<string, Promise<Record<string, unknown>>>();
  /** The text of functions made at run time may differ for ever. */
  const maxFunctions = 500;
  const maxDepth = 8;

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

  function isPlainData(value: unknown): boolean {
    try {
      structuredClone(value);
      return true;
    } catch {
      return false;
    }
  }

  function record(thrown: unknown, depth: number): ThrownRecord {
    if (!(thrown instanceof Error)) {
      return { kind: "value", value: isPlainData(thrown) ? thrown : String(thrown) };
    }
    const classes: string[] = [];
    let prototype = Object.getPrototypeOf(thrown);
    for (; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
      classes.push(String(prototype.constructor?.name));
    }
    const properties: Record<string, unknown> = {};
    for (const [key, value] of Object.entries(thrown)) {
      if (isPlainData(value)) properties[key] = value;
    }
    const { cause } = thrown;
    const nested = (thrown as AggregateError).errors;
    const { code } = thrown as { code?: unknown };
    if (code !== undefined && isPlainData(code)) properties.code = code;
    delete properties.errors;
    const isDeep = depth >= maxDepth;
    return {
      kind: "error",
      classes,
      name: String(thrown.name),
      message: String(thrown.message),
      stack: thrown.stack,
      cause: cause === undefined || isDeep ? null : record(cause, depth + 1),
      errors: Array.isArray(nested) && !isDeep
        ? nested.map((error) => record(error, depth + 1))
        : null,
      properties,
    };
  }

  function buffersOf(value: unknown): ArrayBuffer[] {
    const values = Array.isArray(value) ? value : [value];
    const buffers = values.map((one) => ArrayBuffer.isView(one) ? one.buffer : one);
    return [...new Set(buffers.filter((one) => one instanceof ArrayBuffer))];
  }

  function fail(id: number, error: unknown): void {
    port.post([id, "failed", record(error, 0)]);
  }

  function finish(id: number, value: unknown, transfersResult: boolean): void {
    try {
      if (transfersResult) port.post([id, "finished", value], buffersOf(value));
      else port.post([id, "finished", value]);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
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
    (result as PromiseLike<unknown>).then(
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

  function onStrayError(event: Event, error: unknown): void {
    event.preventDefault();
    port.post([0, "fatal", record(error, 0)]);
  }

  globalThis.addEventListener("error", (event) => onStrayError(event, event.error));
  globalThis.addEventListener("unhandledrejection", (event) => onStrayError(event, event.reason));
  port.receive((message) => onRequest(message as Request));
  port.post([0, "ready"]);
}
