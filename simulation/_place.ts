import { AsyncLocalStorage } from "node:async_hooks";
import { type EventLoop, findRunningLoop } from "../loop/event_loop.ts";
import * as inside from "../loop/inside.ts";
import type { Platform } from "../loop/platform/platform.ts";
import { Step } from "../loop/scheduling/step.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** The places of foreign code, which follow `await`, as every caller does. */
const places: AsyncLocalStorage<Place | undefined> = new AsyncLocalStorage();

/** The place of each loop. */
const placesOfLoops: WeakMap<EventLoop, Place> = new WeakMap();

/** What a {@linkcode Place} is made of. */
export interface PlaceOptions {
  /** The name of the host, or of the process on it. */
  readonly name: string;
  /** What its programs have of the world. */
  readonly platform: Platform;
  /** What its programs run on. */
  readonly loop: EventLoop;
  /** Its time. */
  readonly clock: VirtualClock;
  /** Adds a line to the trace. */
  note(host: string, event: string): void;
  /** Calls `work` as part of no task, whatever called. */
  inRoot<R>(work: () => R): R;
}

/**
 * Where code runs: a host in one of its lives, or one of its child processes.
 *
 * What foreign code has started there, a timer or a request, ends with the place.
 */
export class Place {
  readonly name: string;
  readonly platform: Platform;
  readonly loop: EventLoop;
  /** Ends what runs here, as the program wants it; `null` if the simulation itself runs here. */
  exit: (() => void) | null = null;
  readonly #clock: VirtualClock;
  readonly #note: PlaceOptions["note"];
  readonly #inRoot: PlaceOptions["inRoot"];
  #isAlive = true;
  /** Until when it stands still, in seconds. */
  #pausedUntil = 0;
  readonly #endings: Set<() => void> = new Set();

  constructor({ name, platform, loop, clock, inRoot, note }: PlaceOptions) {
    this.#note = note;
    this.#clock = clock;
    this.name = name;
    this.platform = platform;
    this.loop = loop;
    this.#inRoot = inRoot;
    placesOfLoops.set(loop, this);
  }

  /** Whether it is in the world of `clock`. */
  isIn(clock: VirtualClock): boolean {
    return this.#clock === clock;
  }

  /** Whether it has not ended. */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Until when nothing runs here, in seconds; in the past, if it does. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  /** Adds a line to the trace. */
  note(event: string): void {
    this.#note(this.name, event);
  }

  /** Lets nothing run here until `time`. */
  pause(time: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, time);
  }

  /** Calls `work` here, as the host calls for an event: as part of no task. */
  run<R>(work: () => R): R {
    return this.#inRoot(() => places.run(this, work));
  }

  /** Calls `work` here, as a part of what calls. */
  enter<R>(work: () => R): R {
    return places.run(this, work);
  }

  /**
   * Calls `work` here after `delay` seconds, as an event of the host that goes through the loop.
   *
   * @returns What prevents it.
   */
  later(delay: number, work: () => void): () => void {
    const clock = this.#clock;
    const happen = () => {
      if (this.#pausedUntil > clock.now()) {
        appointment = clock.schedule(this.#pausedUntil, happen);
        return;
      }
      forget();
      if (!this.loop.isClosed()) this.loop[inside.enter](new Step(() => this.run(work)));
    };
    let appointment = clock.schedule(clock.now() + delay, happen);
    const forget = this.onEnd(() => appointment.cancel());
    return () => {
      appointment.cancel();
      forget();
    };
  }

  /** Calls `work` here every so many seconds, as long as anything else happens. Returns what ends that. */
  everyIdle(seconds: number, work: () => void): () => void {
    const cancel = this.#clock[inside.idle](seconds, () => this.run(work));
    const forget = this.onEnd(cancel);
    return () => {
      cancel();
      forget();
    };
  }

  /** Lets timers count that keep nothing going by themselves. Returns what ends that. */
  keepGoing(): () => void {
    const release = this.#clock[inside.keepGoing]();
    const forget = this.onEnd(release);
    return () => {
      release();
      forget();
    };
  }

  /** Calls `ending` when the place ends. Returns what takes that back. */
  onEnd(ending: () => void): () => void {
    this.#endings.add(ending);
    return () => this.#endings.delete(ending);
  }

  /** Ends all that was started here. */
  end(): void {
    this.#isAlive = false;
    for (const ending of this.#endings) ending();
    this.#endings.clear();
  }
}

/**
 * Returns where current code runs: the place of the running loop, else that of the code which has
 * led here; `null` outside of all.
 */
export function currentPlace(): Place | null {
  const loop = findRunningLoop();
  const place = loop === null ? undefined : placesOfLoops.get(loop);
  return place ?? places.getStore() ?? null;
}
