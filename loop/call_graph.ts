import { runningTask } from "./_ambient.ts";
import { PRINT_CALL_GRAPH } from "./_options.ts";
import { checkOptions } from "./check_options.ts";
import type { EventLoop } from "./event_loop.ts";
import type { Future } from "./future.ts";
import { Task } from "./task.ts";

/** A future and who waits for it, as a tree. Returned by {@linkcode captureCallGraph}. */
export interface CallGraph {
  /** The future or task. */
  readonly future: Future<unknown>;
  /** The name of the task, or the kind of the future. */
  readonly name: string;
  /** Where it was created; debug mode only. */
  readonly origin: string | null;
  /** Who waits for it. */
  readonly awaitedBy: readonly CallGraph[];
}

/** Settings of {@linkcode printCallGraph}. */
export interface PrintCallGraphOptions {
  /** Takes the text; `console.error` by default. */
  print?: ((text: string) => void) | undefined;
}

/**
 * Finds out who waits for `future`, and who waits for them. As `asyncio.capture_call_graph()`.
 *
 * @param future Defaults to the current task.
 * @returns The tree, or `null` without a future and outside of a task.
 *
 * @example Who waits for a worker
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { captureCallGraph, createTask, getRunningLoop, run, sleep } from "@gyre/asyncio";
 *
 * await run(async () => {
 *   const worker = createTask(() => sleep(0.001), { name: "worker" });
 *   getRunningLoop().callSoon(() => {
 *     assertEquals(captureCallGraph(worker)?.awaitedBy[0]?.name, "main");
 *   });
 *   await createTask(() => worker, { name: "main" });
 * });
 * ```
 */
export function captureCallGraph(future: Future<unknown> | null = runningTask()): CallGraph | null {
  if (future === null) return null;
  const awaiters = findAwaiters(future.getLoop());
  return buildGraph(future, awaiters, new Set());
}

/**
 * Prints who waits for `future` as a tree. As `asyncio.print_call_graph()`.
 *
 * @param future Defaults to the current task.
 * @param options Additional options.
 */
export function printCallGraph(
  future: Future<unknown> | null = runningTask(),
  options: PrintCallGraphOptions = {},
): void {
  checkOptions("print a call graph", options, PRINT_CALL_GRAPH);
  const { print = console.error } = options;
  const graph = captureCallGraph(future);
  print(graph === null ? "No task is running" : format(graph, "").join("\n"));
}

/** Maps each future that is waited for to those that wait for it. */
function findAwaiters(loop: EventLoop): Map<Future<unknown>, Set<Future<unknown>>> {
  const awaiters = new Map<Future<unknown>, Set<Future<unknown>>>();
  const open: Future<unknown>[] = [...loop.tasks];
  const seen = new Set(open);
  for (const waiting of open) {
    for (const awaited of waiting._awaited()) {
      let set = awaiters.get(awaited);
      if (set === undefined) awaiters.set(awaited, set = new Set());
      set.add(waiting);
      if (seen.has(awaited)) continue;
      seen.add(awaited);
      open.push(awaited);
    }
  }
  return awaiters;
}

function buildGraph(
  future: Future<unknown>,
  awaiters: Map<Future<unknown>, Set<Future<unknown>>>,
  path: Set<Future<unknown>>,
): CallGraph {
  path.add(future);
  const awaitedBy: CallGraph[] = [];
  for (const awaiter of awaiters.get(future) ?? []) {
    // Tasks that wait for each other in a circle are shown once.
    if (!path.has(awaiter)) awaitedBy.push(buildGraph(awaiter, awaiters, path));
  }
  path.delete(future);
  return { future, name: nameOf(future), origin: future.getLoop().originOf(future), awaitedBy };
}

function nameOf(future: Future<unknown>): string {
  return future instanceof Task ? future.getName() : future.constructor.name;
}

function format(graph: CallGraph, indent: string): string[] {
  const kind = graph.future instanceof Task ? "task " : "";
  const origin = graph.origin?.split("\n")[0]?.trim();
  const lines = [`${indent}* ${kind}"${graph.name}"${origin === undefined ? "" : ` ${origin}`}`];
  if (graph.awaitedBy.length > 0) lines.push(`${indent}  awaited by`);
  for (const awaiter of graph.awaitedBy) lines.push(...format(awaiter, `${indent}    `));
  return lines;
}
