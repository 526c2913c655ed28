import type { JobFunction } from "./executor.ts";
import { Job } from "./create_job.ts";
import { ModuleFunction } from "./module_function.ts";

/** Names `text` in a message. */
export function describe(text: string): string {
  return JSON.stringify(text);
}

/** Names a job in a message. */
export function describeJob(fn: JobFunction<never[], unknown>): string {
  if (fn instanceof Job) return describeJob(fn.fn);
  if (fn instanceof ModuleFunction) return describe(`${fn.url} ${fn.exportName}`);
  return fn.name === "" ? "an anonymous function" : describe(fn.name);
}
