import type { Run } from "./_run_once.ts";

/** Repetitions of a failed run in each of the two phases, at most. */
const MOST_REPETITIONS = 300;
/** Choices that are tried for a single deviation. */
const MOST_CHOICES = 2;

/** Repeats a run with other deviations. */
type Repeat = (deviations: ReadonlyMap<number, number>) => Promise<Run<unknown>>;

/**
 * Returns fewer deviations with which a run still fails as `failed` did.
 *
 * It leaves out one half, then a quarter, and so on down to single deviations, and keeps what
 * fails still. If more than one is left, it tries whether a single one anywhere does it.
 */
export async function shortenSchedule(
  failed: Run<unknown>,
  repeat: Repeat,
): Promise<ReadonlyMap<number, number>> {
  let repetitions = 0;
  const failsWith = async (deviations: ReadonlyMap<number, number>): Promise<boolean> => {
    repetitions += 1;
    return isAlike(await repeat(deviations), failed);
  };
  const none = new Map<number, number>();
  if (failed.deviations.size === 0 || await failsWith(none)) return none;
  let shortest = failed.deviations;
  for (let size = Math.ceil(shortest.size / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = 0; start < shortest.size && repetitions < MOST_REPETITIONS;) {
      const candidate = without(shortest, start, size);
      if (await failsWith(candidate)) shortest = candidate;
      else start += size;
    }
  }
  return shortest.size <= 1 ? shortest : await findSingle(failed, failsWith) ?? shortest;
}

/** Returns a single deviation that does it, if one is found. */
async function findSingle(
  { decisions }: Run<unknown>,
  failsWith: (deviations: ReadonlyMap<number, number>) => Promise<boolean>,
): Promise<ReadonlyMap<number, number> | null> {
  const last = Math.min(decisions, Math.floor(MOST_REPETITIONS / MOST_CHOICES));
  for (let decision = 0; decision < last; decision += 1) {
    for (let choice = 1; choice <= MOST_CHOICES; choice += 1) {
      const single = new Map([[decision, choice]]);
      if (await failsWith(single)) return single;
    }
  }
  return null;
}

/** Returns `deviations` without `count` of them. */
function without(
  deviations: ReadonlyMap<number, number>,
  start: number,
  count: number,
): ReadonlyMap<number, number> {
  const list = [...deviations];
  list.splice(start, count);
  return new Map(list);
}

/** Whether two runs failed with the same class. The messages may tell of different moments. */
function isAlike({ outcome: one }: Run<unknown>, { outcome: other }: Run<unknown>): boolean {
  return one.failed && other.failed && classOf(one.error) === classOf(other.error);
}

function classOf(error: unknown): unknown {
  try {
    return (error as object | null)?.constructor;
  } catch {
    // A proxy that was revoked, or a getter that throws.
    return undefined;
  }
}
