import * as inside from "../inside.ts";
import { Task } from "../tasks/task.ts";
import type { Identities } from "./identities.ts";

/** What the steps of a task took. */
interface Steps {
  count: number;
  busy: number;
  longest: number;
}

/** What was measured of a task. */
export class TaskRecord {
  /** Its number in all snapshots. */
  readonly id: number;
  /** When it was created; `null` if that was before anything measured. */
  readonly created: number | null;
  /** The number of the task that has created it, if that is known. */
  readonly parent: number | null;
  /** What its steps took; `null` until one was timed, and of most only a few are. */
  #steps: Steps | null = null;

  /** Nothing was measured so far. */
  constructor(id: number, created: number | null = null, parent: number | null = null) {
    this.id = id;
    this.created = created;
    this.parent = parent;
  }

  /** So many steps were run; one took that long, and counts for as many as `weight`. */
  addSteps(count: number, seconds: number, weight: number): void {
    const steps = this.#steps ??= { count: 0, busy: 0, longest: 0 };
    steps.count += count;
    steps.busy += seconds * weight;
    if (seconds > steps.longest) steps.longest = seconds;
  }

  /** Steps run. */
  get steps(): number {
    return this.#steps?.count ?? 0;
  }

  /** Seconds spent in them. */
  get busy(): number {
    return this.#steps?.busy ?? 0;
  }

  /** Seconds that the longest took. */
  get longest(): number {
    return this.#steps?.longest ?? 0;
  }

  /** Seconds that it was there at `time`; `null` if that is not known. */
  ageAt(time: number): number | null {
    return this.created === null ? null : time - this.created;
  }
}

/** Returns what was measured of `task`, if anything was. */
export function findRecord(task: Task<unknown>): TaskRecord | null {
  const record = task[inside.record];
  return record instanceof Task ? null : record;
}

/** Returns what is measured of `task`, from now on if nothing was. */
export function recordOf(task: Task<unknown>, ids: Identities): TaskRecord {
  const record = findRecord(task);
  if (record !== null) return record;
  const created = new TaskRecord(ids.next());
  task[inside.record] = created;
  return created;
}
