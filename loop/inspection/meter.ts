/**
 * What is measured of a loop: steps, their times, how late timers fire, and what has ended.
 *
 * *Theory of operation.* A loop that nobody measures has no meter, and each place that would tell
 * one asks for that alone. The driver tells of steps, the list of tasks of their begins and ends.
 *
 * To read the clock costs as much as a short step, or more. So outside of debug mode only one step
 * in so many is timed, and counts for as many. How many that is follows from what a step takes on
 * average and from what the clock costs: a few percent may go to it. Where a step takes
 * microseconds, as with messages, nearly each is timed.
 *
 * @module
 */
import * as inside from "../inside.ts";
import { runningTask } from "../scheduling/_current.ts";
import { describe, nameOfThrown } from "../values/_describe.ts";
import { callbackOf, describeCallback, Handle } from "../scheduling/handle.ts";
import type { EventLoop } from "../event_loop.ts";
import { Task } from "../tasks/task.ts";
import { type Identities, identitiesOf } from "./identities.ts";
import { RecentList } from "./_recent_list.ts";
import { WeakList } from "./_weak_list.ts";

/**
 * A step that took long, and held up everybody else.
 *
 * @category Diagnostics
 */
export interface SlowStep {
  /** What ran: `task "worker-3"`, `callback tick()`. */
  readonly what: string;
  /** The name of the task; `null` for what is part of none. */
  readonly task: string | null;
  /** How long it took. */
  readonly seconds: number;
  /** When it had ended, in seconds of the loop's clock. */
  readonly at: number;
}

/**
 * A task that has ended, as a snapshot lists it.
 *
 * @category Diagnostics
 */
export interface EndedTask {
  /** Its number in all snapshots. */
  readonly id: number;
  /** Its name. */
  readonly name: string;
  /** How it ended. */
  readonly state: "finished" | "failed" | "cancelled";
  /** The name of the error of one that failed. */
  readonly error: string | null;
  /** When it ended, in seconds of the loop's clock. */
  readonly at: number;
  /** How many seconds it was there; `null` if it began before that was measured. */
  readonly age: number | null;
  /** Steps run; a sample stands for all where they are short. */
  readonly steps: number;
  /** Seconds spent in steps. */
  readonly busy: number;
  /** Seconds that the longest step took, of those that were timed. */
  readonly longest: number;
}

/** What adds to a snapshot what it is. */
export interface Measured {
  [inside.figures](figures: QueueFigures): void;
}

/** The queues of a snapshot in the making. */
export interface QueueFigures {
  readonly queues: QueueSnapshot[];
  /** The number of `object` in all snapshots of the loop. */
  idOf(object: object): number;
}

/**
 * A queue in a {@linkcode LoopSnapshot}.
 *
 * @category Diagnostics
 */
export interface QueueSnapshot {
  /** Its number, the same in every snapshot of the loop. */
  id: number;
  /** What it is: `Queue (3 of 5)`. */
  what: string;
  /** Items that wait. */
  size: number;
  /** How many there may be; 0 for no limit. */
  maxSize: number;
  /** Tasks that wait for an item. */
  getters: number;
  /** Tasks that wait for room. */
  putters: number;
  /** Items put and not reported as done. */
  unfinished: number;
}

/** What was measured of a task. */
export interface TaskRecord {
  readonly id: number;
  /** When it was created; `null` if that was before anything measured. */
  readonly created: number | null;
  /** The number of the task that has created it. */
  readonly parent: number | null;
  steps: number;
  busy: number;
  longest: number;
}

/** Lateness of timers up to so many seconds each; the last class has no bound. */
export const LAG_BOUNDS: readonly number[] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1];

/** How many of the latest ended tasks and slow steps are kept. */
const MOST_KEPT = 100;
/** Which part of the time may go to reading the clock. */
const SHARE = 0.04;
/** Steps of which one is timed, at most. */
const WIDEST_STRIDE = 128;
/** Steps that are all timed after one that was slow could not be told. */
const ALERT_STEPS = 2_000;
/** A step that takes so many times the average stands for itself alone. */
const OUTLIER = 16;

/** Measures one loop, from its creation on. */
export class Meter {
  /** When the measuring began, in seconds of the loop's clock. */
  readonly since: number;
  /** Steps that are passed over before the next is timed. */
  left = 0;
  /** The latest tasks that have ended. */
  readonly ended: RecentList<EndedTask> = new RecentList(MOST_KEPT);
  /** The latest slow steps. */
  readonly slow: RecentList<SlowStep> = new RecentList(MOST_KEPT);
  /** How many timers fired so late, by {@linkcode LAG_BOUNDS}. */
  readonly lags: number[] = new Array(LAG_BOUNDS.length + 1).fill(0);
  /** Who is told of each. */
  readonly lagListeners: Set<(seconds: number) => void> = new Set();
  /** Lateness of the timer that fired last, and of the one that was latest. */
  lastLag = 0;
  /** See {@linkcode lastLag}. */
  longestLag = 0;
  /** Seconds that timed steps took, each for those that it stands for. */
  busy = 0;
  /** How many tasks have ended. */
  endedCount = 0;
  /** Queues that were made or waited at since, as long as somebody has them. */
  readonly queues: WeakList<Measured> = new WeakList();
  /** Whether who watches wants to know of each slow step, also one deep in a stack of calls. */
  isExact = false;
  readonly #loop: EventLoop;
  readonly #ids: Identities;
  readonly #onSlow: (step: SlowStep) => void;
  /** What reading the clock takes, in seconds. */
  readonly #clockCost: number;
  #stride = 1;
  #average = 0;
  #alert = 0;

