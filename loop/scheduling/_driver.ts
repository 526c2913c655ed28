/**
 * The machine inside an {@linkcode EventLoop}: ready queue, timers, and iterations.
 *
 * *Theory of operation.* One iteration has these phases:
 *
 * 1. *timers*: expired timers move, in (deadline, sequence) order, behind what is ready;
 * 2. *callbacks*: exactly the entries that are ready now run; what they add waits for the next;
 * 3. *stop*: after `stop()` the run ends here;
 * 4. *turn*: with more to do the driver hops one microtask, so that promises go on, and once in
 *    a while lets the host take a turn, so that I/O, signals and foreign timers do not starve;
 *    with nothing to do it sets the alarm to the next deadline and waits to be woken.
 *
 * The driver is an async function that was started outside of all tasks, so each of its
 * resumptions is, whoever woke it. An event of the host that comes while the loop waits is an
 * iteration of its own and runs at once ({@linkcode Driver.enter}), and so do a few iterations of
 * what it made ready: that saves a message its detour through the driver. For more, it wakes.
 *
 * So the driver is idle, or it runs iterations; within these it may wait (`#wake` is set), and while
 * it waits an event may be entered. An entry never runs inside of another one: what wakes the loop
 * from within an entry only marks it. Entries are added by anybody, at any time; the host's events
 * come through {@linkcode Driver.enter}, its alarm through `#wake`.
 *
 * Timers come first, so that one whose time has come runs in this iteration, behind what was ready
 * before it; the stop comes after the callbacks, as all that are ready run before a loop stops.
 *
 * A handle that resumes an async function only settles a promise; the function goes on in a
 * microtask. So the driver hops before the next entry, which gives async functions asyncio's
 * order in all but deep stacks.
 *
 * @module
 */
import * as inside from "../inside.ts";
import {
  captureEngineContext,
  current,
  isInEngineContext,
  runInEngineContext,
} from "./_current.ts";
import type { EngineContext } from "./_deno_engine_context.ts";
import { RingQueue } from "./_ring_queue.ts";
import type { Runnable } from "./_runnable.ts";
import { TimerQueue } from "./_timer_queue.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Meter } from "../inspection/meter.ts";
import type { Clock, ClockAlarm, Poller } from "../platform/platform.ts";
import type { ReadyQueue } from "./ready_queue.ts";
import type { Task } from "../tasks/task.ts";
import type { TimerHandle } from "./timer_handle.ts";

/**
 * How much a loop has done.
 *
 * @category Scheduling
 */
export interface LoopStatistics {
  /** Iterations run. */
  iterations: number;
  /** Callbacks, task steps and host events run. */
  callbacks: number;
  /** Timers pending now. */
  timers: number;
}

/** What the driver asks about the entries that it runs; it knows no tasks. */
export interface Insight {
  /** What `entry` is a step of; `null` for the loop's own. */
  stepOwner(entry: Runnable): object | null;
  /** The error of a run that nothing can wake any more. */
  createDeadlockError(): Error;
}

/** Seconds of callbacks before the host gets a turn. */
const TURN_BUDGET = 0.000_5;
/** The same in callbacks: a virtual clock stands still while they run. */
const TURN_CALLBACKS = 10_000;
/** Callbacks after which the driver reads the clock, which is dear, at the latest. */
const MAX_UNTIMED = 64;
/** Readings of the clock from one look of the poller to the next, while the loop is busy. */
const READINGS_PER_POLL = 4;
/** Iterations that an event may cause before the driver wakes for more. */
const ENTERED_ITERATIONS = 2;
/** Microtask hops that let an async function run to its next await, two calls deep. */
const ASYNC_FUNCTION_HOPS = 3;
/** The same for deeper stacks, where it does not count: to time them. */
const DEEP_FUNCTION_HOPS = 32;
/** Beats of the clock in the time that a slow step takes. */
const BEATS_PER_SLOW_STEP = 4;
/** The shortest and the longest time from beat to beat. */
const [SHORTEST_BEAT, LONGEST_BEAT] = [0.005, 0.25];

