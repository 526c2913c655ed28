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
 * What a program reads there is one function for all simulations, which calls what belongs to its caller's:
 * modules keep functions, and outlive the simulation that has loaded them.
 *
 * Code that has kept an original (`const { now } = Date`) before a simulation escapes, and so do named
 * imports of `node:` modules from before: nothing can be done about that. Modules that are imported in a
 * simulation have others in place of those (_deno_modules.ts). Three things are the host's own and stay: its
 * time zone, its languages, and what it says of its machine, but for its name.
 *
 * @module
 */
import * as inside from "../loop/inside.ts";
import { keepContext, outsideOfLoops } from "../loop/event_loop.ts";
import { CancelledError } from "../loop/errors/errors.ts";
import { chancePatches } from "./_deno_chance.ts";
import { effectPatches } from "./_deno_effects.ts";
import { hostWorkPatches } from "./_deno_host_work.ts";
import { replaceImports } from "./_deno_imports.ts";
import { handlePatches } from "./_deno_handles.ts";
import { noteReplaced } from "./_deno_modules.ts";
import { performancePatches } from "./_deno_performance.ts";
import { realityGates, realityPatches } from "./_deno_reality.ts";
import { timePatches } from "./_deno_time.ts";
import { timerPatches } from "./_deno_timers.ts";
import { whenPromisesRest } from "./_deno_turn.ts";
import { type Callable, GlobalSlot, globalsOf } from "./_global_slot.ts";
import { isInstance } from "./_is_instance.ts";
import type { Gate, Patch } from "./_patch.ts";
import { type Web, type World, worlds } from "./_world.ts";

/** The simulations that run. */
const running: Set<World> = new Set();
/** What puts the originals back. */
let restore: (() => void)[] = [];
/** What serves the web in those that run, and has its patches in place. */
const webs: Set<Web> = new Set();

/** Calls `work` inside `world`. */
export async function runInside<T>(world: World, work: () => Promise<T>): Promise<T> {
  if (running.size === 0) install();
  running.add(world);
  globalsOf.set(world, { created: new Map(), assigned: new Map() });
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

/** What simulations replace, and refuse: made once. */
interface Replacements {
  readonly slots: readonly GlobalSlot[];
  readonly gates: readonly Gate[];
}

/** That of every simulation. */
let common: Replacements | null = null;
/** What the web replaces besides. */
const ofWebs: WeakMap<Web, Replacements> = new WeakMap();

function prepare(patches: readonly Patch[], gates: readonly Gate[]): Replacements {
  noteReplaced(patches);
  return { slots: patches.map((patch) => new GlobalSlot(patch)), gates };
}

function install(): void {
  common ??= prepare([
    ...timePatches(),
    ...performancePatches(),
    ...timerPatches(),
    ...chancePatches(),
    ...effectPatches(),
    ...hostWorkPatches(),
    ...realityPatches(),
    ...handlePatches(),
  ], realityGates());
  installAll(common, () => restore.push(replaceImports()));
  globalThis.addEventListener("unhandledrejection", onUnhandledRejection);
  globalThis.addEventListener("error", onUncaughtError);
}

/** Adds what the web replaces besides, once. */
function installWeb(web: Web | null): void {
  if (web === null || webs.has(web)) return;
  webs.add(web);
  const replacements = ofWebs.get(web) ?? prepare(web.patches(), web.gates());
  ofWebs.set(web, replacements);
  installAll(replacements, () => {});
}

/** Puts all in place, or nothing. */
function installAll({ slots, gates }: Replacements, andThen: () => void): void {
  const before = restore.length;
  try {
    for (const slot of slots) {
      slot.install();
      restore.push(() => slot.restore());
    }
    for (const gate of gates) restore.push(close(gate));
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

/** Puts a gate before the constructor of a class. Returns what undoes that. */
function close({ gated, refuse }: Gate): () => void {
  const parent: Callable = Object.getPrototypeOf(gated);
  const gate = new Proxy(parent, {
    construct(_, args, newTarget) {
      const world = worlds.getStore();
      return world !== undefined && globalsOf.has(world)
        ? refuse()
        : Reflect.construct(parent, args, newTarget);
    },
  });
  Object.setPrototypeOf(gated, gate);
  return () => void Object.setPrototypeOf(gated, parent);
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
