/**
 * What there is on a loop, as plain data.
 *
 * *Theory of operation.* One walk over the tasks finds what each awaits, and what that awaits
 * (`_walk_awaits.ts`). What stands behind it is state that is there anyway; what costs something to keep is in
 * the meter, if there is one (`meter.ts`). A deadline does not know what it cuts short, so those are
 * found from the timers; a task does not know its group, which is found from who waits for its end.
 *
 * @module
 */
import * as inside from "../inside.ts";
import { runningTask } from "../scheduling/_current.ts";
import { argsOf, callbackOf, describeCallback } from "../scheduling/handle.ts";
import type { Driver } from "../scheduling/_driver.ts";
import type { TimerHandle } from "../scheduling/timer_handle.ts";
import { nameOfThrown } from "../values/_describe.ts";
import { inWords } from "../values/in_words.ts";
import type { EventLoop } from "../event_loop.ts";
import { failureOf, type Future, peekWaiters } from "../tasks/future.ts";
import { Operation } from "../tasks/operation.ts";
import { kindOfTask, Task } from "../tasks/task.ts";
import { type Identities, identitiesOf } from "./identities.ts";
import { Waits } from "./_waits.ts";
import { walkAwaits } from "./_walk_awaits.ts";
import {
  type EndedTask,
  LAG_BOUNDS,
  type Meter,
  type QueueSnapshot,
  type SlowStep,
} from "./meter.ts";
import { findRecord, recordOf } from "./task_record.ts";

/**
 * A task in a {@linkcode LoopSnapshot}. Times are in seconds.
 *
 * @category Diagnostics
 */
export interface TaskSnapshot {
  /** Its number, the same in every snapshot of the loop. */
  id: number;
  /** Its name. */
  name: string;
  /** Whether it has not begun, runs now, is about to run, or waits. */
  state: "new" | "running" | "ready" | "waiting";
  /** What its body is, once that is known. */
  body: "coroutine" | "async function" | null;
  /** What it waits for, in words: `queue.get of Queue (3 of 5)`, `a foreign promise`. */
  waitsFor: string[];
  /** The tasks and futures that it awaits. */
  awaits: number[];
  /** The tasks and futures that await it. */
  awaitedBy: number[];
  /** Where it awaits that; debug mode only. */
  where: string | null;
  /** Where it was created; debug mode only. */
  created: string | null;
  /** The task whose group it is in. */
  group: number | null;
  /** The task that has created it, if that was measured. */
  parent: number | null;
  /** Cancellations asked for and not taken back. */
  cancelling: number;
  /** How long it has been there; `null` if it began before that was measured. */
  age: number | null;
  /** Steps run; a sample stands for all where they are short. 0 where nothing measures. */
  steps: number;
  /** Time spent in steps. */
  busy: number;
  /** The longest step, of those that were timed. */
  longest: number;
}

/**
 * A future that is no task, and that several await, or that awaits something itself. What one task
 * alone waits for stands in its {@linkcode TaskSnapshot.waitsFor}.
 *
 * @category Diagnostics
 */
export interface FutureSnapshot {
  /** Its number, the same in every snapshot of the loop. */
  id: number;
  /** What it is, in words. */
  what: string;
  /** What it awaits itself. */
  awaits: number[];
  /** What awaits it. */
  awaitedBy: number[];
  /** Where it was created; debug mode only. */
  created: string | null;
}

/**
 * A timer in a {@linkcode LoopSnapshot}.
 *
 * @category Diagnostics
 */
export interface TimerSnapshot {
  /** When it fires, in seconds of the loop's clock. */
  when: number;
  /** Seconds until then. */
  left: number;
  /** What it calls. */
  callback: string;
  /** Where it was created; debug mode only. */
  created: string | null;
}

/**
 * A connection, a pipe or a datagram endpoint in a {@linkcode LoopSnapshot}.
 *
 * @category Diagnostics
 */
