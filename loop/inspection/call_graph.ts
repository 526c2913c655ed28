import * as inside from "../inside.ts";
import { runningTask } from "../scheduling/_current.ts";
import { kindOf } from "../values/_describe.ts";
import { PRINT_CALL_GRAPH } from "../values/_options.ts";
import { checkOptions } from "../values/check_options.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "../tasks/future.ts";
import { Task } from "../tasks/task.ts";
import { walkAwaits } from "./_walk_awaits.ts";

/**
 * A future and who waits for it, as a tree. Returned by {@linkcode captureCallGraph}. As
 * `asyncio.FutureCallGraph`, without its frames: JavaScript shows no stack of what waits.
 *
 * @category Diagnostics
 */
export interface CallGraph {
  /** The future or task. */
  readonly future: Future<unknown>;
  /** The name of the task, or the kind of the future. */
  readonly name: string;
  /** Where it was created; debug mode only. */
  readonly origin: string | null;
  /** Who waits for it. */
  readonly awaitedBy: readonly CallGraph[];
  /**
   * Whether it comes earlier in the graph, from the left and from the root. Who waits for it is
   * listed there only, as it may be shared by many, and part of a circle.
   */
  readonly repeated: boolean;
}

/** Deeper lines are not moved further to the right, but numbered. */
const DEEPEST_INDENT = 20;

/**
 * Settings of {@linkcode printCallGraph}.
 *
 * @category Diagnostics
 */
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
 * @category Diagnostics
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
  return buildGraph(future, findAwaiters(future.getLoop()));
}

/**
 * Says who waits for `future`, as a tree in lines of text. As `asyncio.format_call_graph()`.
 *
 * @param future Defaults to the current task.
 * @returns The text; none without a future and outside of a task.
 *
 * @category Diagnostics
 *
 * @example Who waits for a worker, as text
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createTask, formatCallGraph, getRunningLoop, run, sleep } from "@gyre/asyncio";
 *
 * await run(async () => {
 *   const worker = createTask(() => sleep(0.001), { name: "worker" });
 *   getRunningLoop().callSoon(() => {
 *     const lines = ['* task "worker"', "  awaited by", '    * task "main"'];
 *     assertEquals(formatCallGraph(worker), lines.join("\n"));
 *   });
 *   await createTask(() => worker, { name: "main" });
 * });
 * ```
 */
export function formatCallGraph(future: Future<unknown> | null = runningTask()): string {
  const graph = captureCallGraph(future);
  return graph === null ? "" : format(graph).join("\n");
}

/**
 * Prints who waits for `future` as a tree. As `asyncio.print_call_graph()`.
 *
 * @param future Defaults to the current task.
 * @param options Additional options.
 * @category Diagnostics
 */
export function printCallGraph(
  future: Future<unknown> | null = runningTask(),
  options: PrintCallGraphOptions = {},
): void {
  checkOptions("print a call graph", options, PRINT_CALL_GRAPH);
  const { print = console.error } = options;
  print(future === null ? "No task is running" : formatCallGraph(future));
}

/** A node in the making. */
interface Node extends CallGraph {
  readonly awaitedBy: Node[];
  repeated: boolean;
}

/** Each future that is waited for, and those that wait for it. */
type Awaiters = ReadonlyMap<Future<unknown>, ReadonlySet<Future<unknown>>>;

/** Finds who waits for what on `loop`. */
function findAwaiters(loop: EventLoop): Awaiters {
  const awaiters = new Map<Future<unknown>, Set<Future<unknown>>>();
  walkAwaits(loop, (waiting, awaited) => {
    for (const future of awaited) {
      const waiters = awaiters.get(future);
      if (waiters === undefined) awaiters.set(future, new Set([waiting]));
      else waiters.add(waiting);
    }
  });
  return awaiters;
}

function buildGraph(root: Future<unknown>, awaiters: Awaiters): CallGraph {
  const graph = nodeOf(root);
  const expanded = new Set<Future<unknown>>();
  const open: Node[] = [graph];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const waiting = awaiters.get(node.future);
    if (waiting === undefined) continue;
    if (expanded.has(node.future)) {
      node.repeated = true;
      continue;
    }
    expanded.add(node.future);
    for (const awaiter of waiting) node.awaitedBy.push(nodeOf(awaiter));
    for (const awaiter of node.awaitedBy.toReversed()) open.push(awaiter);
  }
  return graph;
}

function nodeOf(future: Future<unknown>): Node {
  const name = future instanceof Task ? future.getName() : kindOf(future);
  const origin = future.getLoop()[inside.originOf](future);
  return { future, name, origin, awaitedBy: [], repeated: false };
}

function format(graph: CallGraph): string[] {
  const lines: string[] = [];
  const open: [CallGraph, number][] = [[graph, 0]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [node, depth] = next;
    const indent = "    ".repeat(Math.min(depth, DEEPEST_INDENT));
    lines.push(`${indent}* ${describeNode(node, depth)}`);
    if (node.awaitedBy.length > 0) lines.push(`${indent}  awaited by`);
    for (const awaiter of node.awaitedBy.toReversed()) open.push([awaiter, depth + 1]);
  }
  return lines;
}

function describeNode({ future, name, origin, repeated }: CallGraph, depth: number): string {
  const words = [`${future instanceof Task ? "task " : ""}"${name}"`];
  const line = origin?.split("\n", 1)[0]?.trim();
  if (line !== undefined) words.push(line);
  if (repeated) words.push("(as above)");
  if (depth > DEEPEST_INDENT) words.unshift(`[${depth}]`);
  return words.join(" ");
}
