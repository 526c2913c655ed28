import timers from "node:timers";
import timersPromises from "node:timers/promises";
import type { Appointment } from "./_agenda.ts";
import type { Patch } from "./_patch.ts";
import type { World } from "./_world.ts";

/** A callback of `setTimeout()` and its like. */
type TimerCallback = (...args: unknown[]) => void;

/** Settings of a timer that is a promise. */
interface TimerOptions {
  readonly signal?: AbortSignal;
}

/**
 * The timers of the host, for code that knows nothing of the loop. Those of `node:timers` are
 * replaced where they are read from the module as a whole, as `require()` does.
 */
export function timerPatches(): Patch[] {
  return [
    ...callbackTimers(globalThis),
    ...callbackTimers(timers),
    { target: timersPromises, key: "setTimeout", create: createPromiseStarter },
    { target: timersPromises, key: "setImmediate", create: createPromiseImmediate },
    { target: timersPromises, key: "setInterval", create: createIterableStarter },
    { target: timersPromises, key: "scheduler", create: createTimerScheduler },
    { target: AbortSignal, key: "timeout", create: createAbortTimeout },
  ];
}

function callbackTimers(target: object): Patch[] {
  const clears = ["clearTimeout", "clearInterval", "clearImmediate"];
  return [
    { target, key: "setTimeout", create: (world) => createStarter(world, false) },
    { target, key: "setInterval", create: (world) => createStarter(world, true) },
    { target, key: "setImmediate", create: createImmediateStarter },
    ...clears.map((key): Patch => ({ target, key, create: createClear })),
  ];
}

/** A host timer in simulated time. */
class SimulatedTimer {
  readonly #id: number;
  readonly #world: World;
  readonly #callback: () => void;
  /** In seconds. */
  readonly #delay: number;
  readonly #repeats: boolean;
  #appointment: Appointment | null = null;

  constructor(world: World, callback: () => void, delay: number, repeats: boolean) {
    this.#world = world;
    this.#id = world.takeTimerId();
    this.#callback = callback;
    this.#delay = delay;
    this.#repeats = repeats;
    this.#start();
  }

  close(): this {
    this.#appointment?.cancel();
    this.#appointment = null;
    this.#world.hostTimers.delete(this.#id);
    return this;
  }

  refresh(): this {
    this.close();
    this.#start();
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }

  [Symbol.toPrimitive](): number {
    return this.#id;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #start(): void {
    const { clock } = this.#world;
    this.#world.hostTimers.set(this.#id, this);
    this.#appointment = clock.schedule(clock.now() + this.#delay, () => this.#fire());
  }

  #fire(): void {
    if (this.#repeats) this.#start();
    else this.close();
    this.#callback();
  }
}

/** Milliseconds of a host timer as seconds; the host makes at least one of them. */
function toDelay(delayMs: unknown): number {
  const number = Number(delayMs ?? 0);
  return (number >= 1 && number < 2 ** 31 ? number : 1) / 1000;
}

function createStarter(world: World, repeats: boolean) {
  return (callback: TimerCallback, delayMs?: number, ...args: unknown[]): SimulatedTimer => {
    return new SimulatedTimer(world, () => callback(...args), toDelay(delayMs), repeats);
  };
}

function createImmediateStarter(world: World) {
  return (callback: TimerCallback, ...args: unknown[]): SimulatedTimer => {
    return new SimulatedTimer(world, () => callback(...args), 0, false);
  };
}

function createClear({ hostTimers }: World) {
  return (timer: unknown): void => {
    if (timer !== undefined && timer !== null) hostTimers.get(Number(timer))?.close();
  };
}

function createAbortTimeout({ clock }: World) {
  return (milliseconds: number): AbortSignal => {
    const controller = new AbortController();
    clock.schedule(clock.now() + milliseconds / 1000, () => {
      controller.abort(new DOMException("Signal timed out.", "TimeoutError"));
    });
    return controller.signal;
  };
}

function createPromiseStarter(world: World) {
  return (delayMs?: number, value?: unknown, options?: TimerOptions): Promise<unknown> => {
    return waitFor(world, toDelay(delayMs), value, options);
  };
}

function createPromiseImmediate(world: World) {
  return (value?: unknown, options?: TimerOptions): Promise<unknown> => {
    return waitFor(world, 0, value, options);
  };
}

function createIterableStarter(world: World) {
  return async function* (delayMs?: number, value?: unknown, options?: TimerOptions) {
    for (;;) yield await waitFor(world, toDelay(delayMs), value, options);
  };
}

function createTimerScheduler(world: World) {
  return {
    wait: (delayMs?: number, options?: TimerOptions) => {
      return waitFor(world, toDelay(delayMs), undefined, options);
    },
    yield: () => waitFor(world, 0, undefined),
  };
}

/** Waits `delay` seconds, unless it is aborted. */
function waitFor<T>(
  world: World,
  delay: number,
  value: T,
  { signal }: TimerOptions = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortError(signal));
    const abort = () => {
      timer.close();
      reject(abortError(signal as AbortSignal));
    };
    const timer = new SimulatedTimer(
      world,
      () => {
        signal?.removeEventListener("abort", abort);
        resolve(value);
      },
      delay,
      false,
    );
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** The error that Node gives. */
function abortError({ reason }: AbortSignal): Error {
  const error = new Error("Cannot wait for a timer: it was aborted", { cause: reason });
  return Object.assign(error, { name: "AbortError", code: "ABORT_ERR" });
}
