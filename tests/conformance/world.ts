import {
  Barrier,
  BoundedSemaphore,
  CancelledError,
  Condition,
  ContextVar,
  currentTask,
  Event,
  type EventLoop,
  type Future,
  type Handle,
  InvalidStateError,
  LifoQueue,
  Lock,
  PriorityQueue,
  Queue,
  Semaphore,
  Task,
  type TaskBody,
} from "../../loop/mod.ts";
import type { Action, Guard, Program, QueueKind, Ref, Statement, Trace } from "./program.ts";

/** At this time every task that is not done is cancelled. */
const CANCEL_ALL = 100;
/** At this time the program ends, and its final states are written. */
const END = 200;

/** The error that programs raise. */
export class Boom extends Error {}

const setting = new ContextVar("setting", { default: 0 });

/** How to run a program in another way than CPython does. */
export interface WorldOptions {
  /** Seconds between the cancellations of the tasks that are left; they are at once by default. */
  cancelStep?: number;
  /** Returns how many turns a task pauses before and after each wait; none by default. */
  pauses?: () => number;
}

/** What a program may do with the scope of a `timeout`. */
export interface TimeoutScopeLike {
  /** Moves the deadline. */
  reschedule(when: number | null): void;
  /** Returns the deadline. */
  when(): number | null;
  /** Whether the deadline has passed. */
  expired(): boolean;
}

/** What a program may do with the scope of a `taskGroup`. */
export interface GroupLike {
  /** Creates a child. */
  createTask(body: TaskBody<unknown>): Task<unknown>;
}

/** What a program acts on, the statements that do not wait, and the trace. */
export abstract class World {
  /** What happened so far. */
  readonly trace: Trace = [];
  /** Whether the program has ended; nothing is written any more. */
  over = false;
  /** See {@linkcode WorldOptions.pauses}. */
  readonly pauses: () => number;
  /** The loop it runs on. */
  readonly loop: EventLoop;
  /** The locks. */
  readonly locks: Lock[];
  /** The semaphores. */
  readonly semaphores: Semaphore[];
  /** The bounded semaphores. */
  readonly bounded: Semaphore[];
  /** The events. */
  readonly events: Event[];
  /** The conditions. */
  readonly conditions: Condition[];
  /** The barriers. */
  readonly barriers: Barrier[];
  /** The queues. */
  readonly queues: Queue<number>[];
  /** What predicates read. */
  readonly variables: number[];
  /** The scopes of timeouts, by statement. */
  readonly scopes: Map<number, TimeoutScopeLike> = new Map();
  /** The task groups, by statement. */
  readonly groups: Map<number, GroupLike> = new Map();
  readonly #program: Program;
  readonly #cancelStep: number;
  readonly #futures: Future<unknown>[];
  readonly #tasks: Map<number, Task<unknown>> = new Map();
  readonly #callbacks: Map<number, (future: Future<unknown>) => void> = new Map();
  readonly #handles: Map<number, Handle> = new Map();
  /** The name of every task that was seen, in the order seen. */
  readonly #labels: Map<Task<unknown>, string> = new Map();
  #unnamed = 0;

  /** Creates what `program` acts on. */
  constructor(program: Program, loop: EventLoop, options: WorldOptions = {}) {
    this.loop = loop;
    this.pauses = options.pauses ?? (() => 0);
    this.#cancelStep = options.cancelStep ?? 0;
    this.#program = program;
    this.#futures = list(program.futures, () => loop.createFuture());
    this.locks = list(program.locks, () => new Lock());
    this.semaphores = program.semaphores.map((value) => new Semaphore(value));
    this.bounded = program.bounded.map((value) => new BoundedSemaphore(value));
    this.events = list(program.events, () => new Event());
    this.conditions = program.conditions.map((lock) =>
      lock === null ? new Condition() : new Condition(at(this.locks, lock))
    );
    this.barriers = program.barriers.map((parties) => new Barrier(parties));
    this.queues = program.queues.map(({ kind, limit }) => createQueue(kind, limit));
    this.variables = list(program.variables, () => 0);
  }

  /** Makes the body of the task or coroutine `name`. */
  abstract start(name: number, statements: Statement[]): TaskBody<unknown>;

