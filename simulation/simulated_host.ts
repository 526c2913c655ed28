import * as inside from "../loop/inside.ts";
import { checkArgument, SECONDS } from "../loop/values/check_options.ts";
import { CancelledError, InvalidStateError } from "../loop/errors/errors.ts";
import type { DenoEventLoop } from "../loop/deno_event_loop.ts";
import type { Future } from "../loop/tasks/future.ts";
import type { Platform } from "../loop/platform/platform.ts";
import type { Coroutine, Task } from "../loop/tasks/task.ts";
import type { Place } from "./_place.ts";
import { SimulatedProcess } from "./_simulated_process.ts";
import type { SimulatedSignals } from "./_signals.ts";
import { isInstance } from "./_is_instance.ts";
import type { World } from "./_world.ts";

/** What runs on a host between its start and its crash. */
interface Boot {
  readonly process: SimulatedProcess;
  /** What {@linkcode SimulatedHost.run} has given out. */
  readonly runs: Set<Future<unknown>>;
}

/**
 * A computer of a simulated world, with an event loop and an address of its own.
 *
 * Created by `sim.host()`. A crash ends all that runs on it where it stands: no `finally` block
 * runs, no connection is closed, and its peers hear nothing.
 *
 * @category Simulation
 */
export class SimulatedHost {
  /** The name, which the other hosts resolve. */
  readonly name: string;
  /** @ignore Who listens for signals. */
  readonly [inside.signals]: SimulatedSignals;
  readonly #world: World;
  readonly #createPlatform: (host: SimulatedHost) => Platform;
  #boot: Boot | null = null;
  /** What the host was last told to run. */
  #main: (() => unknown) | null = null;

  /** @ignore */
  constructor(
    world: World,
    name: string,
    signals: SimulatedSignals,
    createPlatform: (host: SimulatedHost) => Platform,
  ) {
    this.#world = world;
    this.name = name;
    this[inside.signals] = signals;
    this.#createPlatform = createPlatform;
  }

  /** Whether the host runs. */
  get isUp(): boolean {
    return this.#boot !== null;
  }

  /** The loop of the host, a new one after each crash; it is created when it is first needed. */
  get loop(): DenoEventLoop {
    return this.#start().process.loop;
  }

  /** @ignore Where its code runs, in its present life. */
  get [inside.place](): Place {
    return this.#start().process.place;
  }

  /**
   * Runs `main` as a task of this host.
   *
   * @param main A function that returns a coroutine, a promise or a value.
   * @returns A future of the calling loop. It is cancelled by a crash, and cancelling it cancels
   * the task.
   */
  run<T>(main: () => Coroutine<T> | PromiseLike<T> | T): Future<T> {
    const caller = this.#world.mainLoop;
    const { process, runs } = this.#start();
    process.start();
    this.#main = main;
    const task = process.place.enter(() => {
      return process.loop.createTask(main, { name: `main of ${this.name}` });
    });
    const future = caller.createFuture<T>();
    runs.add(future as Future<unknown>);
    task.addDoneCallback(() => {
      runs.delete(future as Future<unknown>);
      settleAs(future, task);
    });
    future.addDoneCallback(() => {
      if (future.cancelled()) task.cancel();
    });
    return future;
  }

  /**
   * Sends `signal` to the processes of the host.
   *
   * @returns Whether anybody listened. A real process would have ended if not.
   */
  signal(signal: Deno.Signal): boolean {
    return this[inside.signals].send(signal);
  }

  /**
   * Ends all that runs on the host, at once and in silence. Idempotent.
   *
   * @throws {InvalidStateError} If it is the host that the simulation itself runs on.
   */
  crash(): void {
    this.#die("crash");
  }

  /**
   * Ends the programs of the host, at once, as `SIGKILL` does: no `finally` block runs, but its kernel
   * resets their connections, and their peers learn of it. Idempotent.
   *
   * @throws {InvalidStateError} If it is the host that the simulation itself runs on.
   */
  kill(): void {
    this.#die("kill");
  }

  /**
   * Lets nothing run on the host for a while: neither tasks nor timers go on, and what comes waits.
   * Time passes all the same, as for a program that the system has put aside.
   *
   * @param seconds How long. A host that is down is not paused.
   * @throws {InvalidStateError} If it is the host that the simulation itself runs on.
   */
  pause(seconds: number): void {
    checkArgument("pause a host", "seconds", seconds, SECONDS);
    const boot = this.#boot;
    if (boot === null) return;
    this.#checkOther("pause");
    this.#world.note(this.name, `pause ${seconds}`);
    const until = this.#world.clock.now() + seconds;
    this.#world.paused(this, until);
    boot.process.pause(until);
  }

  /** Whether there is something that {@linkcode restart} runs again. */
  get canRestart(): boolean {
    return this.#main !== null;
  }

  /**
   * Crashes the host if it is up, starts it, and runs again what it ran last.
   *
   * @throws {InvalidStateError} If it never ran anything.
   */
  restart(): Future<unknown> {
    if (this.#main === null) {
      throw new InvalidStateError(`Cannot restart host "${this.name}": it never ran anything`);
    }
    this.crash();
    return this.run(this.#main);
  }

  #die(how: "crash" | "kill"): void {
    const boot = this.#boot;
    if (boot === null) return;
    this.#checkOther(how);
    this.#boot = null;
    this.#world.note(this.name, how);
    this.#world.crashed(this, how === "kill");
    boot.process.kill();
    for (const future of boot.runs) future.cancel(`Host "${this.name}" crashed`);
  }

  #checkOther(how: string): void {
    if (this.#boot?.process.loop !== this.#world.mainLoop) return;
    throw new InvalidStateError(`Cannot ${how} host "${this.name}": the simulation runs on it`);
  }

  #start(): Boot {
    if (this.#boot !== null) return this.#boot;
    const process = new SimulatedProcess(this.#world, this.name, this.#createPlatform(this));
    // The first host is that of the simulation itself.
    if (this.#world.mainPlace !== null) process.place.exit = () => this.kill();
    return this.#boot = { process, runs: new Set() };
  }
}

function settleAs<T>(future: Future<T>, task: Task<T>): void {
  if (future.done()) return;
  try {
    future.setResult(task.result());
  } catch (error) {
    if (isInstance(error, CancelledError)) future.cancel(error.message);
    else future.setException(error);
  }
}