export interface TransportSnapshot {
  /** Its number, the same in every snapshot of the loop. */
  id: number;
  /** What it is: `connection from 127.0.0.1:50312`. */
  what: string;
  /** What it runs over. */
  kind: "tcp" | "tls" | "unix" | "udp" | "pipe";
  /** Where the peer is. */
  peer: string | null;
  /** Where this end is. */
  local: string | null;
  /** Where it stands. */
  state: string;
  /** Bytes received and passed on. */
  bytesIn: number;
  /** Bytes written. */
  bytesOut: number;
  /** Bytes written and not sent. */
  buffered: number;
  /** Whether the program takes nothing for now. */
  readingPaused: boolean;
  /** Whether the program was asked to write nothing for now. */
  writingPaused: boolean;
  /** Seconds since it was there. */
  age: number;
  /** The number of the server that has accepted it. */
  server: number | null;
}

/**
 * A server in a {@linkcode LoopSnapshot}.
 *
 * @category Diagnostics
 */
export interface ServerSnapshot {
  /** Its number, the same in every snapshot of the loop. */
  id: number;
  /** What it is: `server on [::]:8007`. */
  what: string;
  /** Where it stands. */
  state: string;
  /** Where it listens. */
  addresses: string[];
  /** Connections that are open. */
  connections: number;
  /** TLS handshakes under way. */
  handshakes: number;
  /** Connections accepted so far. */
  accepted: number;
  /** Seconds since it was there. */
  age: number;
}

/**
 * A child process in a {@linkcode LoopSnapshot}.
 *
 * @category Diagnostics
 */
export interface ProcessSnapshot {
  /** Its number, the same in every snapshot of the loop. */
  id: number;
  /** What it is: `process 4711 (cat)`. */
  what: string;
  /** Its number with the system. */
  pid: number;
  /** Where it stands. */
  state: string;
  /** How it has ended; `null` as it runs. */
  returncode: number | null;
  /** Pipes to it that are open. */
  pipes: number;
  /** Seconds since it was there. */
  age: number;
}

/**
 * An executor that jobs of the loop have used, in a {@linkcode LoopSnapshot}.
 *
 * @category Diagnostics
 */
export interface ExecutorSnapshot {
  /** Its number, the same in every snapshot of the loop. */
  id: number;
  /** What it is: `thread pool`, `process pool`. */
  what: string;
  /** Where it stands. */
  state: string;
  /** Workers there are. */
  workers: number;
  /** Workers there may be. */
  maxWorkers: number;
  /** Jobs that run. */
  running: number;
  /** Jobs that wait for a worker. */
  queued: number;
}

/**
 * How late timers fire.
 *
 * @category Diagnostics
 */
export interface LagSnapshot {
  /** The one that fired last, in seconds. */
  last: number;
  /** The latest of all, in seconds. */
  longest: number;
  /** The bounds of the classes in seconds, but for the last, which has none. */
  bounds: number[];
  /** How many timers were in each class. */
  counts: number[];
}

/**
 * An error that nobody has looked at.
 *
 * @category Diagnostics
 */
export interface UnretrievedSnapshot {
  /** What has failed: `task "worker"`, `future`. */
  what: string;
  /** The name of its error. */
  error: string;
}

/**
 * What there is on a loop. See `EventLoop.snapshot()`.
 *
 * @category Diagnostics
 */
