import type {
  WorkerLink,
  WorkerProcesses,
  Workers,
  WorkerSink,
} from "../loop/platform/worker_platform.ts";
import type { SeededRandom } from "./seeded_random.ts";
import type { World } from "./_world.ts";

/** Workers of a simulated host run at the same time. */
const CONCURRENCY = 4;
/** A message takes up to this long, in seconds. */
const LONGEST_WAY = 0.000_1;

/**
 * Creates workers that run in this isolate, in simulated time.
 *
 * Their messages are cloned as those of real ones, and take a random while. What a job computes
 * takes no time. Jobs share the globals of the program, which real workers do not.
 */
export function createSimulatedWorkers(
  world: World,
  random: SeededRandom,
): { workers: Workers; workerProcesses: WorkerProcesses } {
  const start = (source: string, _options: unknown, sink: WorkerSink) => {
    return new SimulatedWorker(world, random, source, sink);
  };
  return {
    workers: { hardwareConcurrency: CONCURRENCY, start, errorClass },
    workerProcesses: { start },
  };
}

function errorClass(name: string): (abstract new (message?: string) => Error) | null {
  const classes = Deno.errors as Record<string, abstract new (message?: string) => Error>;
  return Object.hasOwn(classes, name) ? classes[name] ?? null : null;
}

class SimulatedWorker implements WorkerLink {
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #sink: WorkerSink;
  /** When the last message of each direction arrives: messages keep their order. */
  readonly #last = { in: 0, out: 0 };
  #onMessage: (message: unknown) => void = () => {};
  #hasEnded = false;

  constructor(world: World, random: SeededRandom, source: string, sink: WorkerSink) {
    this.#world = world;
    this.#random = random;
    this.#sink = sink;
    this.#later("in", () => this.#run(source));
  }

  post(message: unknown, transfer: Transferable[] = []): void {
    const copy = structuredClone(message, { transfer });
    this.#later("in", () => this.#onMessage(copy));
  }

  terminate(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#sink.ended("was terminated", undefined);
  }

  #run(source: string): void {
    // A worker has a scope of its own, and loads modules while simulated time stands still.
    const text = source.replaceAll(/\bimport\(/g, "importModule(");
    const create = new Function("importModule", `return (${text});`);
    create((url: string) => import(url).finally(this.#world.clock.hold()))({
      post: (message: unknown, transfer: Transferable[] = []) => {
        const copy = structuredClone(message, { transfer });
        this.#later("out", () => this.#sink.received(copy));
      },
      receive: (callback: (message: unknown) => void) => {
        this.#onMessage = callback;
      },
      runAs: (_id: number, work: () => void) => work(),
      // What fails beside a job fails in the program, and so ends the simulation.
      onStray: () => {},
    });
  }

  /** Calls `happen` after a while, unless the worker has ended by then. */
  #later(direction: "in" | "out", happen: () => void): void {
    const { clock } = this.#world;
    const arrival = Math.max(
      this.#last[direction],
      clock.now() + LONGEST_WAY * this.#random.next(),
    );
    this.#last[direction] = arrival;
    clock.schedule(arrival, () => this.#hasEnded || happen());
  }
}
