import type { Run } from "./_run_once.ts";
import { type Budget, shortenList } from "./_shorten.ts";

/** Repetitions of a failed run in each of the phases, at most. */
const MOST_REPETITIONS = 300;
/** Choices that are tried for a single deviation. */
const MOST_CHOICES = 2;

/** Repeats a run with other deviations. */
type Repeat = (deviations: ReadonlyMap<number, number>) => Promise<Run<unknown>>;

/**
 * Returns fewer deviations with which a run still fails as `failed` did. If more than one is left,
 * it tries whether a single one anywhere does it.
 */
export async function shortenSchedule(
  failed: Run<unknown>,
  repeat: Repeat,
): Promise<ReadonlyMap<number, number>> {
  const budget: Budget = { left: MOST_REPETITIONS };
  const failsWith = async (deviations: ReadonlyMap<number, number>): Promise<boolean> => {
    return isAlike(await repeat(deviations), failed);
  };
  const none = new Map<number, number>();
  if (failed.deviations.size === 0 || await failsWith(none)) return none;
  const list = [...failed.deviations];
  const shortest = new Map(await shortenList(list, (some) => failsWith(new Map(some)), budget));
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

/**
 * Whether two runs failed with the same class, and of what a test claims with the same claim. The
 * messages may tell of different moments.
 */
export function isAlike({ outcome: one }: Run<unknown>, { outcome: other }: Run<unknown>): boolean {
  if (!one.failed || !other.failed) return false;
  return read(one.error, "constructor") === read(other.error, "constructor") &&
    read(one.error, "claim") === read(other.error, "claim");
}

function read(error: unknown, key: string): unknown {
  try {
    return Reflect.get(Object(error), key);
  } catch {
    // A proxy that was revoked, or a getter that throws.
    return undefined;
  }
}