export interface LoopSnapshot {
  /** When it was taken, in seconds of the loop's clock. */
  time: number;
  /** Whether debug mode is on: without it nothing knows where it was created, and where it waits. */
  debug: boolean;
  /** Since when the loop is measured, in seconds of its clock; `null` if it is not. */
  measuredSince: number | null;
  /** The tasks that are not done, in the order of creation. */
  tasks: TaskSnapshot[];
  /** What tasks await that is no task, and shared, or waits itself. */
  futures: FutureSnapshot[];
  /** The timers that fire next, a thousand at most. */
  timers: TimerSnapshot[];
  /** How many timers are pending. */
  timerCount: number;
  /** Callbacks and steps that are about to run. */
  ready: number;
  /** Iterations run. */
  iterations: number;
  /** Callbacks, task steps and host events run. */
  callbacks: number;
  /** Seconds spent in steps, if that is measured. */
  busy: number;
  /** How late timers fire; `null` where nothing is measured. */
  lag: LagSnapshot | null;
  /** The latest steps that took long, the oldest first. */
  slow: SlowStep[];
  /** The latest tasks that have ended, the oldest first. */
  ended: EndedTask[];
  /** How many tasks have ended since the measuring began. */
  endedCount: number;
  /** Errors that nobody has looked at yet. */
  unretrieved: UnretrievedSnapshot[];
  /** Queues that were made, or waited at, since the measuring began. */
  queues: QueueSnapshot[];
  /** Connections, pipes and datagram endpoints that are open. */
  transports: TransportSnapshot[];
  /** Servers that are open. */
  servers: ServerSnapshot[];
  /** Child processes. */
  processes: ProcessSnapshot[];
  /** Executors that jobs of the loop have used, and the default one. */
  executors: ExecutorSnapshot[];
}

/** Timers that a snapshot lists. */
const MOST_TIMERS = 1000;

/** Takes a snapshot of `loop`, which `driver` drives. */
export function takeSnapshot(loop: EventLoop, driver: Driver): LoopSnapshot {
  const time = loop.time();
  const meter = loop[inside.meter];
  const { iterations, callbacks } = driver.statistics();
  meter?.noteTime(time);
  const graph = new Graph(loop, time);
  return {
    time,
    debug: loop.getDebug(),
    measuredSince: meter?.since ?? null,
    tasks: graph.tasks,
    futures: graph.futures,
    timers: driver.timers.first(MOST_TIMERS).map((timer) => timerFigures(loop, timer, time)),
    timerCount: driver.timers.size,
    ready: driver.readyCount,
    iterations,
    callbacks,
    busy: meter?.busy ?? 0,
    lag: meter === null ? null : lagFigures(meter),
    slow: meter?.slow.list() ?? [],
    ended: meter?.ended.list(identitiesOf(loop)) ?? [],
    endedCount: meter?.ended.count ?? 0,
    unretrieved: [...loop[inside.unretrievedErrors].list()].map((future) => ({
      what: inWords(future),
      error: nameOfThrown(failureOf(future)),
    })),
    queues: queueFigures(loop, meter),
    transports: [],
    servers: [],
    processes: [],
    executors: [],
  };
}

function queueFigures(loop: EventLoop, meter: Meter | null): QueueSnapshot[] {
  const queues: QueueSnapshot[] = [];
  const idOf = (object: object) => identitiesOf(loop).of(object);
  for (const queue of meter?.queues.list() ?? []) queue[inside.figures]({ queues, idOf });
  return queues;
}

function lagFigures(meter: Meter): LagSnapshot {
  return {
    last: meter.lastLag,
    longest: meter.longestLag,
    bounds: [...LAG_BOUNDS],
    counts: [...meter.lags],
  };
}

function timerFigures(loop: EventLoop, timer: TimerHandle, time: number): TimerSnapshot {
  const [subject] = argsOf(timer);
  const callback = callbackOf(timer);
  const ofOurs = typeof subject === "object" && subject !== null && inside.inWords in subject;
  return {
    when: timer.when(),
    left: timer.when() - time,
    callback: ofOurs
      ? inWords(subject)
      : callback === null
      ? "cancelled"
      : describeCallback(callback),
    created: firstLine(loop[inside.originOf](timer)),
  };
}

/** Who waits for what. */
class Graph {
  readonly tasks: TaskSnapshot[] = [];
  readonly futures: FutureSnapshot[] = [];
  readonly #ids: Identities;
  readonly #loop: EventLoop;
  readonly #time: number;
  readonly #debug: boolean;
  readonly #waits: Waits;
  readonly #current: Task<unknown> | null;
  readonly #nodes: Map<Future<unknown>, TaskSnapshot | FutureSnapshot> = new Map();

