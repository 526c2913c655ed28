/** Whether this code runs in the main isolate, and not in a worker. */
export function isMainIsolate(): boolean {
  return typeof (globalThis as { WorkerGlobalScope?: unknown }).WorkerGlobalScope === "undefined";
}
