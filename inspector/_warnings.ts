import type { LoopSnapshot, TaskSnapshot } from "../loop/inspection/snapshot.ts";
import { findCircles } from "./_circles.ts";

/** Something in a program that is seldom meant. */
export interface Warning {
  /** What kind it is. */
  kind: "circle" | "stuck" | "slow" | "busy" | "queue" | "paused" | "unset" | "unretrieved";
  /** What there is, in a sentence. */
  text: string;
  /** The tasks concerned. */
  tasks: number[];
}

/** Seconds for which a step that took long is told. */
const SLOW_TOLD = 15;
/** Which part of the time a task may run before it counts as busy. */
const BUSY_SHARE = 0.7;
/** Seconds over which that is looked at, and in which a queue has to grow. */
const PERIOD = 1;
/** How many items more make a queue that grows. */
const LEAST_GROWTH = 8;
/** Seconds for which a connection is paused before it is told. */
const LONG_PAUSE = 1;
/** Seconds for which a future is bare and awaited before it is told. */
const LONG_UNSET = 10;
/** Seconds for which nothing happens in a loop that nothing can wake, before that is told. */
const LONG_STILL = 0.8;
/** Tasks that a sentence names. */
const MOST_NAMED = 6;

/** Waits that only something else on the same loop can end. */
const INNER_WAIT =
  /^(future|task |lock\.|event\.|condition\.|semaphore\.|barrier\.|queue\.|gather |wait for |asCompleted|shield |task group)/;

/** How something was when it was looked at. */
interface Sample {
  readonly time: number;
  readonly value: number;
}

/** Looks at the snapshots of one loop, one after the other. */
export class Watch {
  readonly #busy: Samples = new Samples();
  readonly #queues: Samples = new Samples();
  /** Since when something is as it is. */
  readonly #since: Map<string, number> = new Map();
  #iterations: Sample | null = null;

  /** Finds what is to be warned of. */
  look(snapshot: LoopSnapshot): Warning[] {
    const { time } = snapshot;
    const warnings: Warning[] = [];
    const names = new Map(snapshot.tasks.map((task) => [task.id, task.name]));
    const circles = findCircles([...snapshot.tasks, ...snapshot.futures]);
    const current = new Set<string>();
    const lasts = (key: string): number => {
      current.add(key);
      const since = this.#since.get(key) ?? time;
      this.#since.set(key, since);
      return time - since;
    };
    lookAtCircles(circles, names, warnings);
    this.#lookForStillness(snapshot, circles, warnings);
    this.#lookAtSteps(snapshot, names, warnings);
    this.#lookAtQueues(snapshot, warnings);
    lookAtFullQueues(snapshot, lasts, warnings);
    lookAtConnections(snapshot, lasts, warnings);
    lookAtFutures(snapshot, lasts, warnings);
    for (const key of this.#since.keys()) if (!current.has(key)) this.#since.delete(key);
    this.#busy.forgetBefore(time - 2 * PERIOD);
    this.#queues.forgetBefore(time - 2 * PERIOD);
    return warnings;
  }

  /** Queues that only grow. */
  #lookAtQueues({ time, queues }: LoopSnapshot, warnings: Warning[]): void {
    for (const queue of queues) {
      const growth = this.#queues.growth(queue.id, time, queue.size);
      if (growth === null || growth.seconds < PERIOD || !growth.steady) continue;
      if (growth.amount < LEAST_GROWTH) continue;
      const rate = Math.round(growth.amount / growth.seconds);
      const text = `${queue.what} only grows, by ${rate} items a second`;
      warnings.push({ kind: "queue", text, tasks: [] });
    }
  }

  /** Tasks of a loop that has nothing to do and nothing that could wake it. */
  #lookForStillness(snapshot: LoopSnapshot, circles: number[][], warnings: Warning[]): void {
    const { time, iterations } = snapshot;
    if (this.#iterations?.value !== iterations) this.#iterations = { time, value: iterations };
    if (time - this.#iterations.time < LONG_STILL || !isClosed(snapshot)) return;
    const told = new Set(circles.flat());
    const tasks = snapshot.tasks.filter((task) => !told.has(task.id)).map((task) => task.id);
    if (tasks.length === 0) return;
    const names = new Map(snapshot.tasks.map((task) => [task.id, task.name]));
    const verb = tasks.length === 1 ? "waits" : "wait";
    const text = `Nothing on the loop can go on: ${list(tasks, names)} ${verb} for each other, ` +
      "or for what nobody will do";
    warnings.push({ kind: "stuck", text, tasks });
  }

  #lookAtSteps(
    { time, slow, tasks }: LoopSnapshot,
    names: ReadonlyMap<number, string>,
    warnings: Warning[],
  ): void {
    const latest = new Map<string, { seconds: number; times: number }>();
    for (const { what, seconds, at } of slow) {
      if (time - at > SLOW_TOLD) continue;
      const before = latest.get(what);
      latest.set(what, {
        seconds: Math.max(seconds, before?.seconds ?? 0),
        times: (before?.times ?? 0) + 1,
      });
    }
    for (const [what, { seconds, times }] of latest) {
      const often = times === 1 ? "" : `, ${times} times`;
      warnings.push({
        kind: "slow",
        text: `${capital(what)} held up everybody else for ${told(seconds)}${often}`,
        tasks: [...names].filter(([, name]) => what === `task ${quote(name)}`).map(([id]) => id),
      });
    }
    for (const task of tasks) {
      const spent = this.#busy.growth(task.id, time, task.busy);
      if (spent === null || spent.seconds < PERIOD) continue;
      const share = spent.amount / spent.seconds;
      if (share < BUSY_SHARE) continue;
      const text = `Task ${quote(task.name)} hardly ever waits: it runs ${
        Math.min(Math.round(100 * share), 100)
      } % of the time`;
      warnings.push({ kind: "busy", text, tasks: [task.id] });
    }
  }
}

