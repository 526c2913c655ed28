import { briefSeconds } from "../values/in_words.ts";
import type { FutureSnapshot, LoopSnapshot, TaskSnapshot } from "./snapshot.ts";

/** Deeper tasks are not moved further to the right, but numbered. */
const DEEPEST_INDENT = 20;

/** Tasks that have failed, of which the latest are told. */
const MOST_FAILED = 5;

/** How a part of a text is shown where there are colours, as codes of a terminal. */
const STYLES = { name: "1", wait: "36", busy: "33", bad: "31", dim: "2" } as const;

/** Marks a part of a text. */
export type Paint = (style: keyof typeof STYLES, text: string) => string;

/** Returns what marks parts of a text, or leaves them as they are. */
export function paintIn(colors: boolean): Paint {
  return (style, text) => colors && text !== "" ? `\x1b[${STYLES[style]}m${text}\x1b[0m` : text;
}

/**
 * Says what there is on a loop in lines of text: a tree of tasks, each below the first that awaits it
 * or has it in its group, with what it waits for; then connections, servers, processes and executors.
 *
 * @param snapshot What `loop.snapshot()` gave.
 * @param colors Whether it is marked with colours of a terminal.
 */
export function formatSnapshot(snapshot: LoopSnapshot, colors = false): string {
  const paint = paintIn(colors);
  const lines = [headline(snapshot), ...treeOf(snapshot, paint)];
  const resources = [
    ...snapshot.servers.map((each) =>
      `${paint("name", each.what)} ${each.state}, ${each.connections} of ${each.accepted} open`
    ),
    ...snapshot.transports.map((each) =>
      `${paint("name", each.what)} ${each.state}, ${each.bytesIn} B in, ${each.bytesOut} B out` +
      (each.buffered > 0 ? `, ${each.buffered} B buffered` : "") +
      paint(
        "bad",
        `${each.readingPaused ? ", reading paused" : ""}${
          each.writingPaused ? ", writing paused" : ""
        }`,
      )
    ),
    ...snapshot.processes.map((each) => `${paint("name", each.what)} ${each.state}`),
    ...snapshot.executors.map((each) =>
      `${paint("name", each.what)} ${each.running} of ${each.maxWorkers} workers run, ` +
      `${each.queued} jobs queued`
    ),
  ];
  lines.push(...resources.map((line, index) => `${branch(index, resources.length)}${line}`));
  for (const { what, error } of snapshot.unretrieved) {
    lines.push(paint("bad", `${what} has failed with ${error}, which nobody has looked at`));
  }
  // Who waits for what one of them would have done does not say it.
  const failed = snapshot.ended.filter(({ state }) => state === "failed").slice(-MOST_FAILED);
  for (const { name, error, at } of failed) {
    const ago = paint("dim", `, ${briefSeconds(Math.max(snapshot.time - at, 0))} s ago`);
    lines.push(
      `${paint("name", JSON.stringify(name))} ${paint("bad", `failed with ${error}`)}${ago}`,
    );
  }
  return lines.join("\n");
}

/** The state of the whole loop in a line. */
export function headline({ tasks, timerCount, ready, iterations, lag }: LoopSnapshot): string {
  const late = lag === null ? "" : `, timers ${milliseconds(lag.last)} late`;
  return `${count(tasks.length, "task")}, ${count(timerCount, "timer")}, ${ready} ready, ` +
    `${count(iterations, "iteration")}${late}`;
}

/** What a task does or waits for, in words. */
export function doingOf({ state, waitsFor, cancelling }: TaskSnapshot): string {
  const doing = state === "waiting"
    ? waitsFor.join(" and ")
    : state === "new"
    ? "not begun"
    : state === "ready"
    ? "about to run"
    : "running";
  return cancelling > 0 ? `cancelling, ${doing}` : doing;
}

/** Seconds as a short text: `850 ms`, `3.2 s`. */
export function milliseconds(seconds: number): string {
  return seconds < 1 ? `${briefSeconds(seconds * 1000)} ms` : `${briefSeconds(seconds)} s`;
}

