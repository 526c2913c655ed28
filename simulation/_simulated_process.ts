import * as inside from "../loop/inside.ts";
import { DenoEventLoop } from "../loop/deno_event_loop.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { Clock, ClockAlarm, Platform } from "../loop/platform/platform.ts";
import { nameEntry } from "./_entry_name.ts";
import { Place } from "./_place.ts";
import type { SimulatedQueue } from "./_scheduler.ts";
import type { World } from "./_world.ts";

/** The clock of one process: it rings no alarm while the process stands still. */
class PausableClock implements Clock {
  readonly #clock: Clock;
  readonly #pausedUntil: () => number;

  constructor(clock: Clock, pausedUntil: () => number) {
    this.#clock = clock;
    this.#pausedUntil = pausedUntil;
  }

  now(): number {
    return this.#clock.now();
  }

  soon(wake: () => void): void {
    this.#clock.soon(wake);
  }

  createAlarm(ring: () => void, idle: () => void, deadline?: () => number): ClockAlarm {
    if (deadline === undefined) return this.#clock.createAlarm(ring, idle);
    return this.#clock.createAlarm(ring, idle, () => Math.max(deadline(), this.#pausedUntil()));
  }
}

/** A loop of its own that can be ended where it stands. */
export class SimulatedProcess {
  /** What runs in it. */
  readonly loop: DenoEventLoop;
  /** Where its code runs. */
  readonly place: Place;
  readonly #world: World;
  readonly #name: string;
  readonly #queue: SimulatedQueue;

  /** Creates it on what `platform` has. `name` stands in the trace. */
  constructor(world: World, name: string, platform: Omit<Platform, "createReadyQueue">) {
    this.#world = world;
    this.#name = name;
    this.#queue = world.scheduler.createQueue((entry) => {
      world.countStep();
      if (world.trace !== null) world.note(name, nameEntry(entry));
    });
    const whole: Platform = {
      ...platform,
      clock: new PausableClock(platform.clock, () => this.place.pausedUntil),
      createReadyQueue: () => this.#queue,
    };
    this.loop = new DenoEventLoop({ platform: whole });
    this.place = new Place({
      name,
      platform: whole,
      loop: this.loop,
      clock: world.clock,
      note: (host, event) => world.note(host, event),
      inRoot: (work) => world.inRoot(work),
    });
    this.loop.setExceptionHandler((_loop: EventLoop, context) => {
      // `undefined` may be what was thrown.
      world.fail("exception" in context ? context.exception : new Error(context.message));
    });
  }

  /** Runs the loop until it is killed, unless it runs already. */
  start(): void {
    if (this.loop.isRunning()) return;
    this.place.run(() => this.loop.runForever()).then(
      () => this.loop.close(),
      (error) => this.#world.stuck.set(this.#name, error),
    );
  }

  /** Lets nothing run until `time`. */
  pause(time: number): void {
    this.place.pause(time);
  }

  /** Ends everything: no `finally` block runs. What is open is closed as the kernel does it. */
  kill(): void {
    this.loop.setExceptionHandler(() => {});
    this.loop[inside.tasks].clear();
    this.#queue.kill();
    this.place.end();
    if (this.loop.isRunning()) this.loop.stop();
    else this.loop.close();
  }
}