/** Says for how many seconds what `key` names has been so, as far as was looked. */
type Lasting = (key: string) => number;

/** Tasks that wait for each other. */
function lookAtCircles(
  circles: number[][],
  names: Map<number, string>,
  warnings: Warning[],
): void {
  for (const circle of circles) {
    const tasks = circle.filter((id) => names.has(id));
    if (tasks.length === 0) continue;
    const text = tasks.length === 1
      ? `Task ${list(tasks, names)} waits for itself`
      : `Tasks ${list(tasks, names)} wait for each other in a circle`;
    warnings.push({ kind: "circle", text, tasks });
  }
}

/** Queues that are full, and from which nobody takes. */
function lookAtFullQueues(
  { tasks, queues }: LoopSnapshot,
  lasts: Lasting,
  warnings: Warning[],
): void {
  for (const { id, what, getters, waitingPut } of queues) {
    if (waitingPut === null || getters > 0) continue;
    const seconds = lasts(`full ${id} ${waitingPut}`);
    if (seconds < LONG_PAUSE) continue;
    warnings.push({
      kind: "queue",
      text: `${what} is full, and nothing was taken from it for ${told(seconds)}`,
      tasks: tasks.filter((task) => task.waitsFor.includes(`queue.put of ${what}`)).map(({ id }) =>
        id
      ),
    });
  }
}

/** Connections that are paused for long, either way. */
function lookAtConnections(
  { transports }: LoopSnapshot,
  lasts: Lasting,
  warnings: Warning[],
): void {
  const look = (paused: boolean, way: string, id: number, what: string, more: string) => {
    if (!paused) return;
    const seconds = lasts(`${way} ${id}`);
    if (seconds < LONG_PAUSE) return;
    const text = `${capital(what)} has ${way} paused for ${told(seconds)}${more}`;
    warnings.push({ kind: "paused", text, tasks: [] });
  };
  for (const { id, what, readingPaused, writingPaused, buffered } of transports) {
    look(readingPaused, "reading", id, what, "");
    look(writingPaused, "writing", id, what, `: ${buffered} bytes wait for its peer`);
  }
}

/** Futures that nobody sets, and failed ones that nobody has looked at. */
function lookAtFutures(
  { tasks, unretrieved }: LoopSnapshot,
  lasts: Lasting,
  warnings: Warning[],
): void {
  for (const task of tasks) {
    if (task.state !== "waiting" || !task.waitsFor.every((wait) => wait === "future")) continue;
    const seconds = lasts(`unset ${task.id}`);
    if (seconds < LONG_UNSET) continue;
    const text = `Task ${quote(task.name)} has waited for ${
      told(seconds)
    } for a future that nobody has set`;
    warnings.push({ kind: "unset", text, tasks: [task.id] });
  }
  for (const { what, error } of unretrieved) {
    const text = `${capital(what)} has failed with ${error}, and nobody has looked at it`;
    warnings.push({ kind: "unretrieved", text, tasks: [] });
  }
}

/** Values of several things over a while. */
class Samples {
  readonly #samples: Map<number, Sample[]> = new Map();

  /** Adds `value`; returns how it grew over what is remembered, `null` the first time. */
  growth(
    id: number,
    time: number,
    value: number,
  ): { amount: number; seconds: number; steady: boolean } | null {
    const samples = this.#samples.get(id);
    if (samples === undefined) {
      this.#samples.set(id, [{ time, value }]);
      return null;
    }
    samples.push({ time, value });
    const steady = samples.every((each, index) => each.value >= (samples[index - 1]?.value ?? 0));
    const first = samples[0] as Sample;
    return { amount: value - first.value, seconds: time - first.time, steady };
  }

  forgetBefore(time: number): void {
    for (const [id, samples] of this.#samples) {
      while (samples.length > 0 && (samples[0] as Sample).time < time) samples.shift();
      if (samples.length === 0) this.#samples.delete(id);
    }
  }
}

/** Whether nothing outside of the loop, and no time, can make anything of it go on. */
function isClosed(snapshot: LoopSnapshot): boolean {
  const { tasks, timerCount, ready, transports, servers, processes, executors } = snapshot;
  return timerCount === 0 && ready === 0 && transports.length === 0 && servers.length === 0 &&
    processes.length === 0 && executors.every((each) => each.running + each.queued === 0) &&
    tasks.every(waitsInside);
}

function waitsInside(task: TaskSnapshot): boolean {
  return task.state === "waiting" && task.waitsFor.every((wait) => INNER_WAIT.test(wait));
}

function list(ids: readonly number[], names: ReadonlyMap<number, string>): string {
  const words = ids.slice(0, MOST_NAMED).map((id) => quote(names.get(id) ?? String(id)));
  if (ids.length > MOST_NAMED) words.push(`${ids.length - MOST_NAMED} more`);
  const last = words.pop() ?? "";
  return words.length === 0 ? last : `${words.join(", ")} and ${last}`;
}

function quote(name: string): string {
  return JSON.stringify(name);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Seconds in words: they change seldom, so that a warning stays the same. */
function told(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  return seconds < 60 ? `${Math.floor(seconds)} s` : `${Math.floor(seconds / 60)} min`;
}