  /** Runs the program to its end. */
  async run(): Promise<Trace> {
    const { loop } = this;
    loop.setExceptionHandler((_loop, { handle, exception }) => {
      if (handle !== undefined) this.log(`handler ${errorText(exception)}`);
    });
    this.spawn(0, () => loop.createTask(this.start(0, this.#program.body)));
    loop.callAt(CANCEL_ALL, () => this.#cancelAll());
    loop.callAt(END, () => loop.stop());
    await loop.runForever();
    this.#writeFinalStates();
    this.over = true;
    loop.close();
    return this.trace;
  }

  /** Writes a line: the time, the task, and `event`. */
  log(event: string): void {
    if (this.over) return;
    this.trace.push(`${this.loop.time()} ${this.#label(currentTask())} ${event}`);
  }

  /** Writes the value that `statement` gave. */
  logValue(statement: { op: string; id: number }, value: unknown): void {
    this.log(`${statement.op}${statement.id} = ${valueText(value)}`);
  }

  /** Writes the error that `statement` threw. */
  logError(statement: { op: string; id: number }, error: unknown): void {
    this.log(`${statement.op}${statement.id} ! ${errorText(error)}`);
  }

  /** Returns what `ref` names, unless there is no such task. */
  futureOf(ref: Ref): Future<unknown> | null {
    if ("task" in ref) return this.#tasks.get(ref.task) ?? null;
    return at(this.#futures, ref.future);
  }

  /** Names a future that {@linkcode futureOf} returned. */
  nameOf(future: Future<unknown>): string {
    if (future instanceof Task) return this.#label(future);
    return `f${this.#futures.indexOf(future)}`;
  }

  /** Returns the lock, semaphore or condition that `guard` names. */
  resource({ kind, index }: Guard): Lock | Semaphore | Condition {
    const lists = {
      lock: this.locks,
      semaphore: this.semaphores,
      bounded: this.bounded,
      condition: this.conditions,
    };
    return at<Lock | Semaphore | Condition>(lists[kind], index);
  }

  /** Names the task that `create` makes, unless there is one of that name. */
  spawn(name: number, create: () => Task<unknown>): void {
    if (this.#tasks.has(name)) return;
    const task = create();
    this.#tasks.set(name, task);
    this.#labels.set(task, `t${name}`);
  }

  /** The predicate of a condition; it may cancel the task that asks, once something was assigned. */
  holds(statement: { id: number; variable: number; value: number; cancels: boolean }): boolean {
    const value = at(this.variables, statement.variable);
    this.log(`predicate${statement.id} ${value}`);
    if (statement.cancels && value > 0) currentTask()?.cancel("predicate");
    return value >= statement.value;
  }

  /** Runs one statement that does not wait. Only a `raise` throws. */
  runAction(statement: Action): void {
    let value: unknown;
    try {
      value = this.#perform(statement);
    } catch (error) {
      if (error instanceof Boom) throw error;
      return this.logError(statement, error);
    }
    this.logValue(statement, value);
  }

  #act(statements: Action[]): void {
    for (const statement of statements) {
      if (this.over) return;
      this.runAction(statement);
    }
  }

  #perform(statement: Action): unknown {
    switch (statement.op) {
      case "log":
        return setting.get();
      case "set":
        return void setting.set(statement.value);
      case "raise":
        throw new Boom(statement.message);
      case "cancel":
        return this.futureOf(statement.of)?.cancel(statement.message ?? undefined);
      case "cancelSelf":
        return currentTask()?.cancel(statement.message ?? undefined);
      case "uncancel":
        return (statement.task === null ? currentTask() : this.#tasks.get(statement.task))
          ?.uncancel();
      case "look":
        return this.#look(this.futureOf(statement.of));
      case "spawn":
        return this.spawn(
          statement.task,
          () =>
            this.loop.createTask(this.start(statement.task, statement.body), {
              eager: statement.eager,
            }),
        );
      case "groupSpawn": {
        const group = this.groups.get(statement.group);
        if (group === undefined) return null;
        return this.spawn(
          statement.task,
          () => group.createTask(this.start(statement.task, statement.body)),
        );
      }
      case "setResult":
        return at(this.#futures, statement.future).setResult(statement.value);
      case "setException":
        return at(this.#futures, statement.future).setException(new Boom(statement.message));
      case "addCallback":
        return this.futureOf(statement.of)?.addDoneCallback(this.#callback(statement.callback));
      case "removeCallback":
        return this.futureOf(statement.of)?.removeDoneCallback(this.#callback(statement.callback));
      case "callSoon": {
        const handle = this.loop.callSoon(() => this.#fire(statement));
        return void this.#handles.set(statement.id, handle);
      }
      case "callLater": {
        const handle = this.loop.callLater(statement.delay, () => this.#fire(statement));
        return void this.#handles.set(statement.id, handle);
      }
      case "cancelHandle": {
        const handle = this.#handles.get(statement.handle);
        handle?.cancel();
        return handle?.cancelled();
      }
      case "reschedule": {
        const scope = this.scopes.get(statement.scope);
        scope?.reschedule(statement.delay === null ? null : this.loop.time() + statement.delay);
        return scope?.when();
      }
      case "release":
        return this.resource(statement).release();
      case "locked":
        return this.resource(statement).locked();
      case "notify":
        if (statement.count === null) return at(this.conditions, statement.index).notifyAll();
        return at(this.conditions, statement.index).notify(statement.count);
      case "setEvent":
        return at(this.events, statement.index).set();
      case "clearEvent":
        return at(this.events, statement.index).clear();
      case "putNowait":
        return at(this.queues, statement.index).putNowait(statement.value);
      case "getNowait":
        return at(this.queues, statement.index).getNowait();
      case "taskDone":
        return at(this.queues, statement.index).taskDone();
      case "shutdown":
        return at(this.queues, statement.index).shutdown({ immediate: statement.immediate });
      case "size": {
        const queue = at(this.queues, statement.index);
        return [queue.size, queue.empty(), queue.full()];
      }
      case "barrierState":
        return stateOfBarrier(at(this.barriers, statement.index));
      case "assign":
        return void (this.variables[statement.variable] = statement.value);
    }
  }

  #look(future: Future<unknown> | null): unknown {
    if (future === null) return null;
    return [future instanceof Task ? future.cancelling() : 0, stateText(future)];
  }

  #fire(statement: { id: number; body: Action[] }): void {
    this.log(`fired${statement.id}`);
    this.#act(statement.body);
  }

  #callback(name: number): (future: Future<unknown>) => void {
    let callback = this.#callbacks.get(name);
    if (callback === undefined) {
      callback = (future) => {
        this.log(`callback${name} of ${stateText(future)}`);
        this.#act(at(this.#program.callbacks, name));
      };
      this.#callbacks.set(name, callback);
    }
    return callback;
  }

  #label(task: Task<unknown> | null): string {
    if (task === null) return "-";
    let label = this.#labels.get(task);
    if (label === undefined) {
      this.#unnamed += 1;
      label = `u${this.#unnamed}`;
      this.#labels.set(task, label);
    }
    return label;
  }

  #cancelAll(): void {
    this.log("cancel all");
    let delay = 0;
    for (const task of [...this.#labels.keys()]) {
      if (task.done()) continue;
      if (this.#cancelStep === 0) task.cancel("end");
      else this.loop.callLater(delay += this.#cancelStep, () => task.cancel("end"));
    }
  }

  #writeFinalStates(): void {
    for (const [name, task] of this.#tasks) {
      this.log(`t${name} is ${stateText(task)} ${task.cancelling()}`);
    }
    this.#futures.forEach((future, index) => this.log(`f${index} is ${stateText(future)}`));
    const locks = [...this.locks, ...this.semaphores, ...this.bounded, ...this.conditions];
    this.log(`locked ${valueText(locks.map((each) => each.locked()))}`);
    this.log(`set ${valueText(this.events.map((each) => each.isSet()))}`);
    this.log(`sizes ${valueText(this.queues.map((each) => each.size))}`);
    this.log(`barriers ${valueText(this.barriers.map(stateOfBarrier))}`);
  }
}

/** Returns what `list` has at `index`, where programs always have something. */
export function at<T>(list: readonly T[], index: number): T {
  return list[index] as T;
}

function list<T>(length: number, create: () => T): T[] {
  return Array.from({ length }, create);
}

function createQueue(kind: QueueKind, maxSize: number): Queue<number> {
  if (kind === "fifo") return new Queue({ maxSize });
  return kind === "lifo" ? new LifoQueue({ maxSize }) : new PriorityQueue({ maxSize });
}

function stateOfBarrier(barrier: Barrier): unknown {
  return [barrier.waiting, barrier.broken];
}

/** Writes `error` as run_on_cpython.py does. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError) return `Group[${error.errors.map(errorText).join(", ")}]`;
  if (error instanceof Boom) return `Boom(${error.message})`;
  if (error instanceof CancelledError) {
    return error.message === "" ? "Cancelled" : `Cancelled(${error.message})`;
  }
  const misuse = error instanceof InvalidStateError || error instanceof RangeError ||
    error instanceof TypeError;
  if (misuse) return "Misuse";
  return error instanceof Error ? error.name : String(error);
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(valueText).join(", ")}]`;
  if (value instanceof Error) return errorText(value);
  return JSON.stringify(value ?? null);
}

function stateText(future: Future<unknown>): string {
  if (!future.done()) return "pending";
  let error: unknown;
  try {
    error = future.exception();
  } catch (cancelled) {
    return `${future.cancelled() ? "cancelled" : "odd"} ${errorText(cancelled)}`;
  }
  if (error !== null) return `failed ${errorText(error)}`;
  return `finished ${valueText(future.result())}`;
}