  constructor(loop: EventLoop, time: number) {
    this.#loop = loop;
    this.#time = time;
    this.#debug = loop.getDebug();
    this.#ids = identitiesOf(loop);
    this.#waits = new Waits(loop, time);
    this.#current = runningTask();
    const links: [node: TaskSnapshot | FutureSnapshot, awaited: readonly Future<unknown>[]][] = [];
    walkAwaits(loop, (future, awaited, leads) => {
      // One that has ended, and who waits for it has not gone on.
      if (future instanceof Task && future.done()) return;
      const node = future instanceof Task
        ? this.#addTask(future, awaited)
        : this.#createNode(future);
      if (leads) links.push([node, awaited]);
    });
    for (const [node, awaited] of links) {
      for (const future of awaited) {
        const other = this.#nodes.get(future);
        if (other === undefined) continue;
        node.awaits.push(other.id);
        other.awaitedBy.push(node.id);
      }
    }
  }

  #createNode(future: Future<unknown>): FutureSnapshot {
    const node: FutureSnapshot = {
      id: this.#ids.of(future),
      what: inWords(future, this.#time),
      awaits: [],
      awaitedBy: [],
      created: this.#debug ? firstLine(this.#loop[inside.originOf](future)) : null,
    };
    this.#nodes.set(future, node);
    this.futures.push(node);
    return node;
  }

  #addTask(task: Task<unknown>, awaited: readonly Future<unknown>[]): TaskSnapshot {
    const kind = kindOfTask(task);
    const waiters = peekWaiters(task);
    const record = recordOf(task, this.#ids);
    const { id, parent, steps, busy, longest } = record;
    const state = this.#stateOf(task, kind, awaited);
    const node: TaskSnapshot = {
      id,
      name: task.getName(),
      state,
      body: kind === "new" ? null : kind === "coroutine" ? kind : "async function",
      waitsFor: state === "waiting" ? this.#waits.of(task, awaited) : [],
      awaits: [],
      awaitedBy: [],
      where: this.#debug && kind !== "new" ? this.#loop[inside.waitsAt](task) : null,
      created: this.#debug ? firstLine(this.#loop[inside.originOf](task)) : null,
      group: waiters === null ? null : this.#groupOf(waiters),
      parent,
      cancelling: task.cancelling(),
      age: record.ageAt(this.#time),
      steps,
      busy,
      longest,
    };
    this.#nodes.set(task, node);
    this.tasks.push(node);
    return node;
  }

  #stateOf(
    task: Task<unknown>,
    kind: "new" | "coroutine" | "function",
    awaited: readonly Future<unknown>[],
  ): TaskSnapshot["state"] {
    if (kind === "new") return "new";
    if (task === this.#current) return "running";
    if (awaited.length === 0) return kind === "coroutine" ? "ready" : "waiting";
    return awaited.some(isAwake) ? "ready" : "waiting";
  }

  /** The number of the task in whose group one is that `waiters` wait for. */
  #groupOf(waiters: object): number | null {
    if (!(waiters instanceof Set)) return this.#ownerOfGroup(waiters);
    for (const waiter of waiters) {
      const owner = this.#ownerOfGroup(waiter);
      if (owner !== null) return owner;
    }
    return null;
  }

  #ownerOfGroup(waiter: object): number | null {
    const { [inside.group]: group } = waiter as {
      readonly [inside.group]?: { readonly [inside.cutsShort]: object };
    };
    const owner = group === undefined ? null : this.#waits.ownerOf(group[inside.cutsShort]);
    return owner === null ? null : recordOf(owner, this.#ids).id;
  }
}

/** Whether who waits for `future` is about to go on. */
function isAwake(future: Future<unknown>): boolean {
  return future.done() || (future instanceof Operation && future.awake);
}

function firstLine(stack: string | null): string | null {
  return stack?.split("\n", 1)[0]?.trim().replace(/^at /, "") ?? null;
}

/** Returns the task of `loop` that snapshots call `id`; `null` if it is none, or has ended. */
export function taskById(loop: EventLoop, id: number): Task<unknown> | null {
  for (const task of loop[inside.tasks]) if (findRecord(task)?.id === id) return task;
  return null;
}
