import type { DenoEventLoop } from "../loop/deno_event_loop.ts";
import type { Future } from "../loop/future.ts";
import type { Platform } from "../loop/platform.ts";
import type { Coroutine } from "../loop/task.ts";
import { SimulatedSignals } from "./_signals.ts";
import { type World, worlds } from "./_world.ts";
import type { LinkConditions } from "./link_conditions.ts";
import type { SeededRandom } from "./seeded_random.ts";
import { SimulatedHost } from "./simulated_host.ts";
import { SimulatedNetwork } from "./simulated_network.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** What {@linkcode simulate} runs: a function that returns a coroutine, a promise or a value. */
export type SimulationMain<T> = (sim: Simulation) => Coroutine<T> | PromiseLike<T> | T;

/** The name of the host that `main` runs on. */
const MAIN_HOST = "main";

/**
 * A simulated world, as the program in it sees it. Created by {@linkcode simulate}.
 *
 * Its methods may be taken off it: `simulate(({ loop, host }) => …)`.
 */
export class Simulation {
  /** The seed of the run. */
  readonly seed: number;
  /** The loop that `main` runs on. */
  readonly loop: DenoEventLoop;
  /** The time of all hosts. */
  readonly clock: VirtualClock;
  /** The network between the hosts. */
  readonly network: SimulatedNetwork;
  /** Chance for the program's own use; the same as `Math.random()` inside of the simulation. */
  readonly random: SeededRandom;
  readonly #world: World;
  readonly #hosts: Map<string, SimulatedHost> = new Map();

  /** @internal */
  constructor(world: World, seed: number, conditions?: Partial<LinkConditions>) {
    this.#world = world;
    this.seed = seed;
    this.network = new SimulatedNetwork(world, conditions);
    world.crashed = ({ name }) => this.network._crash(name);
    this.clock = world.clock;
    this.random = world.random;
    const main = this.host(MAIN_HOST);
    this.loop = main.loop;
    world.mainLoop = () => this.loop;
  }

  /**
   * Returns the host called `name`, created when it is first asked for. Its address is the next
   * of 10.0.0.1, 10.0.0.2, and so on; `main` has the first.
   */
  readonly host: (name: string) => SimulatedHost = (name) => {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      this.network._addHost(name, [nextAddress(this.#hosts.size)]);
      const isMain = name === MAIN_HOST;
      const signals = isMain ? this.#world.signals : new SimulatedSignals();
      host = new SimulatedHost(this.#world, name, signals, (host) => this.#createPlatform(host));
      this.#hosts.set(name, host);
    }
    return host;
  };

  /**
   * Sends `signal` to the process that `main` runs in.
   *
   * @returns Whether anybody listened. A real process would have ended if not.
   */
  readonly signal: (signal: Deno.Signal) => boolean = (signal) => {
    return this.#world.signals.send(signal);
  };

  /** Adds a line to the trace of the run, if there is one. */
  readonly note: (event: string) => void = (event) => this.#world.note(MAIN_HOST, event);

  /**
   * Calls `work` in the real world, and lets simulated time stand still until its promise settles.
   * For what a test has to fetch from outside, such as a file: its result must be the same in
   * every run.
   */
  readonly outside: <T>(work: () => PromiseLike<T>) => Future<T> = <T>(
    work: () => PromiseLike<T>,
  ) => {
    const future = this.loop.createFuture<T>();
    const release = this.clock.hold();
    const promise = worlds.run(undefined, async () => await work());
    promise.then(
      (value) => future.done() || future.setResult(value),
      (error) => future.done() || future.setException(error),
    ).finally(release);
    return future;
  };

  /** @internal The hosts that are up. */
  _hosts(): SimulatedHost[] {
    return [...this.#hosts.values()].filter((host) => host.isUp);
  }

  /** @internal The run is over: cuts off the hosts that still run. */
  _end(): void {
    for (const host of this._hosts()) if (host.loop !== this.loop) host.crash();
  }

  #createPlatform(host: SimulatedHost): Partial<Platform> {
    const world = this.#world;
    const random = world.seeds.derive(`platform of ${host.name}`);
    const signals = host._signals;
    const network = this.network._networkOf(host.name);
    return { clock: this.clock, random, signals, network };
  }
}

/** Returns the address of the host after `count` others. */
function nextAddress(count: number): string {
  const number = count + 1;
  return `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
}
