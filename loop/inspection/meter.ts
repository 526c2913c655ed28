/**
 * What is measured of a loop: steps, their times, how late timers fire, and what has ended.
 *
 * *Theory of operation.* A loop that nobody measures has no meter, and each place that would tell
 * one asks for that alone. The driver tells of steps, the list of tasks of their begins and ends.
 *
 * To read the clock costs as much as a short step, or more. So outside of debug mode only one step
 * in so many is timed, and counts for as many. How many that is follows from what a step takes on
 * average and from what the clock costs: a few percent may go to it. Where a step takes
 * microseconds, as with messages, nearly each is timed, and so are the first after the loop has waited.
 *
 * A function that a foreign promise continues runs in no step of the loop. That it ran is seen when it
 * comes to its next await of a future, or to its end, and how long from when the clock was read last; of
 * a loop that waits, that is at the last beat of the clock.
 *
 * A task has a record once the clock is read and it is there still: most end before, and those cost
 * next to nothing. Until then its place has the task that has created it.
 *
 * @module
 */
import * as inside from "../inside.ts";
import { current, runningTask } from "../scheduling/_current.ts";
import { describe } from "../values/_describe.ts";
import { callbackOf, describeCallback, Handle } from "../scheduling/handle.ts";
import type { Driver } from "../scheduling/_driver.ts";
import type { EventLoop } from "../event_loop.ts";
import { kindOfTask, Task } from "../tasks/task.ts";
import { EndedTasks } from "./_ended_tasks.ts";
import { type Identities, identitiesOf } from "./identities.ts";
import { RecentList } from "./_recent_list.ts";
import { findRecord, recordOf, TaskRecord } from "./task_record.ts";
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
  /** The number of the `put()` that waits longest; `null` if none waits. */
  waitingPut: number | null;
  /** Items put and not reported as done. */
  unfinished: number;
}

/** Lateness of timers up to so many seconds each; the last class has no bound. */
export const LAG_BOUNDS: readonly number[] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1];

/** How many of the latest slow steps are kept. */
const MOST_KEPT = 100;
/** Which part of the time may go to reading the clock. */
const SHARE = 0.02;
/** Steps of which one is timed, at most. */
const WIDEST_STRIDE = 256;
/** Steps that are all timed after one that was slow could not be told. */
const ALERT_STEPS = 2_000;
/** Steps that are timed besides the first once the loop has waited: whom what has woken it has woken. */
const FRESH_STEPS = 1;
/** A step that takes so many times the average stands for itself alone. */
const OUTLIER = 16;

/** Measures one loop, from its creation on. */
export class Meter {
  /** When the measuring began, in seconds of the loop's clock. */
  readonly since: number;
  /** Steps that are passed over before the next is timed. */
  left = 0;
  /** Tasks that have ended. */
  readonly ended: EndedTasks = new EndedTasks();
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
  /** Queues that were made or waited at since, as long as somebody has them. */
  readonly queues: WeakList<Measured> = new WeakList();
  /** Whether who watches wants to know of each slow step, also one deep in a stack of calls. */
  isExact = false;
  readonly #loop: EventLoop;
  readonly #driver: Driver;
  readonly #ids: Identities;
  readonly #onSlow: (step: SlowStep) => void;
  /** What reading the clock takes, in seconds. */
  readonly #clockCost: number;
  #stride = 1;
  /** Steps that are timed in any case: what an event has woken. */
  #fresh = 0;
  /** Steps that were to be passed over, and were not. */
  #spared = 0;
  #average = 0;
  #alert = 0;
  /** What runs the step that has begun, and what is measured of it. */
  #subject: object | null = null;
  #task: Task<unknown> | null = null;
  #record: TaskRecord | null = null;
  #start = 0;