/** Runs the iterations of one loop. */
export class Driver {
  /** Pending timers. */
  readonly timers: TimerQueue = new TimerQueue();
  readonly #loop: EventLoop;
  readonly #clock: Clock;
  readonly #insight: Insight;
  /** Each entry runs in the iteration after it was added. */
  readonly #ready: ReadyQueue;
  /** A time not after the present: the clock's last reading. */
  #recently = 0;
  #running = false;
  #stopping = false;
  /** Whether the entry of an event runs while the driver waits. */
  #entering = false;
  #alarm: ClockAlarm | null = null;
  /** Looks for what the host does not report by itself; set while something is watched. */
  #poller: Poller | null = null;
  /** Readings of the clock since the poller has looked. */
  #readings = 0;
  /** Ends the wait; set while the driver waits. */
  #wake: (() => void) | null = null;
  /** The foreign context of who runs the loop: that of entries which have none of their own. */
  #context: EngineContext | null = null;
  /** The error that ends the run, when the clock knows that nothing can wake the loop. */
  #fatal: Error | null = null;
  /** Callbacks since the clock was read, and how many may pass until it is read again. */
  #untimed = 0;
  #untimedLimit = 1;
  /** When the turn of the loop began, by the clock and by the count of callbacks. */
  #turnStart = 0;
  #turnFirst = 0;
  /** What measures the loop, if anything does. */
  #meter: Meter | null = null;
  /** Until when what has run is accounted for; anybody may have read the clock since. */
  #accounted = 0;
  /** Whether the clock was read after the step before the one that is timed now. */
  #isStamped = false;
  /** Where steps are told exactly: whether a function was resumed that may be deep in a stack of calls. */
  #isFunctionDeep = false;
  /** Whether the host has its turn. */
  #isHostsTurn = false;
  /** Ends the beat of the clock, by which foreign code that takes long is told from waiting. */
  #endBeat: (() => void) | null = null;
  /** Seconds from beat to beat. */
  #beatSeconds = 0;
  #iterations = 0;
  #callbacks = 0;

  /** Creates the driver of `loop`. */
  constructor(
    loop: EventLoop,
    clock: Clock,
    insight: Insight,
    ready: ReadyQueue = new RingQueue<Runnable>(),
  ) {
    this.#loop = loop;
    this.#clock = clock;
    this.#insight = insight;
    this.#ready = ready;
  }

  /** Whether iterations run. */
  get running(): boolean {
    return this.#running;
  }

  /** Whether an event that comes now would run at once. */
  get waiting(): boolean {
    return this.#wake !== null && current.loop === null;
  }