/** A line of the tree in the making. */
interface Place {
  readonly task: TaskSnapshot;
  /** What stands before the lines of its children. */
  readonly indent: string;
  readonly depth: number;
  readonly isLast: boolean;
}

function treeOf(snapshot: LoopSnapshot, paint: Paint): string[] {
  const family = new Family(snapshot);
  const lines: string[] = [];
  const seen = new Set<number>();
  const open: Place[] = [];
  const push = (tasks: readonly TaskSnapshot[], indent: string, depth: number) => {
    for (let index = tasks.length - 1; index >= 0; index -= 1) {
      open.push({
        task: tasks[index] as TaskSnapshot,
        indent,
        depth,
        isLast: index === tasks.length - 1,
      });
    }
  };
  // Those of a circle that nobody else awaits come last.
  for (const roots of [family.roots, snapshot.tasks]) {
    push(roots.filter((task) => !seen.has(task.id)), "", 0);
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      const { task, indent, depth, isLast } = place;
      const isRepeated = seen.has(task.id);
      if (isRepeated && depth === 0) continue;
      const stem = `${indent}${isLast ? "└─ " : "├─ "}`;
      const number = depth > DEEPEST_INDENT ? `[${depth}] ` : "";
      lines.push(`${paint("dim", stem)}${number}${taskLine(task, isRepeated, paint)}`);
      if (isRepeated) continue;
      seen.add(task.id);
      const inner = depth < DEEPEST_INDENT ? `${indent}${isLast ? "   " : "│  "}` : indent;
      push(family.childrenOf(task), inner, depth + 1);
    }
  }
  return lines;
}

function taskLine(task: TaskSnapshot, isRepeated: boolean, paint: Paint): string {
  const name = paint("name", JSON.stringify(task.name));
  if (isRepeated) return `${name} ${paint("dim", "(as above)")}`;
  const style = task.cancelling > 0 ? "bad" : task.state === "waiting" ? "wait" : "busy";
  const age = task.age === null ? "" : paint("dim", `, ${briefSeconds(task.age)} s old`);
  const where = task.where === null ? "" : paint("dim", ` at ${task.where}`);
  return `${name} ${paint(style, doingOf(task))}${where}${age}`;
}

/** Which tasks are below which. */
class Family {
  /** Those that nobody awaits, and no task has in its group. */
  readonly roots: readonly TaskSnapshot[];
  readonly #tasks: Map<number, TaskSnapshot> = new Map();
  readonly #futures: Map<number, FutureSnapshot> = new Map();
  readonly #groups: Map<number, TaskSnapshot[]> = new Map();
  readonly #passed: Set<number> = new Set();

  constructor({ tasks, futures }: LoopSnapshot) {
    for (const task of tasks) this.#tasks.set(task.id, task);
    for (const future of futures) this.#futures.set(future.id, future);
    for (const task of tasks) {
      if (task.group === null) continue;
      const group = this.#groups.get(task.group);
      if (group === undefined) this.#groups.set(task.group, [task]);
      else group.push(task);
    }
    this.roots = tasks.filter(({ awaitedBy, group }) => awaitedBy.length === 0 && group === null);
  }

  /** The tasks that `task` awaits, through futures, and those in its group. */
  childrenOf(task: TaskSnapshot): TaskSnapshot[] {
    const children = new Set<TaskSnapshot>();
    const open = [...task.awaits];
    for (const id of open) {
      const child = this.#tasks.get(id);
      if (child !== undefined) children.add(child);
      // What many await is followed once.
      else if (!this.#passed.has(id)) {
        this.#passed.add(id);
        open.push(...this.#futures.get(id)?.awaits ?? []);
      }
    }
    for (const member of this.#groups.get(task.id) ?? []) children.add(member);
    return [...children];
  }
}

function branch(index: number, length: number): string {
  return index === length - 1 ? "└─ " : "├─ ";
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