  /** Begins to measure `loop`; `onSlow` is told of slow steps. */
  constructor(loop: EventLoop, driver: Driver, onSlow: (step: SlowStep) => void) {
    this.#loop = loop;
    this.#driver = driver;
    this.#ids = identitiesOf(loop);
    this.#onSlow = onSlow;
    this.since = loop.time();
    const reads = 16;
    for (let read = 1; read < reads; read += 1) loop.time();
    this.#clockCost = (loop.time() - this.since) / reads;
    for (const task of loop[inside.tasks]) recordOf(task, this.#ids);
  }

  /** `task` was created. It has a record once the clock is read, if it is there still. */
  noteBegin(task: Task<unknown>): void {
    // Within the driver that is soon.
    if (current.loop === null) this.#giveRecord(task, runningTask(), this.#driver.recentTime());
    else if (current.task !== null) task[inside.record] = current.task;
  }

  /** `task` ends like that, with what it gives. */
  noteEnd(task: Task<unknown>, state: EndedTask["state"], value: unknown): void {
    if (current.loop === null) {
      this.noteFunction(task);
      this.ended.add(task, state, value, this.#driver.recentTime());
    } else this.ended.add(task, state, value, this.#driver.lastReading);
    if (findRecord(task) === null) task[inside.record] = null;
  }

  /** Gives the tasks a record that have none: they were created since the clock was read last. */
  noteTime(time: number): void {
    const { last } = this.#loop[inside.tasks];
    if (last === null || findRecord(last) !== null) return;
    let task = last;
    for (let next = task[inside.previousTask]; next !== null && findRecord(next) === null;) {
      task = next;
      next = task[inside.previousTask];
    }
    for (let next: Task<unknown> | null = task; next !== null; next = next[inside.nextTask]) {
      this.#giveRecord(next, next[inside.record] as Task<unknown> | null, time);
    }
  }

  #giveRecord(task: Task<unknown>, creator: Task<unknown> | null, time: number): void {
    // All before it have one: those without are the last of the list.
    if (creator !== null && findRecord(creator) === null && !creator.done()) this.noteTime(time);
    const parent = creator === null ? null : findRecord(creator)?.id ?? null;
    task[inside.record] = new TaskRecord(this.#ids.next(), time, parent);
  }

  /** A timer has fired so late. */
  noteLag(seconds: number): void {
    const lag = Math.max(seconds, 0);
    this.lastLag = lag;
    if (lag > this.longestLag) this.longestLag = lag;
    if (this.lagListeners.size > 0) { for (const listener of this.lagListeners) listener(lag); }
    let place = 0;
    while (place < LAG_BOUNDS.length && lag > (LAG_BOUNDS[place] as number)) place += 1;
    this.lags[place] = (this.lags[place] as number) + 1;
  }

  /** The loop has waited: a few clock readings more count for little, and the next steps are timed. */
  timeNext(): void {
    this.#fresh = FRESH_STEPS;
    this.#spared += this.left;
    this.left = 0;
  }

  /** A step of `subject` begins. */
  beginStep(subject: object, start: number): void {
    const task = taskOf(subject);
    this.noteTime(start);
    this.#subject = subject;
    this.#task = task;
    // At the end of the step it may be that of a task that has ended.
    this.#record = task === null ? null : recordOf(task, this.#ids);
    this.#start = start;
  }

  /** Whether a step has begun, and has not ended. */
  get isStepPending(): boolean {
    return this.#subject !== null;
  }

  /** Whether a step of `task` has begun, and has not ended. */
  isStepOf(task: Task<unknown>): boolean {
    return this.#task === task;
  }

  /** The step that has begun ends. */
  endStep(end: number): void {
    const subject = this.#subject as object;
    const task = this.#task;
    const seconds = end - this.#start;
    this.#subject = this.#task = null;
    const count = this.#stride - this.#spared;
    const weight = seconds > OUTLIER * this.#average ? 1 : count;
    this.#spared = 0;
    this.busy += seconds * weight;
    if (this.#record !== null) this.#record.addSteps(count, seconds, weight);
    if (seconds >= this.#loop.slowCallbackDuration) this.#noteSlow(subject, task, seconds, end);
    this.#adapt(seconds);
  }

  /** A function of `task` has come to an await, or to its end. */
  noteFunction(task: Task<unknown>): void {
    this.#driver.noteFunction(this, task);
  }

  /** So many steps that were not timed, or what ran between them, took long together. */
  noteUntimed(count: number, seconds: number, at: number): void {
    this.noteTime(at);
    if (seconds < this.#loop.slowCallbackDuration) return;
    this.#alert = ALERT_STEPS;
    this.#stride = 1;
    this.left = 0;
    const what = this.#loop.getDebug() ? "foreign code" : `one of ${count} steps, or foreign code,`;
    this.#tell({ what, task: null, seconds, at });
  }

  /** Something that is no step of the loop took that long: a function of `task`, if it is known. */
  noteForeign(seconds: number, at: number, task: Task<unknown> | null): void {
    this.noteTime(at);
    // It may be within a step that waits for its end, and is none of it.
    if (this.#subject !== null) this.#start = at;
    if (seconds < this.#loop.slowCallbackDuration) return;
    if (task === null) return this.#tell({ ...this.#foreignCode(), seconds, at });
    this.busy += seconds;
    recordOf(task, this.#ids).addSteps(1, seconds, 1);
    this.#noteSlow(task, task, seconds, at);
  }

  /** What ran while no step did: if one task alone is at a foreign promise, perhaps its function. */
  #foreignCode(): Pick<SlowStep, "what" | "task"> {
    const away = [...this.#loop[inside.tasks]].filter((task) =>
      kindOfTask(task) === "function" && task.awaiting().length === 0
    );
    const [task] = away;
    if (task === undefined || away.length > 1) return { what: "foreign code", task: null };
    return { what: `${task[inside.inWords]()}, or foreign code,`, task: task.getName() };
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
    if (this.#fresh === 0) return;
    this.#fresh -= 1;
    this.#spared = this.left;
    this.left = 0;
  }
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
