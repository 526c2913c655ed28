import * as inside from "../inside.ts";
import type { Meter } from "../inspection/meter.ts";
import type { Task } from "./task.ts";

/**
 * The tasks of a loop that are not done, in the order of creation.
 *
 * The links are fields of the tasks: adding and removing costs a fifth of what a `Set` costs, and
 * every task pays it. A task is in one list at most.
 */
export class TaskList implements Iterable<Task<unknown>> {
  /** What measures the loop. */
  meter: Meter | null = null;
  #first: Task<unknown> | null = null;
  #last: Task<unknown> | null = null;
  /** Numbers given out for names: each loop has its own, so that its runs are the same. */
  #numbered = 0;

  /** The task that was created last. */
  get last(): Task<unknown> | null {
    return this.#last;
  }

  /** Returns the number of the next task without a name. */
  takeNumber(): number {
    return ++this.#numbered;
  }

  /** Adds `task` at the end. */
  add(task: Task<unknown>): void {
    this.meter?.noteBegin(task);
    task[inside.previousTask] = this.#last;
    if (this.#last === null) this.#first = task;
    else this.#last[inside.nextTask] = task;
    this.#last = task;
  }

  /** Whether `task` is in the list. */
  has(task: Task<unknown>): boolean {
    return task === this.#first || task[inside.previousTask] !== null;
  }

  /** `task`, which is in the list, ends like that. */
  end(task: Task<unknown>, state: "finished" | "failed" | "cancelled", value: unknown): void {
    this.meter?.noteEnd(task, state, value);
    this.delete(task);
  }

  /** Removes `task`, which must be in the list or have been removed from it. */
  delete(task: Task<unknown>): void {
    const previous = task[inside.previousTask];
    const next = task[inside.nextTask];
    if (previous !== null) previous[inside.nextTask] = next;
    else if (this.#first === task) this.#first = next;
    if (next !== null) next[inside.previousTask] = previous;
    else if (this.#last === task) this.#last = previous;
    task[inside.previousTask] = task[inside.nextTask] = null;
  }

  /** Removes all tasks. */
  clear(): void {
    for (const task of [...this]) this.delete(task);
  }

  /** Goes through the tasks; they may end meanwhile only once they were visited. */
  *[Symbol.iterator](): Generator<Task<unknown>, void, unknown> {
    for (let task = this.#first; task !== null; task = task[inside.nextTask]) yield task;
  }
}