  /** Sets what looks for events while the loop runs; `null` for nothing. */
  setPoller(poller: Poller | null): void {
    this.#poller = poller;
    // The loop may be waiting already, without it.
    if (this.#wake !== null) poller?.idle();
  }

  /** Reads the clock. */
  time(): number {
    return this.#recently = this.#clock.now();
  }

  /** The time as it was read last. */
  get lastReading(): number {
    return this.#recently;
  }

  /** The time as it was read last, unless the loop has waited since. */
  recentTime(): number {
    const isFresh = this.#running && (this.#wake === null || current.loop === this.#loop);
    return isFresh ? this.#recently : this.time();
  }

  /** How much was done. */
  statistics(): LoopStatistics {
    return { iterations: this.#iterations, callbacks: this.#callbacks, timers: this.timers.size };
  }

  /** How many entries are ready now. */
  get readyCount(): number {
    return this.#ready.size;
  }

  /** Drops all that is scheduled. */
  clear(): void {
    this.#ready.clear();
    this.timers.clear();
  }

  /** Adds a timer. */
  addTimer(timer: TimerHandle): void {
    this.timers.push(timer);
    if (this.#wake !== null) this.#alarm?.set(this.timers.deadline);
  }

  /** Ends the run after the current iteration. */
  stop(): void {
    this.#stopping = true;
    if (!this.#entering) this.#wake?.();
  }

  /** Adds `entry` to the ready queue, and wakes the loop if it waits. */
  [inside.enqueue](entry: Runnable): void {
    this.#ready.push(entry);
    if (this.#wake !== null && !this.#entering) this.#wake();
  }

  /** Runs `entry` for an event of the host: at once if the loop waits, else in its turn. */
  [inside.enter](entry: Runnable): void {
    // An entry may cause an event, as on a simulated network: that must not run inside of it.
    // In debug mode each step is timed, which takes the driver.
    const inTurn = this.#wake === null || current.loop !== null || this.#loop.getDebug();
    if (inTurn) return this[inside.enqueue](entry);
    // An event is part of no task, also when its operation was started by one.
    if (isInEngineContext(this.#context)) this.#enter(entry);
    else this.#enterFromOutside(entry);
  }

  #enterFromOutside(entry: Runnable): void {
    runInEngineContext(this.#context, () => this.#enter(entry));
  }

  #enter(entry: Runnable): void {
    this.#ready.push(entry);
    this.#runEntered();
  }

  /**
   * Runs the entry of an event, and a few iterations of what it made ready, while the driver
   * waits on. The driver wakes for the rest. An async function that was resumed goes on by itself.
   */
  #runEntered(): void {
    this.#entering = true;
    if (this.#meter !== null) this.#noteForeign(this.#meter, null);
    this.#meter?.timeNext();
    try {
      for (let iteration = 0; iteration < ENTERED_ITERATIONS; iteration += 1) {
        this.#iterations += 1;
        this.#runBatch(this.#ready.size);
        if (this.#meter?.isStepPending === true) void this.#endEnteredStep(this.#meter);
        if (this.#ready.size === 0 || this.#stopping || current.resumedAsyncFunction) break;
      }
    } finally {
      current.resumedAsyncFunction = false;
      this.#entering = false;
      if (this.#ready.size > 0 || this.#stopping) this.#wake?.();
    }
  }

  /** Runs iterations until {@linkcode stop}. The caller has checked that it may. */
  drive(): Promise<void> {
    this.#running = true;
    this.#context = captureEngineContext();
    return runInEngineContext(this.#context, () => this.#drive());
  }

  async #drive(): Promise<void> {
    this.#fatal = null;
    this.#alarm = this.#clock.createAlarm(
      () => this.#wake?.(),
      () => this.#abandon(),
      () => this.timers.deadline,
    );
    try {
      this.#startTurn();
      this.#startBeat();
      while (true) {
        this.#moveExpiredTimers();
        this.#iterations += 1;
        for (let left = this.#ready.size; left > 0;) {
          left = this.#runBatch(left);
          if (!resumedAsyncFunction()) continue;
          for (let hop = 0; hop < ASYNC_FUNCTION_HOPS; hop += 1) await undefined;
          if (this.#meter !== null) this.#endStep(this.#meter);
        }
        if (this.#stopping) break;
        if (this.#isFunctionDeep && !this.#hasWork()) await this.#letFunctionsGoOn();
        if (!this.#hasWork()) await this.#wait();
        else if (this.#isTurnOver()) await this.#letHostRun();
        else await undefined;
        if (this.#fatal !== null) throw this.#fatal;
      }
    } finally {
      this.#stopping = false;
      this.#running = false;
      this.#stopBeat();
      this.#poller?.rest();
      this.#alarm.close();
      this.#alarm = null;
    }
  }

  /** Moves expired timers behind what is ready. */
  #moveExpiredTimers(): void {
    const timers = this.timers;
    if (timers.size === 0) return;
    for (;;) {
      const timer = timers.takeExpired(this.#recently);
      if (timer === null) return;
      this.#meter?.noteLag(this.#recently - timer.when());
      this.#ready.push(timer);
    }
  }

  /**
   * Runs up to `count` ready entries. Ends early after one that resumed an async function.
   *
   * @returns How many of them are left.
   */
  #runBatch(count: number): number {
    const outerLoop = current.loop;
    const outerTask = current.task;
    const outerContext = current.context;
    const outerValues = current.values;
    current.loop = this.#loop;
    current.task = null;
    current.resumedAsyncFunction = false;
    const meter = this.#meter;
    this.#isStamped = false;
    let left = count;
    try {
      while (left > 0 && !current.resumedAsyncFunction) {
        left -= 1;
        // Nobody runs in the context of the entry before.
        current.context = current.values = null;
        if (meter !== null && --meter.left < 0) this.#runTimed(this.#ready.shift(), meter);
        else this.#ready.shift()[inside.run]();
      }
    } finally {
      // An entry throws only by a bug of ours. That ends the run, and must not stay "running".
      this.#callbacks += count - left;
      this.#untimed += count - left;
      current.loop = outerLoop;
      current.task = outerTask;
      current.context = outerContext;
      current.values = outerValues;
    }
    return left;
  }

  /** Runs `entry`, and tells `meter` how long it takes. */
  #runTimed(entry: Runnable, meter: Meter): void {
    // Afterwards the entry does not know any more who waited for it.
    const subject = this.#insight.stepOwner(entry) ?? entry;
    meter.beginStep(subject, this.#isStamped ? this.#accounted : this.time());
    entry[inside.run]();
    this.#isStamped = false;
    // An async function runs its step in the microtasks that follow.
    if (current.resumedAsyncFunction) return;
    meter.endStep(this.#account());
    this.#isStamped = meter.left === 0;
  }

  /** The async function has run its step, unless it is deep in a stack of calls. */
  #endStep(meter: Meter): void {
    this.#isFunctionDeep = meter.isExact;
    if (meter.isStepPending) meter.endStep(this.#account());
  }

  /** Where steps are told exactly: lets functions reach their next await before the loop waits. */
  async #letFunctionsGoOn(): Promise<void> {
    this.#isFunctionDeep = false;
    for (let hop = 0; hop < DEEP_FUNCTION_HOPS; hop += 1) await undefined;
  }

  /** The same where the driver waits on, and leaves the function alone. */
  async #endEnteredStep(meter: Meter): Promise<void> {
    for (let hop = 0; hop < ASYNC_FUNCTION_HOPS; hop += 1) await undefined;
    this.#endStep(meter);
  }

  /** Sets what measures the loop; `null` for nothing. */
  setMeter(meter: Meter | null): void {
    this.#meter = meter;
    this.#stopBeat();
    if (this.#running) this.#startBeat();
  }

  /**
   * An async function has come to an await, or to its end, in a microtask: the time since the clock was
   * read last is its own. While the driver is at work that is asked for only where steps are told
   * exactly: a few of its own steps later it reads the clock itself.
   */
  noteFunction(meter: Meter, task: Task<unknown>): void {
    if (current.loop !== null) return;
    const isSuspended = this.#wake !== null || this.#isHostsTurn;
    if (!isSuspended && !meter.isExact) return;
    if (!meter.isStepOf(task)) this.#noteForeign(meter, task);
    else meter.endStep(this.#account());
  }

  /** What is not a step of the loop has run since the clock was read last; of `task`, if it is known. */
  #noteForeign(meter: Meter, task: Task<unknown> | null): void {
    const before = this.#accounted;
    const now = this.#account();
    meter.noteForeign(now - before - this.#longestRest, now, task);
  }

  /** Reads the clock: what has run so far is accounted for. */
  #account(): number {
    return this.#accounted = this.time();
  }

  /** How much of the time since the clock was read last may have been rest. */
  get #longestRest(): number {
    if (this.#wake === null) return 0;
    return this.#endBeat === null ? Infinity : this.#beatSeconds;
  }

  #startBeat(): void {
    if (this.#meter === null) return;
    const wanted = this.#loop.slowCallbackDuration / BEATS_PER_SLOW_STEP;
    const seconds = Math.min(Math.max(wanted, SHORTEST_BEAT), LONGEST_BEAT);
    this.#beatSeconds = seconds;
    this.#endBeat = this.#clock.startBeat?.(seconds, () => {
      if (this.#meter !== null && this.#wake !== null) this.#noteForeign(this.#meter, null);
      if (this.#loop.slowCallbackDuration / BEATS_PER_SLOW_STEP === wanted) return;
      this.#stopBeat();
      this.#startBeat();
    }) ?? null;
  }

  #stopBeat(): void {
    this.#endBeat?.();
    this.#endBeat = null;
  }

  /** Whether the next iteration has something to run. */
  #hasWork(): boolean {
    if (this.#untimed >= this.#untimedLimit) this.#readClock();
    return this.#ready.size > 0 || this.timers.deadline <= this.#recently;
  }

  /** Reads the clock, and decides how many callbacks may run until it is read again. */
  #readClock(): void {
    const before = this.#recently;
    const elapsed = this.time() - before;
    if (this.#meter !== null) this.#noteUntimed(this.#meter);
    if (elapsed * 8 < TURN_BUDGET) {
      this.#untimedLimit = Math.min(this.#untimedLimit * 2, MAX_UNTIMED);
    } else this.#untimedLimit = 1;
    this.#untimed = 0;
    if (this.#poller !== null && ++this.#readings >= READINGS_PER_POLL) this.#poll(this.#poller);
  }

  #noteUntimed(meter: Meter): void {
    meter.noteUntimed(this.#untimed, this.#recently - this.#accounted, this.#recently);
    this.#accounted = this.#recently;
  }

  /** Adds what is ready, if anything is; says whether. */
  #poll(poller: Poller): boolean {
    this.#readings = 0;
    return poller.poll();
  }

  #isTurnOver(): boolean {
    return this.#recently - this.#turnStart > TURN_BUDGET ||
      this.#callbacks - this.#turnFirst > TURN_CALLBACKS;
  }

  #startTurn(): void {
    this.#turnStart = this.#account();
    this.#turnFirst = this.#callbacks;
    this.#untimed = 0;
  }

  async #letHostRun(): Promise<void> {
    const isMeasured = this.#meter !== null;
    if (isMeasured) this.#readClock();
    this.#isHostsTurn = true;
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    if (this.#meter !== null && isMeasured) this.#noteForeign(this.#meter, null);
    this.#isHostsTurn = false;
    if (this.#poller !== null) this.#poll(this.#poller);
    this.#startTurn();
  }

  /** Waits for the next deadline or an event, whichever is first. */
  async #wait(): Promise<void> {
    this.#ready.trim();
    const deadline = this.timers.deadline;
    if (this.time() >= deadline) return;
    if (this.#meter !== null) this.#noteUntimed(this.#meter);
    if (this.#poller !== null && this.#poll(this.#poller)) return;
    await new Promise<void>((resolve) => {
      this.#wake = () => {
        if (this.#meter !== null) this.#noteForeign(this.#meter, null);
        this.#wake = null;
        this.#meter?.timeNext();
        resolve();
      };
      this.#alarm?.set(deadline);
      this.#poller?.idle();
    });
    this.#startTurn();
    // One more hop: who woke the loop may be about to await what it scheduled.
    await undefined;
  }

  #abandon(): void {
    this.#fatal = this.#insight.createDeadlockError();
    this.#wake?.();
  }
}

/** Takes the mark that a handle resumed an async function. */
function resumedAsyncFunction(): boolean {
  const resumed = current.resumedAsyncFunction;
  current.resumedAsyncFunction = false;
  return resumed;
}
