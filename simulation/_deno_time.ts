import { classPatches, type Patch } from "./_patch.ts";
import type { World } from "./_world.ts";

/** What tells the time. */
export function timePatches(): Patch[] {
  const patches: Patch[] = [
    ...classPatches(globalThis, "Date", createDate),
    { target: Date, key: "now", create: (world) => () => world.dateMs },
    ...classPatches(globalThis, "File", createFile),
    ...["append", "set"].map((key): Patch => ({
      target: FormData.prototype,
      key,
      create: createFormDataMethod,
    })),
    { target: Event.prototype, key: "timeStamp", read: createTimeStamps() },
    { target: Intl.DateTimeFormat.prototype, key: "format", read: readFormat },
    { target: Intl.DateTimeFormat.prototype, key: "formatToParts", create: createFormatToParts },
  ];
  if (typeof Temporal !== "undefined") patches.push(...temporalPatches());
  return patches;
}

function createDate(world: World, readOriginal: () => unknown): DateConstructor {
  const RealDate = readOriginal() as DateConstructor;
  function SimulatedDate(...args: unknown[]): unknown {
    if (new.target === undefined) return new RealDate(world.dateMs).toString();
    return Reflect.construct(RealDate, args.length === 0 ? [world.dateMs] : args, new.target);
  }
  // One prototype for both, so that a date made by either is an instance of both.
  SimulatedDate.prototype = RealDate.prototype;
  Object.defineProperty(SimulatedDate, "name", { value: "Date" });
  return Object.setPrototypeOf(SimulatedDate, RealDate);
}

/** A file made without a time is made now. */
function createFile(world: World, readOriginal: () => unknown): unknown {
  const simulated: object = new Proxy(readOriginal() as typeof File, {
    construct(target, args: unknown[], newTarget) {
      const [parts, name, options, ...rest] = args;
      const isTimed = (options as FilePropertyBag | undefined | null)?.lastModified !== undefined;
      const given = isTimed || args.length < 2
        ? args
        : [parts, name, { ...options as FilePropertyBag, lastModified: world.dateMs }, ...rest];
      return Reflect.construct(target, given, newTarget === simulated ? target : newTarget);
    },
  });
  return simulated;
}

/** A form makes a file of a blob. */
function createFormDataMethod(_world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as () => void;
  return function (this: FormData, ...args: unknown[]): void {
    const [name, value, filename = "blob", ...rest] = args;
    const given = value instanceof Blob && !(value instanceof File)
      ? [name, new File([value], String(filename), { type: value.type }), ...rest]
      : args;
    Reflect.apply(original, this, given);
  };
}

/** When an event was made is known to the host only: it tells when it was first asked. */
function createTimeStamps(): (world: World, event: object) => number {
  const times = new WeakMap<object, number>();
  return ({ clock }, event) => {
    const time = times.get(event) ?? clock.now() * 1000;
    times.set(event, time);
    return time;
  };
}

function readFormat({ dateMs }: World, _format: object, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (date?: unknown) => string;
  return (date: unknown = dateMs) => original(date);
}

function createFormatToParts(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (date?: unknown) => Intl.DateTimeFormatPart[];
  return function (this: Intl.DateTimeFormat, date: unknown = world.dateMs) {
    return Reflect.apply(original, this, [date]);
  };
}

/** What `Temporal.Now` tells, made of the time in its zone. */
const TEMPORAL_NOW: Readonly<Record<string, (time: Temporal.ZonedDateTime) => unknown>> = {
  zonedDateTimeISO: (time) => time,
  plainDateTimeISO: (time) => time.toPlainDateTime(),
  plainDateISO: (time) => time.toPlainDate(),
  plainTimeISO: (time) => time.toPlainTime(),
};

function temporalPatches(): Patch[] {
  const target = Temporal.Now;
  const instant = (world: World) => Temporal.Instant.fromEpochMilliseconds(world.dateMs);
  const inZones = Object.entries(TEMPORAL_NOW).map(([key, convert]): Patch => ({
    target,
    key,
    create: (world) => (zone = target.timeZoneId()) => {
      return convert(instant(world).toZonedDateTimeISO(zone));
    },
  }));
  return [{ target, key: "instant", create: (world) => () => instant(world) }, ...inZones];
}
