import type { Patch } from "./_deno_globals.ts";
import type { World } from "./_world.ts";

/** What tells the time. */
export function timePatches(): Patch[] {
  const patches: Patch[] = [
    { target: globalThis, key: "Date", create: createDate },
    {
      target: performance,
      key: "now",
      create: (world) => () => world.clock.now() * 1000,
    },
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
  SimulatedDate.now = () => world.dateMs;
  Object.defineProperty(SimulatedDate, "name", { value: "Date" });
  return Object.setPrototypeOf(SimulatedDate, RealDate);
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
