import { AsyncLocalStorage } from "node:async_hooks";
import timers from "node:timers";
import timersPromises from "node:timers/promises";
import type { Appointment } from "./_agenda.ts";
import type { Patch } from "./_patch.ts";
import type { World } from "./_world.ts";

/** A callback of `setImmediate()`. */
type TimerCallback = (...args: unknown[]) => void;

/** Settings of a timer that is a promise. */
interface TimerOptions {
  readonly signal?: AbortSignal;
}

/** What the host hangs into its own list of timers. */
interface HostTimer {
  /** Calls the callback, in the context of who has started the timer, and does what follows. */
  _onTimeout: () => void;
  /** When it is called again, in milliseconds; `null` for once. */
  readonly _repeat: number | null;
}

/** What `setTimeout()` returns: that of Node, as in all of Deno. */
interface Timeout {
  /** In milliseconds. */
  readonly _idleTimeout: number;
  readonly _onTimeout: unknown;
  readonly _destroyed: boolean;
  _timer: HostTimer;
  hasRef(): boolean;
  close(): void;
}

/** The prototype of timers, with methods that have no name. */
type TimeoutPrototype = Timeout & Record<symbol, (this: Timeout) => unknown>;

/**
 * The timers of the host, for code that knows nothing of the loop.
 *
 * All of them, the global ones, those of `node:timers` by any name, and what `node:net` and
 * `node:http` keep inside, are of one class, and go into the list of the host by one method. That
 * method is replaced.
 */
export function timerPatches(): Patch[] {
  return [
    ...timeoutPatches(),
    ...immediates(globalThis),
    ...immediates(timers),
    { target: timersPromises, key: "setImmediate", create: createPromiseImmediate },
    { target: AbortSignal, key: "timeout", create: createAbortTimeout },
  ];
}

function timeoutPatches(): Patch[] {
  const probe = timers.setTimeout(() => {}, 1);
  const target = Object.getPrototypeOf(probe) as TimeoutPrototype;
  clearTimeout(probe);
  const named = (description: string) => {
    return Object.getOwnPropertySymbols(target).find((key) => key.description === description);
  };
  const [start, destroy] = [named("createTimer"), named("destroy")];
  // The classes of a later Deno may be others: a simulation must not run on real time unnoticed.
  if (start === undefined || destroy === undefined) {
    throw new TypeError("Cannot simulate timers: this version of Deno has unknown ones");
  }
  return [
    // Symbols are keys as well as names are.
    { target, key: start as unknown as string, create: createStart },
    { target, key: destroy as unknown as string, create: createDestroy },
    { target, key: "refresh", create: createRefresh },
    { target, key: "ref", create: createRef },
    { target, key: "unref", create: createRef },
  ];
}

/** What becomes of a timer of the host in simulated time. */
class SimulatedTimer {
  readonly #world: World;
  readonly #timeout: Timeout;
  readonly #expire: () => void;
  readonly #repeats: boolean;
  readonly #forget: () => void;
  #appointment: Appointment | null = null;

  constructor(world: World, timeout: Timeout, expire: () => void, repeats: boolean) {
    this.#world = world;
    this.#timeout = timeout;
    this.#expire = expire;
    this.#repeats = repeats;
    this.#forget = world.place.onEnd(() => timeout.close());
    this.plan();
  }

  /** Begins to wait, anew if it waits already. */
  plan(): void {
    this.#appointment?.cancel();
    const { clock, place } = this.#world;
    if (!place.isAlive) return;
    const when = clock.now() + this.#timeout._idleTimeout / 1000;
    const happen = () => this.#fire(place);
    this.#appointment = clock.schedule(when, happen);
    this.note();
  }

  /** The host does not stay alive for it, or does. */
  note(): void {
    const timeout = this.#timeout;
    this.#appointment?.keep(timeout.hasRef() || isMarked(timeout, "system"));
  }

  cancel(): void {
    this.#appointment?.cancel();
    this.#appointment = null;
    this.#forget();
  }

  #fire(place: World["place"]): void {
    const timeout = this.#timeout;
    this.#appointment = null;
    // What `node:http` has put aside is marked, and left where it is.
    if (isMarked(timeout, "suspended")) return this.cancel();
    const { clock } = this.#world;
    if (place.pausedUntil > clock.now()) {
      this.#appointment = clock.schedule(place.pausedUntil, () => this.#fire(place));
      return;
    }
    if (this.#repeats) this.plan();
    else this.#forget();
    this.#expire();
  }
}

/**
 * Whether the host has marked the timer: as `suspended`, put aside until it is begun again, or as
 * one of its own `system`, such as that of an open socket, which keeps things going.
 */
