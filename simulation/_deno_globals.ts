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
import { isInstance } from "./_is_instance.ts";
import type { Gate, Patch } from "./_patch.ts";
import { type Web, type World, worlds } from "./_world.ts";

/** What a simulation has in place of the originals. */
interface Globals {
  /** What was made when it was first asked for. */
  readonly created: Map<Patch, unknown>;
  /** What the program has put in its place. */
  readonly assigned: Map<Patch, unknown>;
}

/** The simulations that run. */
const running: Set<World> = new Set();
/** What each has of its own. What goes on after its end reaches the real world by none of them. */
const globalsOf: WeakMap<World, Globals> = new WeakMap();
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

/** What every simulation replaces; the list is made once. */
let patches: readonly Patch[] | null = null;
let gates: readonly Gate[] | null = null;

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
  gates ??= realityGates();
  installAll(patches, gates, () => restore.push(replaceImports()));
  globalThis.addEventListener("unhandledrejection", onUnhandledRejection);
  globalThis.addEventListener("error", onUncaughtError);
}

/** Adds what the web replaces besides, once. */
function installWeb(web: Web | null): void {
  if (web === null || webs.has(web)) return;
  webs.add(web);
  installAll(web.patches(), web.gates(), () => {});
}

/** Puts all `patches` in place, or none. */
function installAll(
  patches: readonly Patch[],
  gates: readonly Gate[],
  andThen: () => void,
): void {
  const before = restore.length;
  try {
    for (const patch of patches) restore.push(apply(patch));
    for (const gate of gates) restore.push(close(gate));
    noteReplaced(patches);
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
      if (globals.assigned.has(patch)) return globals.assigned.get(patch);
      if (patch.read !== undefined) return patch.read(world, this, () => readOriginal(this));
      const own = ownOf(world, patch, readOriginal);
      return typeof own === "function" ? dispatcherOf(patch, readOriginal) : own;
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
      else if (globals !== undefined) globals.assigned.set(patch, value);
      else descriptor = { ...own, enumerable: descriptor?.enumerable ?? true };
    },
  });
  return () => {
    if (descriptor === undefined) Reflect.deleteProperty(target, key);
    else Object.defineProperty(target, key, descriptor);
  };
}

/** Returns what `world` has in place of the original, which is made the first time. */
function ownOf(world: World, patch: Patch, readOriginal: () => unknown): unknown {
  const created = globalsOf.get(world)?.created;
  if (created === undefined) return readOriginal();
  if (!created.has(patch)) created.set(patch, patch.create?.(world, readOriginal));
  return created.get(patch);
}

/** A function, or a class. */
type Callable = (...args: unknown[]) => unknown;

/** What programs hold in place of functions and classes: one for all simulations. */
const dispatchers: WeakMap<Patch, Callable> = new WeakMap();
const originals: WeakMap<Patch, () => unknown> = new WeakMap();

/**
 * Returns the function that calls what belongs to the caller's world. Modules keep functions, such as
 * `const { fetch } = globalThis`, and live for longer than the simulation that has loaded them.
 */
function dispatcherOf(patch: Patch, readOriginal: () => unknown): Callable {
  originals.set(patch, readOriginal);
  const known = dispatchers.get(patch);
  if (known !== undefined) return known;
  const current = (): Callable => {
    const world = worlds.getStore();
    const read = originals.get(patch) ?? readOriginal;
    return (world === undefined ? read() : ownOf(world, patch, read)) as Callable;
  };
  if (/^[A-Z]/.test(nameOf(patch))) {
    const dispatcher = dispatchClass(current);
    dispatchers.set(patch, dispatcher);
    return dispatcher;
  }
  const dispatcher = function (this: unknown, ...args: unknown[]): unknown {
    return Reflect.apply(current(), this, args);
  };
  copyKeys(dispatcher, current);
  dispatchers.set(patch, dispatcher);
  return dispatcher;
}

/** What hangs on a function, such as `hrtime.bigint`, hangs on what stands for it. */
function copyKeys(dispatcher: Callable, current: () => Callable): void {
  for (const key of Reflect.ownKeys(current())) {
    if (Object.hasOwn(dispatcher, key)) continue;
    Object.defineProperty(dispatcher, key, {
      configurable: true,
      get: () => Reflect.get(current(), key),
    });
  }
}

/** Returns the name of what is replaced; methods of timers have none. */
function nameOf({ key }: { key: string | symbol }): string {
  return typeof key === "string" ? key : "";
}

function dispatchClass(current: () => Callable): Callable {
  const dispatcher: Callable = new Proxy(function () {} as Callable, {
    apply: (_, self, args) => Reflect.apply(current(), self, args),
    construct(_, args, newTarget) {
      const own = current();
      return Reflect.construct(own, args, newTarget === dispatcher ? own : newTarget);
    },
    get: (_, key) => Reflect.get(current(), key),
    set: (_, key, value) => Reflect.set(current(), key, value),
    has: (_, key) => Reflect.has(current(), key),
    getPrototypeOf: () => Reflect.getPrototypeOf(current()),
  });
  return dispatcher;
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
