import * as inside from "../loop/inside.ts";
import type { DenoEventLoop } from "../loop/deno_event_loop.ts";
import { InvalidStateError } from "../loop/errors/errors.ts";
import type { Future } from "../loop/tasks/future.ts";
import type { Pipes, Platform } from "../loop/platform/platform.ts";
import type { Coroutine } from "../loop/tasks/task.ts";
import { createSimulatedWorkers } from "./_deno_simulated_workers.ts";
import { Faults } from "./_faults.ts";
import { SimulatedSignals } from "./_signals.ts";
import { SimulatedProcesses } from "./_simulated_processes.ts";
import { type World, worlds } from "./_world.ts";
import type { Fault } from "./fault_plan.ts";
import type { LinkConditions } from "./link_conditions.ts";
import type { SeededRandom } from "./seeded_random.ts";
import { SimulatedHost } from "./simulated_host.ts";
import type { SimulatedProgram } from "./simulated_program.ts";
import { SimulatedNetwork } from "./simulated_network.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/**
 * What {@linkcode simulate} runs: a function that returns a coroutine, a promise or a value.
 *
 * @category Simulation
 */
export type SimulationMain<T> = (sim: Simulation) => Coroutine<T> | PromiseLike<T> | T;

/** What is set of a simulation from outside. */
export interface SimulationOptions {
  /** What its network is like. */
  readonly conditions: Partial<LinkConditions> | undefined;
  /** What is to go wrong. */
  readonly faults: readonly Fault[];
}

/** The name of the host that `main` runs on. */
const MAIN_HOST = "main";

/** A simulation has no pipes but those of its children. */
const NO_PIPES: Pipes = { openRead: refusePipe, openWrite: refusePipe };

function refusePipe(): never {
  throw new InvalidStateError("Cannot open a pipe in a simulation: it is a real one");
}

/**
 * A simulated world, as the program in it sees it. Created by {@linkcode simulate}.
 *
 * Its methods may be taken off it: `simulate(({ loop, host }) => …)`.
 *
 * @category Simulation
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
  /** The children of each host in its present life. */
  readonly #processes: Map<string, SimulatedProcesses> = new Map();
  readonly #programs: Map<string, SimulatedProgram> = new Map();

  /** @ignore */
  constructor(world: World, seed: number, { conditions, faults }: SimulationOptions) {
    this.#world = world;
    this.seed = seed;
    this.network = new SimulatedNetwork(world, conditions);
    world.crashed = ({ name }, isKilled) => {
      this.network[inside.crash](name, isKilled);
      this.#processes.get(name)?.killAll();
    };
    world.paused = ({ name }, time) => {
      this.network[inside.pause](name, time);
      this.#processes.get(name)?.pauseAll(time);
    };
    this.clock = world.clock;
    this.random = world.random;
    const main = this.host(MAIN_HOST);
    this.loop = main.loop;
    world.mainPlace = main[inside.place];
    world.faults = new Faults(world, this.network, this.host, faults);
  }

  /**
   * Returns the host called `name`, created when it is first asked for. Its address is the next
   * of 10.0.0.1, 10.0.0.2, and so on; `main` has the first.
   */
  readonly host: (name: string) => SimulatedHost = (name) => {
    let host = this.#hosts.get(name);
    if (host === undefined) {
      this.network[inside.addHost](name, [nextAddress(this.#hosts.size)]);
      const isMain = name === MAIN_HOST;
      const signals = isMain ? this.#world.signals : new SimulatedSignals();
      host = new SimulatedHost(this.#world, name, signals, (host) => this.#createPlatform(host));
      this.#hosts.set(name, host);
    }
    return host;
  };

  /**
   * Says what child processes run whose program is called `name`, on every host. Other programs
   * are not found.
   */
  readonly program: (name: string, main: SimulatedProgram) => void = (name, main) => {
    this.#programs.set(name, main);
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

  /** @ignore The hosts that are up. */
  [inside.hosts](): SimulatedHost[] {
    return [...this.#hosts.values()].filter((host) => host.isUp);
  }

  /** @ignore What the simulation shares. */
  [inside.world](): World {
    return this.#world;
  }

  /** @ignore The run is over: cuts off the hosts that still run. */
  [inside.end](): void {
    for (const host of this[inside.hosts]()) if (host.loop !== this.loop) host.crash();
    for (const processes of this.#processes.values()) processes.killAll();
  }

  #createPlatform(host: SimulatedHost): Platform {
    const world = this.#world;
    const random = world.seeds.derive(`platform of ${host.name}`);
    const network = this.network[inside.networkOf](host.name);
    const common = {
      clock: this.clock,
      random,
      network,
      pipes: NO_PIPES,
      ...createSimulatedWorkers(world, random.derive("workers")),
    };
    const createPlatform = (signals: SimulatedSignals) => ({ ...common, signals, processes });
    const processes: SimulatedProcesses = new SimulatedProcesses({
      world,
      ...this.network[inside.pipesOf](host.name),
      programs: this.#programs,
      createPlatform,
    });
    this.#processes.set(host.name, processes);
    return createPlatform(host[inside.signals]);
  }
}

/** Returns the address of the host after `count` others. */
function nextAddress(count: number): string {
  const number = count + 1;
  return `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
}