function isMarked(timeout: Timeout, mark: "suspended" | "system"): boolean {
  const key = Object.getOwnPropertySymbols(timeout).find((key) => key.description === mark);
  return key !== undefined && Reflect.get(timeout, key) === true;
}

/** The timers of the simulations that run. */
const simulated: WeakMap<Timeout, SimulatedTimer> = new WeakMap();

/** In place of the list of the host: lets it do all the rest, and takes the timer out again. */
function createStart(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (this: Timeout) => number;
  return function (this: Timeout): number {
    simulated.get(this)?.cancel();
    const id = Reflect.apply(original, this, []);
    const { _timer: timer } = this;
    const { _onTimeout: expire, _repeat: repeat } = timer;
    cancelHostTimer(timer);
    simulated.set(this, new SimulatedTimer(world, this, expire, repeat !== null));
    return id;
  };
}

function createDestroy(_world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (this: Timeout) => void;
  return function (this: Timeout): void {
    simulated.get(this)?.cancel();
    Reflect.apply(original, this, []);
  };
}

function createRefresh(_world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (this: Timeout) => Timeout;
  return function (this: Timeout): Timeout {
    const timer = simulated.get(this);
    // One that has expired is begun anew by the original.
    if (timer === undefined || this._destroyed) return Reflect.apply(original, this, []);
    timer.plan();
    return this;
  };
}

function createRef(_world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (this: Timeout) => Timeout;
  return function (this: Timeout): Timeout {
    Reflect.apply(original, this, []);
    simulated.get(this)?.note();
    return this;
  };
}

/** Takes `timer` out of the list of the host, which may look at it again. */
export function cancelHostTimer(timer: HostTimer): void {
  hostCore().cancelTimer(timer);
  timer._onTimeout = () => {};
}

/** What Deno keeps to itself: its list of timers can be reached by no other way. */
function hostCore(): { cancelTimer(timer: HostTimer): void } {
  const { internal } = Deno as unknown as { internal: symbol };
  return (Reflect.get(Deno, internal) as { core: ReturnType<typeof hostCore> }).core;
}

/** What `setImmediate()` returns. */
class SimulatedImmediate {
  readonly #close: () => void;

  constructor(world: World, callback: () => void) {
    const { clock, place } = world;
    const inContext = AsyncLocalStorage.snapshot();
    const forget = place.onEnd(() => this.#close());
    const fire = () => {
      forget();
      inContext(callback);
    };
    const appointment = place.isAlive ? clock.schedule(clock.now(), fire) : null;
    this.#close = () => {
      appointment?.cancel();
      forget();
    };
  }

  close(): void {
    this.#close();
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

  [Symbol.dispose](): void {
    this.#close();
  }
}

function immediates(target: object): Patch[] {
  return [
    { target, key: "setImmediate", create: createImmediateStarter },
    { target, key: "clearImmediate", create: createImmediateClear },
  ];
}

function createImmediateStarter(world: World) {
  return (callback: TimerCallback, ...args: unknown[]): SimulatedImmediate => {
    return new SimulatedImmediate(world, () => callback(...args));
  };
}

function createImmediateClear(_world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (immediate: unknown) => void;
  return (immediate: unknown): void => {
    if (immediate instanceof SimulatedImmediate) immediate.close();
    else original(immediate);
  };
}

function createAbortTimeout(world: World) {
  return (milliseconds: number): AbortSignal => {
    const controller = new AbortController();
    const { clock, place } = world;
    const inContext = AsyncLocalStorage.snapshot();
    const appointment = clock.schedule(clock.now() + milliseconds / 1000, () => {
      forget();
      const reason = new DOMException("Signal timed out.", "TimeoutError");
      inContext(() => controller.abort(reason));
    });
    const forget = place.onEnd(() => appointment.cancel());
    return controller.signal;
  };
}

function createPromiseImmediate(world: World) {
  return (value?: unknown, { signal }: TimerOptions = {}): Promise<unknown> => {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortError(signal));
      const abort = () => {
        immediate.close();
        reject(abortError(signal as AbortSignal));
      };
      const immediate = new SimulatedImmediate(world, () => {
        signal?.removeEventListener("abort", abort);
        resolve(value);
      });
      signal?.addEventListener("abort", abort, { once: true });
    });
  };
}

/** The error that Node gives. */
function abortError({ reason }: AbortSignal): Error {
  const error = new Error("Cannot wait for a timer: it was aborted", { cause: reason });
  return Object.assign(error, { name: "AbortError", code: "ABORT_ERR" });
}
