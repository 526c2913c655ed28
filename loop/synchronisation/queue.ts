import * as inside from "../inside.ts";
import { refuseTimeLimit } from "../values/time_limit.ts";
import { requireLoop, runningLoop } from "../scheduling/_current.ts";
import { lineOf } from "../values/_describe.ts";
import { QUEUE, QUEUE_SHUTDOWN } from "../values/_options.ts";
import { RingQueue } from "../scheduling/_ring_queue.ts";
import { showAsText } from "../values/_shown_as_text.ts";
import { checkOptions, NO_OPTIONS } from "../values/check_options.ts";
import {
  type CancelledError,
  InvalidStateError,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
} from "../errors/errors.ts";
import { Event } from "./event.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Future } from "../tasks/future.ts";
import { Operation } from "../tasks/operation.ts";
import { startOperation } from "../tasks/start_operation.ts";
import type { Coroutine } from "../tasks/task.ts";
import { kindInWords } from "../values/in_words.ts";
import type { QueueFigures } from "../inspection/meter.ts";

/**
 * Settings of a {@linkcode Queue}.
 *
 * @category Synchronisation
 */
export interface QueueOptions {
  /** How many items there may be before `put()` waits; 0, the default, is no limit. */
  maxSize?: number | undefined;
}

/**
 * Where a queue keeps its items.
 *
 * @category Synchronisation
 */
export interface QueueStore<T> {
  /** How many there are. */
  readonly size: number;
  /** Adds one. */
  push(item: T): void;
  /** Takes the next; there is one. */
  shift(): T;
}

/**
 * Hands items from tasks to tasks, first in, first out. As `asyncio.Queue`.
 *
 * Nothing is lost under cancellation: an item stays in the queue until a getter really has it,
 * and a getter or putter that is cancelled after it was woken wakes the next one.
 *
 * @category Synchronisation
 *
 * @example A producer and a consumer
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createTask, Queue, QueueShutDown, run } from "@gyre/asyncio";
 *
 * const got: number[] = [];
 * await run(async () => {
 *   const queue = new Queue<number>({ maxSize: 1 });
 *   createTask(async () => {
 *     for (const item of [1, 2, 3]) await queue.put(item);
 *     queue.shutdown();
 *   });
 *   try {
 *     for (;;) got.push(await queue.get());
 *   } catch (error) {
 *     if (!(error instanceof QueueShutDown)) throw error;
 *   }
 * });
 * assertEquals(got, [1, 2, 3]);
 * ```
 */
export class Queue<T> {
  readonly #store: QueueStore<T>;
  readonly #maxSize: number;
  /** Both are bounded by the number of tasks. */
  readonly #getters: Set<Operation<T>> = new Set();
  readonly #putters: Set<Operation<void>> = new Set();
  /** Items put and not yet reported by `taskDone()`. */
  #unfinished = 0;
  readonly #allDone: Event = new AllDone(this, () => this.#unfinished);
  #shutDown = false;

  /**
   * Creates an empty queue.
   *
   * @param options Additional options.
   * @param store Where the items are kept, which decides their order.
   */
  constructor(options: QueueOptions = NO_OPTIONS, store: QueueStore<T> = new RingQueue<T>()) {
    checkOptions("create a queue", options, QUEUE);
    this.#maxSize = options.maxSize ?? 0;
    this.#store = store;
    this.#allDone.set();
    runningLoop()?.[inside.meter]?.queues.add(this);
  }

  static {
    showAsText(this);
  }