  /** Begins to measure `loop`; `onSlow` is told of slow steps. */
  constructor(loop: EventLoop, onSlow: (step: SlowStep) => void) {
    this.#loop = loop;
    this.#ids = identitiesOf(loop);
    this.#onSlow = onSlow;
    this.since = loop.time();
    const reads = 16;
    for (let read = 1; read < reads; read += 1) loop.time();
    this.#clockCost = (loop.time() - this.since) / reads;
  }

  /** `task` was created. */
  began(task: Task<unknown>): void {
    const parent = runningTask();
    task[inside.record] = {
      id: this.#ids.next(),
      created: this.#loop.time(),
      parent: parent === null ? null : recordOf(parent, this.#ids).id,
      steps: 0,
      busy: 0,
      longest: 0,
    };
  }

  /** `task` ends like that, with what it gives. */
  noteEnd(task: Task<unknown>, state: EndedTask["state"], value: unknown): void {
    const { id, created, steps, busy, longest } = recordOf(task, this.#ids);
    const at = this.#loop.time();
    this.endedCount += 1;
    this.ended.add({
      id,
      name: task.getName(),
      state,
      error: state === "failed" ? nameOfThrown(value) : null,
      at,
      age: created === null ? null : at - created,
      steps,
      busy,
      longest,
    });
  }

  /** A timer has fired so late. */
  noteLag(seconds: number): void {
    const lag = Math.max(seconds, 0);
    this.lastLag = lag;
    if (lag > this.longestLag) this.longestLag = lag;
    for (const listener of this.lagListeners) listener(lag);
    let place = 0;
    while (place < LAG_BOUNDS.length && lag > (LAG_BOUNDS[place] as number)) place += 1;
    this.lags[place] = (this.lags[place] as number) + 1;
  }

  /** A step of `subject` ran from `start` to `end`. */
  noteStep(subject: object, start: number, end: number): void {
    const seconds = end - start;
    const weight = seconds > OUTLIER * this.#average ? 1 : this.#stride;
    const task = taskOf(subject);
    this.busy += seconds * weight;
    if (task !== null) {
      const record = recordOf(task, this.#ids);
      record.steps += this.#stride;
      record.busy += seconds * weight;
      if (seconds > record.longest) record.longest = seconds;
    }
    if (seconds >= this.#loop.slowCallbackDuration) this.#noteSlow(subject, task, seconds, end);
    this.#adapt(seconds);
  }

  /** So many steps that were not timed, or what ran between them, took long together. */
  noteUntimed(count: number, seconds: number, at: number): void {
    if (seconds < this.#loop.slowCallbackDuration) return;
    this.#alert = ALERT_STEPS;
    this.#stride = 1;
    this.left = 0;
    const what = this.#loop.getDebug() ? "foreign code" : `one of ${count} steps, or foreign code,`;
    this.#tell({ what, task: null, seconds, at });
  }

  #noteSlow(subject: object, task: Task<unknown> | null, seconds: number, at: number): void {
    const what = task === null ? describeEntry(subject) : task[inside.inWords]();
    this.#tell({ what, task: task?.getName() ?? null, seconds, at });
  }

  #tell(step: SlowStep): void {
    this.slow.add(step);
    this.#onSlow(step);
  }

  /** Decides how many steps to pass over. */
  #adapt(seconds: number): void {
    this.#average += (Math.max(seconds - this.#clockCost, 0) - this.#average) / 8;
    if (this.#loop.getDebug() || this.#clockCost === 0) this.#stride = 1;
    else if (this.#alert > 0) this.#alert -= 1;
    else {
      const cost = 2 * this.#clockCost;
      const wanted = Math.ceil(cost / (SHARE * Math.max(this.#average, 2e-8)));
      this.#stride = Math.min(wanted, WIDEST_STRIDE);
    }
    this.left = this.#stride - 1;
  }
}

/** Returns what is measured of `task`, from now on if nothing was. */
export function recordOf(task: Task<unknown>, ids: Identities): TaskRecord {
  return task[inside.record] ??= {
    id: ids.next(),
    created: null,
    parent: null,
    steps: 0,
    busy: 0,
    longest: 0,
  };
}

/** The task that `subject`, which has run a step, is part of. */
function taskOf(subject: object): Task<unknown> | null {
  if (subject instanceof Task) return subject;
  return (subject as { [inside.task]?: Task<unknown> | null })[inside.task] ?? null;
}

function describeEntry(subject: object): string {
  const callback = subject instanceof Handle ? callbackOf(subject) : null;
  return callback === null ? describe(subject) : `callback ${describeCallback(callback)}`;
}
