import * as inside from "../loop/inside.ts";
import { DenoEventLoop } from "../loop/deno_event_loop.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { Platform } from "../loop/platform/platform.ts";
import { nameEntry } from "./_entry_name.ts";
import { Place } from "./_place.ts";
import type { SimulatedQueue } from "./_scheduler.ts";
import type { World } from "./_world.ts";

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
    const whole: Platform = { ...platform, createReadyQueue: () => this.#queue };
    this.loop = new DenoEventLoop({ platform: whole });
    this.place = new Place({
      name,
      platform: whole,
      loop: this.loop,
      clock: world.clock,
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