  /** Says where it stands, as `repr()`, without its items: `<Queue size=2 maxSize=5 getters=1>`. */
  toString(): string {
    return lineOf(this, this.#shutDown ? "shut down" : "", {
      size: String(this.size),
      maxSize: this.#maxSize,
      getters: this.#getters.size,
      putters: this.#putters.size,
      unfinished: this.#unfinished,
    });
  }

  /** @ignore */
  [inside.inWords](): string {
    const { size } = this;
    const state = this.#maxSize > 0 ? `${size} of ${this.#maxSize}` : String(size);
    return kindInWords(this, state, this.#shutDown ? "shut down" : "");
  }

  /** @ignore What waiting for an item of it is called. */
  [inside.waitInWords](): string {
    return `queue.get of ${this[inside.inWords]()}`;
  }

  /** @ignore */
  [inside.figures](figures: QueueFigures): void {
    const [oldestPut] = this.#putters;
    figures.queues.push({
      id: figures.idOf(this),
      what: this[inside.inWords](),
      size: this.size,
      maxSize: this.#maxSize,
      getters: this.#getters.size,
      putters: this.#putters.size,
      waitingPut: oldestPut === undefined ? null : figures.idOf(oldestPut),
      unfinished: this.#unfinished,
    });
  }

  /** The limit of `put()`; 0 for none. */
  get maxSize(): number {
    return this.#maxSize;
  }

  /** How many items wait. As `qsize()`. */
  get size(): number {
    return this.#store.size;
  }

  /** Whether there are no items. */
  empty(): boolean {
    return this.#store.size === 0;
  }

  /** Whether `put()` would wait. */
  full(): boolean {
    return this.#maxSize > 0 && this.#store.size >= this.#maxSize;
  }

  /**
   * Takes the next item, waiting for one if there is none.
   *
   * @throws {QueueShutDown} If the queue is shut down and empty.
   */
  get(): Future<T> {
    if (arguments.length > 0) refuseTimeLimit(arguments[0], "queue.get()");
    return new Get(requireLoop("get from a queue"), this, this.#getters);
  }

  /**
   * Takes the next item.
   *
   * @throws {QueueEmpty} If there is none.
   * @throws {QueueShutDown} If the queue is shut down and empty.
   */
  getNowait(): T {
    if (this.empty()) {
      if (this.#shutDown) throw shutDownError("get from");
      throw new QueueEmpty("Cannot get from a queue: it is empty");
    }
    const item = this.#store.shift();
    this[inside.wakeNext](this.#putters);
    return item;
  }

  /**
   * Adds an item, waiting while the queue is full.
   *
   * @throws {QueueShutDown} If the queue is shut down.
   */
  put(item: T): Future<void> {
    return new Put(requireLoop("put into a queue"), this, this.#putters, item);
  }

  /**
   * Adds an item.
   *
   * @throws {QueueFull} If the queue is full.
   * @throws {QueueShutDown} If the queue is shut down.
   */
  putNowait(item: T): void {
    if (this.#shutDown) throw shutDownError("put into");
    if (this.full()) throw new QueueFull("Cannot put into a queue: it is full");
    this.#store.push(item);
    this.#unfinished += 1;
    this.#allDone.clear();
    this[inside.wakeNext](this.#getters);
  }

  /**
   * Reports that the work on an item got from the queue is done.
   *
   * @throws {InvalidStateError} If that was reported for every item already.
   */
  taskDone(): void {
    if (this.#unfinished === 0) {
      throw new InvalidStateError("Cannot report a task of a queue as done: all are done");
    }
    this.#finishTask();
  }

  /** Waits until every item that was put is reported by {@linkcode taskDone}. */
  join(): Future<true> {
    if (arguments.length > 0) refuseTimeLimit(arguments[0], "queue.join()");
    return this.#allDone.wait();
  }

  /**
   * Ends the queue: `put()` fails at once, `get()` once the items are taken.
   *
   * @param options `immediate` drops the items that are left.
   */
  shutdown(options: { immediate?: boolean } = {}): void {
    checkOptions("shut a queue down", options, QUEUE_SHUTDOWN);
    this.#shutDown = true;
    if (options.immediate === true) {
      while (!this.empty()) {
        this.#store.shift();
        if (this.#unfinished > 0) this.#finishTask();
      }
    }
    for (const getter of this.#getters) getter.wake();
    for (const putter of this.#putters) putter.wake();
  }

  /**
   * Takes the items one after the other, waiting for each, until the queue is shut down and empty.
   *
   * @example Ending with the queue
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Queue, run } from "@gyre/asyncio";
   *
   * const got: number[] = [];
   * await run(async () => {
   *   const queue = new Queue<number>();
   *   for (const item of [1, 2, 3]) queue.putNowait(item);
   *   queue.shutdown();
   *   for await (const item of queue) got.push(item);
   * });
   * assertEquals(got, [1, 2, 3]);
   * ```
   */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return {
      next: () => startOperation(requireLoop("get from a queue"), nextItem(this)),
    };
  }

  /** @ignore Wakes the first of `waiters` that is not awake yet. */
  [inside.wakeNext](waiters: Set<Operation<unknown>>): void {
    for (const waiter of waiters) if (waiter.wake()) return;
  }

  /** @ignore What `get()` waits for in the end, where that is known. */
  [inside.sources](): Future<unknown>[] {
    return [];
  }

  #finishTask(): void {
    this.#unfinished -= 1;
    if (this.#unfinished === 0) this.#allDone.set();
  }
}

/** Set while every item that was put is reported as done. */
class AllDone extends Event {
  readonly #queue: Queue<never>;
  readonly #unfinished: () => number;

  constructor(queue: object, unfinished: () => number) {
    super();
    this.#queue = queue as Queue<never>;
    this.#unfinished = unfinished;
  }

  override [inside.waitInWords](): string {
    return `queue.join of ${kindInWords(this.#queue, `${this.#unfinished()} unfinished`)}`;
  }
}

function shutDownError(action: string): QueueShutDown {
  return new QueueShutDown(`Cannot ${action} a queue: it is shut down`);
}

/** The steps of `for await`: the next item, or the end. */
function* nextItem<T>(queue: Queue<T>): Coroutine<IteratorResult<T, undefined>> {
  try {
    return { done: false, value: yield* queue.get() };
  } catch (error) {
    if (error instanceof QueueShutDown) return { done: true, value: undefined };
    throw error;
  }
}

/** One `get()`. Woken without an item, it waits on at the end of the line. */
class Get<T> extends Operation<T> {
  readonly #queue: Queue<T>;
  readonly #line: Set<Operation<unknown>>;

  constructor(loop: EventLoop, queue: Queue<T>, line: Set<Operation<T>>) {
    super(loop[inside.ownOptions]);
    this.#queue = queue;
    this.#line = line as Set<Operation<unknown>>;
    loop[inside.meter]?.queues.add(queue);
    this.resumed();
  }

  override [inside.inWords](): string {
    return this.#queue[inside.waitInWords]();
  }

  override [inside.awaited](): Future<unknown>[] {
    return this.#queue[inside.sources]();
  }

  protected override resumed(): void {
    this.#line.delete(this);
    let item: T;
    try {
      item = this.#queue.getNowait();
    } catch (error) {
      if (!(error instanceof QueueEmpty)) return this.fail(error);
      this.#line.add(this);
      return this.suspend();
    }
    this.finish(item);
  }

  protected override interrupted(error: CancelledError, woken: boolean): void {
    this.#line.delete(this);
    if (woken && !this.#queue.empty()) this.#queue[inside.wakeNext](this.#line);
    this.fail(error);
  }
}

/** One `put()`. Woken without room, it waits on at the end of the line. */
class Put<T> extends Operation<void> {
  readonly #queue: Queue<T>;
  readonly #line: Set<Operation<unknown>>;
  readonly #item: T;

  constructor(loop: EventLoop, queue: Queue<T>, line: Set<Operation<void>>, item: T) {
    super(loop[inside.ownOptions]);
    this.#queue = queue;
    this.#line = line as Set<Operation<unknown>>;
    loop[inside.meter]?.queues.add(queue);
    this.#item = item;
    this.resumed();
  }

  override [inside.inWords](): string {
    return `queue.put of ${this.#queue[inside.inWords]()}`;
  }

  protected override resumed(): void {
    this.#line.delete(this);
    try {
      this.#queue.putNowait(this.#item);
    } catch (error) {
      if (!(error instanceof QueueFull)) return this.fail(error);
      this.#line.add(this);
      return this.suspend();
    }
    this.finish(undefined);
  }

  protected override interrupted(error: CancelledError, woken: boolean): void {
    this.#line.delete(this);
    if (woken && !this.#queue.full()) this.#queue[inside.wakeNext](this.#line);
    this.fail(error);
  }
}
