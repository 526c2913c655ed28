/**
 * The globals that a program could tell the simulated world from the real one by.
 *
 * *Theory of operation.* While a simulation runs, the properties of the global scope that give
 * time, chance or the real world are accessors. Who reads one inside of a simulation, which
 * follows `await`, gets that simulation's own; everybody else gets the original. After the last
 * simulation the originals are put back.
 *
 * What the host answers later lets simulated time stand still until it has, or is refused: else time
 * would go on while the host works, as far as chance has it.
 *
 * Code that has kept an original (`const { now } = Date`) escapes, and so does what is imported
 * from `node:` modules: nothing can be done about that. Three things are the host's own and stay: its
 * time zone, its languages, and what it says of its machine.
 *
 * @module
 */
import * as inside from "../loop/inside.ts";
import { keepContext, outsideOfLoops } from "../loop/event_loop.ts";
import { CancelledError } from "../loop/errors/errors.ts";
import { chancePatches } from "./_deno_chance.ts";
import { effectPatches } from "./_deno_effects.ts";
import { hostWorkPatches } from "./_deno_host_work.ts";
import { holdTimeForImports } from "./_deno_imports.ts";
import { handlePatches } from "./_deno_handles.ts";
import { performancePatches } from "./_deno_performance.ts";
import { realityPatches } from "./_deno_reality.ts";
import { timePatches } from "./_deno_time.ts";
import { timerPatches } from "./_deno_timers.ts";
import { whenPromisesRest } from "./_deno_turn.ts";
import { isInstance } from "./_is_instance.ts";
import type { Patch } from "./_patch.ts";
import { type Web, type World, worlds } from "./_world.ts";

/** The simulations that run. */
const running: Set<World> = new Set();
/** The globals that each has read. What goes on after its end reaches the real world by none of them. */
const globalsOf: WeakMap<World, Map<Patch, unknown>> = new WeakMap();
/** What puts the originals back. */
let restore: (() => void)[] = [];
/** What serves the web in those that run, and has its patches in place. */
const webs: Set<Web> = new Set();

/** Calls `work` inside `world`. */
export async function runInside<T>(world: World, work: () => Promise<T>): Promise<T> {
  if (running.size === 0) install();
  running.add(world);
  globalsOf.set(world, new Map());
  try {
    installWeb(world.web);
    // The caller may be a part of another simulation, or carry what is left of one.
    return await outsideOfLoops(() =>
      worlds.run(world, () => {
        world.inRoot = keepContext();
        world.clock[inside.runIn](world.inRoot);
        world.clock[inside.rested](() => world.letTimePass());
        return work();
      })
    );
  } finally {
    world.mainPlace?.end();
    // What Node has put off to its next tick belongs to the simulation.
    await new Promise<void>((resolve) => whenPromisesRest(resolve));
    running.delete(world);
    for (const forget of world.leaving) forget();
    if (running.size === 0) uninstall();
  }
}

/** What every simulation replaces; the list is made once. */
let patches: readonly Patch[] | null = null;

function install(): void {
  patches ??= [
    ...timePatches(),
    ...performancePatches(),
    ...timerPatches(),
    ...chancePatches(),
    ...effectPatches(),
    ...hostWorkPatches(),
    ...realityPatches(),
    ...handlePatches(),
  ];
  installAll(patches, () => restore.push(holdTimeForImports()));
  globalThis.addEventListener("unhandledrejection", onUnhandledRejection);
  globalThis.addEventListener("error", onUncaughtError);
}

/** Adds what the web replaces besides, once. */
function installWeb(web: Web | null): void {
  if (web === null || webs.has(web)) return;
  webs.add(web);
  installAll(web.patches(), () => {});
}

/** Puts all `patches` in place, or none. */
function installAll(patches: readonly Patch[], andThen: () => void): void {
  const before = restore.length;
  try {
    for (const patch of patches) restore.push(apply(patch));
    andThen();
  } catch (error) {
    for (const undo of restore.splice(before).reverse()) undo();
    throw error;
  }
}

function uninstall(): void {
  globalThis.removeEventListener("unhandledrejection", onUnhandledRejection);
  globalThis.removeEventListener("error", onUncaughtError);
  // The last first: two patches may be of one property.
  for (const undo of restore.reverse()) undo();
  restore = [];
  webs.clear();
}

/** Makes the property an accessor. Returns what undoes that. */
function apply(patch: Patch): () => void {
  const { target, key } = patch;
  let descriptor = Object.getOwnPropertyDescriptor(target, key);
  const inherited = descriptor === undefined ? Reflect.get(target, key) : undefined;
  const readOriginal = (receiver: unknown = target): unknown => {
    return descriptor?.get?.call(receiver) ?? descriptor?.value ?? inherited;
  };
  Object.defineProperty(target, key, {
    configurable: true,
    enumerable: descriptor?.enumerable ?? true,
    get(): unknown {
      const world = worlds.getStore();
      const globals = world && globalsOf.get(world);
      if (world === undefined || globals === undefined) return readOriginal(this);
      if (globals.has(patch)) return globals.get(patch);
      if (patch.read !== undefined) return patch.read(world, this, () => readOriginal(this));
      globals.set(patch, patch.create?.(world, readOriginal));
      return globals.get(patch);
    },
    set(value: unknown): void {
      const world = worlds.getStore();
      const globals = world && globalsOf.get(world);
      const own: PropertyDescriptor = {
        configurable: true,
        enumerable: true,
        writable: true,
        value,
      };
      // As without the accessor: what inherits the property gets one of its own.
      if (this !== target) Object.defineProperty(this, key, own);
      // A program in a simulation changes the global of its world.
      else if (globals !== undefined) globals.set(patch, value);
      else descriptor = { ...own, enumerable: descriptor?.enumerable ?? true };
    },
  });
  return () => {
    if (descriptor === undefined) Reflect.deleteProperty(target, key);
    else Object.defineProperty(target, key, descriptor);
  };
}

/** What code throws that nobody has called, such as a listener in a tick of Node, fails it too. */
function onUncaughtError(event: ErrorEvent): void {
  const [world, another] = running;
  if (world === undefined || another !== undefined) return;
  event.preventDefault();
  world.fail(event.error);
}

/** A rejected promise that nobody handles fails the simulation, if only one runs. */
function onUnhandledRejection(event: PromiseRejectionEvent): void {
  if (isInstance(event.reason, CancelledError)) return event.preventDefault();
  const [world, another] = running;
  if (world === undefined || another !== undefined) return;
  event.preventDefault();
  world.fail(event.reason);
}
