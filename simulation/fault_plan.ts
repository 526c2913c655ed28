/**
 * Fault plans: what goes wrong in a run, and when, as data.
 *
 * @module
 */
import type { SeededRandom } from "./seeded_random.ts";

/**
 * What can go wrong with a host.
 *
 * - `"crash"`: its power is cut; nobody hears of it.
 * - `"kill"`: its programs end, and its kernel resets their connections.
 * - `"pause"`: nothing runs on it; packets wait.
 * - `"partition"`: no packet reaches it or leaves it.
 * - `"reset"`: its connections break at both ends.
 * - `"slow"`: its packets take a second longer.
 *
 * What has a duration is over after it: a host that crashed or was killed runs again what it ran.
 *
 * @category Simulation
 */
export type FaultKind = "crash" | "kill" | "pause" | "partition" | "reset" | "slow";

/**
 * One thing that goes wrong.
 *
 * @category Simulation
 */
export interface Fault {
  /** When, in simulated seconds. */
  readonly at: number;
  /** What. */
  readonly kind: FaultKind;
  /** The name of the host. */
  readonly host: string;
  /** After how many seconds it is over. */
  readonly duration: number;
}

/**
 * Faults as a failed run prints them, in the order of time: `<at> <kind> <host> <duration>`, with
 * semicolons between: `"5.715 crash orders 0.545; 9.078 partition payments 2.016"`.
 *
 * @category Simulation
 */
export type FaultPlan = string;

/**
 * What the faults of a run are drawn from, by a generator of its own.
 *
 * @category Simulation
 */
export interface FaultOptions {
  /** The names of the hosts that something may happen to. */
  hosts: readonly string[];
  /** How many faults a run has at most; 4 by default. Each has from none to as many. */
  count?: number | undefined;
  /** The seconds within which they happen; 10 by default. */
  within?: number | undefined;
  /** How long one lasts at most, in seconds; 3 by default. */
  longest?: number | undefined;
  /** What may happen; everything by default. */
  kinds?: readonly FaultKind[] | undefined;
}

/** All kinds. */
export const FAULT_KINDS: readonly FaultKind[] = [
  "crash",
  "kill",
  "pause",
  "partition",
  "reset",
  "slow",
];

const DEFAULT_COUNT = 4;
const DEFAULT_WITHIN = 10;
const DEFAULT_LONGEST = 3;

/** Draws the faults of a run, in the order of time. */
export function drawFaults(options: FaultOptions, random: SeededRandom): Fault[] {
  const {
    hosts,
    count = DEFAULT_COUNT,
    within = DEFAULT_WITHIN,
    longest = DEFAULT_LONGEST,
    kinds = FAULT_KINDS,
  } = options;
  const draw = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;
  const faults = Array.from({ length: random.below(count + 1) }, (): Fault => ({
    at: toMilliseconds(random.next() * within),
    kind: draw(kinds),
    host: draw(hosts),
    duration: toMilliseconds(random.next() * longest),
  }));
  return faults.sort((one, other) => one.at - other.at);
}

/** A plan is short to read: its times are those of whole milliseconds. */
function toMilliseconds(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

/** Writes faults as a plan. */
export function formatFaults(faults: readonly Fault[]): FaultPlan {
  return faults.map(({ at, kind, host, duration }) => `${at} ${kind} ${host} ${duration}`).join(
    "; ",
  );
}

/** Reads the faults of a plan. */
export function parseFaults(plan: FaultPlan): Fault[] {
  const items = plan.split(";").map((item) => item.trim()).filter((item) => item !== "");
  return items.map((item) => {
    const [at, kind, host, duration, ...rest] = item.split(/\s+/);
    const fault = {
      at: Number(at),
      kind: kind as FaultKind,
      host: host ?? "",
      duration: Number(duration),
    };
    const isFault = FAULT_KINDS.includes(fault.kind) && rest.length === 0 && fault.at >= 0 &&
      fault.duration >= 0;
    if (isFault) return fault;
    const example = "5.715 crash orders 0.545";
    throw new RangeError(`Cannot use the fault "${item}": expected one such as "${example}"`);
  });
}
