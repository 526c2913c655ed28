import { classPatches, type Patch } from "./_patch.ts";
import type { World } from "./_world.ts";

/** The methods of `performance` that list entries. */
const LISTS = ["getEntries", "getEntriesByName", "getEntriesByType"];

/** Those that remove them. */
const CLEARS = ["clearMarks", "clearMeasures"];

/** The entries that each world has made. */
const entriesOf: WeakMap<World, Set<PerformanceEntry>> = new WeakMap();

/** `performance`: its clock, and its marks and measures, which the host forgets with the world. */
export function performancePatches(): Patch[] {
  const target = Performance.prototype;
  return [
    { target, key: "now", create: (world) => () => nowMs(world) },
    { target, key: "timeOrigin", read: (world) => originMs(world) },
    { target, key: "toJSON", create: (world) => () => ({ timeOrigin: originMs(world) }) },
    { target, key: "mark", create: createMark },
    { target, key: "measure", create: createMeasure },
    ...LISTS.map((key): Patch => ({ target, key, create: createList })),
    ...CLEARS.map((key): Patch => ({ target, key, create: createClear })),
    ...classPatches(globalThis, "PerformanceMark", createMarkClass),
  ];
}

function nowMs({ clock }: World): number {
  return clock.now() * 1000;
}

/** When `performance.now()` was 0. */
function originMs(world: World): number {
  return world.dateMs - Math.floor(nowMs(world));
}

function createMark(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as Performance["mark"];
  return function (this: Performance, name: string, options?: PerformanceMarkOptions) {
    const given = { startTime: nowMs(world), ...options };
    return remember(world, this, Reflect.apply(original, this, [name, given]));
  };
}

function createMeasure(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as Performance["measure"];
  return function (this: Performance, ...args: unknown[]) {
    return remember(world, this, Reflect.apply(original, this, endNow(world, args)));
  };
}

/** A measure without an end ends now. */
function endNow(world: World, args: unknown[]): unknown[] {
  const [name, start, endMark] = args;
  if (args.length === 0 || endMark !== undefined) return args;
  const end = nowMs(world);
  if (typeof start !== "object" || start === null) return [name, { start: start ?? 0, end }];
  const options = start as PerformanceMeasureOptions;
  const isOpen = options.end === undefined && options.duration === undefined;
  return isOpen && options.start !== undefined ? [name, { ...options, end }] : args;
}

function remember<T extends PerformanceEntry>(world: World, timeline: Performance, entry: T): T {
  const known = entriesOf.get(world);
  if (known !== undefined) known.add(entry);
  else {
    const entries = new Set<PerformanceEntry>([entry]);
    entriesOf.set(world, entries);
    world.leaving.push(() => {
      for (const { name, entryType } of entries) {
        if (entryType === "mark") timeline.clearMarks(name);
        else timeline.clearMeasures(name);
      }
    });
  }
  return entry;
}

function createList(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as () => PerformanceEntry[];
  return function (this: Performance, ...args: unknown[]) {
    const all: PerformanceEntry[] = Reflect.apply(original, this, args);
    return all.filter((entry) => entriesOf.get(world)?.has(entry));
  };
}

/** Removes those of the world, where no name is given. */
function createClear(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (name?: string) => void;
  return function (this: Performance, name?: string): void {
    if (name !== undefined) return Reflect.apply(original, this, [name]);
    for (const { name } of entriesOf.get(world) ?? []) Reflect.apply(original, this, [name]);
  };
}

function createMarkClass(world: World, readOriginal: () => unknown): unknown {
  const simulated: object = new Proxy(readOriginal() as typeof PerformanceMark, {
    construct(target, args: unknown[], newTarget) {
      const [name, options] = args;
      const given = args.length === 0
        ? args
        : [name, { startTime: nowMs(world), ...options as PerformanceMarkOptions }];
      return Reflect.construct(target, given, newTarget === simulated ? target : newTarget);
    },
  });
  return simulated;
}
