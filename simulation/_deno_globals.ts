/**
 * The globals that a program could tell the simulated world from the real one by.
 *
 * *Theory of operation.* While a simulation runs, the properties of the global scope that give
 * time, chance or the real world are accessors. Who reads one inside of a simulation, which
 * follows `await`, gets that simulation's own; everybody else gets the original. After the last
 * simulation the originals are put back.
 *
 * Code that has kept an original (`const { now } = Date`) escapes, and so does what is imported
 * from `node:` modules: nothing can be done about that.
 *
 * @module
 */
import { CancelledError } from "../loop/errors.ts";
import { chancePatches } from "./_deno_chance.ts";
import { realityPatches } from "./_deno_reality.ts";
import { timePatches } from "./_deno_time.ts";
import { timerPatches } from "./_deno_timers.ts";
import { type World, worlds } from "./_world.ts";

/** A global that simulations have their own of. */
export interface Patch {
  /** The object that has it. */
  readonly target: object;
  /** Its name there. */
  readonly key: string;
  /** Creates the one of `world`, once, when it is first read there. */
  create(world: World, readOriginal: () => unknown): unknown;
}

/** The simulations that run, with the globals that each has read. */
const running: Map<World, Map<Patch, unknown>> = new Map();
/** What puts the originals back. */
let restore: (() => void)[] = [];

/** Calls `work` inside `world`. */
export async function runInside<T>(world: World, work: () => Promise<T>): Promise<T> {
  if (running.size === 0) install();
  running.set(world, new Map());
  try {
    return await worlds.run(world, work);
  } finally {
    running.delete(world);
    if (running.size === 0) uninstall();
  }
}

function install(): void {
  const patches = [...timePatches(), ...timerPatches(), ...chancePatches(), ...realityPatches()];
  restore = patches.map(apply);
  globalThis.addEventListener("unhandledrejection", onUnhandledRejection);
}

function uninstall(): void {
  globalThis.removeEventListener("unhandledrejection", onUnhandledRejection);
  for (const undo of restore) undo();
  restore = [];
}

/** Makes the property an accessor. Returns what undoes that. */
function apply(patch: Patch): () => void {
  const { target, key } = patch;
  const descriptor = Object.getOwnPropertyDescriptor(target, key);
  const inherited = descriptor === undefined ? Reflect.get(target, key) : undefined;
  const readOriginal = (receiver: unknown = target): unknown => {
    return descriptor?.get?.call(receiver) ?? descriptor?.value ?? inherited;
  };
  Object.defineProperty(target, key, {
    configurable: true,
    enumerable: descriptor?.enumerable ?? true,
    get(): unknown {
      const world = worlds.getStore();
      const globals = world && running.get(world);
      if (world === undefined || globals === undefined) return readOriginal(this);
      if (!globals.has(patch)) globals.set(patch, patch.create(world, readOriginal));
      return globals.get(patch);
    },
    set(value: unknown): void {
      Object.defineProperty(target, key, { configurable: true, writable: true, value });
    },
  });
  return () => {
    if (descriptor === undefined) Reflect.deleteProperty(target, key);
    else Object.defineProperty(target, key, descriptor);
  };
}

/** A rejected promise that nobody handles fails the simulation, if only one runs. */
function onUnhandledRejection(event: PromiseRejectionEvent): void {
  if (event.reason instanceof CancelledError) return event.preventDefault();
  const [world, another] = running.keys();
  if (world === undefined || another !== undefined) return;
  event.preventDefault();
  world.fail(event.reason);
}
