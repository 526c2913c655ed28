import { nameMissingFlag } from "../loop/errors/deno_not_capable.ts";
import * as errors from "../loop/errors/errors.ts";
import type { Workers } from "../loop/platform/worker_platform.ts";
import type { ThrownRecord } from "./_thrown_record.ts";

type ErrorClass = abstract new (message?: string) => Error;

/** Classes of the language, which an error keeps. */
const BUILT_IN: Readonly<Record<string, ErrorClass>> = {
  AggregateError: AggregateError as unknown as ErrorClass,
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** Returns what was thrown in a worker, as it was there as far as that can be. */
export function revive(record: ThrownRecord, workers: Workers): unknown {
  if (record.kind === "value") return record.value;
  const error = create(record, workers);
  const { name, stack, cause } = record;
  if (error.name !== name) define(error, "name", name);
  if (stack !== undefined) define(error, "stack", stack);
  if (cause !== null) define(error, "cause", revive(cause, workers));
  if (record.errors !== null) {
    define(error, "errors", record.errors.map((nested) => revive(nested, workers)));
  }
  for (const [key, value] of Object.entries(record.properties)) {
    if (!(key in error)) Object.assign(error, { [key]: value });
  }
  return isRefusedImport(record) ? nameMissingFlag(error, "import the module of a job") : error;
}

/** Whether the worker may not import a module, which Deno says with a TypeError. */
function isRefusedImport({ message, properties }: ThrownRecord & { kind: "error" }): boolean {
  return properties["code"] === "ERR_MODULE_NOT_FOUND" && message.startsWith("Requires ");
}

/** Creates an error of the nearest class that is known here, without running its constructor. */
function create(record: ThrownRecord & { kind: "error" }, workers: Workers): Error {
  if (record.classes[0] === "DOMException") return new DOMException(record.message, record.name);
  for (const name of record.classes) {
    const found = own(BUILT_IN, name) ?? own(errors, name) ?? workers.errorClass(name);
    if (found !== null) return Reflect.construct(Error, [record.message], found);
  }
  return new Error(record.message);
}

function own(classes: object, name: string): ErrorClass | null {
  return Object.hasOwn(classes, name)
    ? (classes as Record<string, ErrorClass>)[name] ?? null
    : null;
}

/** Sets a property as the engine does for errors: not enumerable. */
function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true });
}
