/**
 * Which addresses of a host to connect to, and when: RFC 8305.
 *
 * *Theory of operation.* A host may have addresses of both families, of which one does not work
 * from here, and says so only after a long time. So the families take turns in the list, and an
 * attempt does not wait for the one before to fail, but for a short delay only. The first attempt
 * that succeeds wins, and the others are given up.
 *
 * @module
 */
import type { Future } from "../../loop/tasks/future.ts";
import type { HostAddress } from "../../loop/platform/platform.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { wait } from "../../loop/structure/wait.ts";

/**
 * Lets the families take turns: `first` addresses of the family in front, then one of each. With
 * `first` 0 the order stays.
 */
export function interleave(addresses: readonly HostAddress[], first: number): HostAddress[] {
  const family = addresses[0]?.family;
  if (first <= 0) return [...addresses];
  const preferred = addresses.filter((address) => address.family === family);
  const others = addresses.filter((address) => address.family !== family);
  const order = preferred.splice(0, first);
  while (preferred.length > 0 || others.length > 0) {
    order.push(...others.splice(0, 1), ...preferred.splice(0, 1));
  }
  return order;
}

/** How a race ended. */
export type RaceResult<T> =
  | { state: "won"; value: T }
  | { state: "lost"; errors: unknown[] };

/**
 * Starts the attempts one after the other, and gives the value of the first that succeeds.
 *
 * @param attempts Each starts one attempt.
 * @param delay Seconds after which the next attempt starts; `null` waits for the one before to
 * fail. A failure starts the next at once.
 * @param discard Gets the value of an attempt that succeeded too.
 */
export function* race<T>(
  attempts: readonly (() => Future<T>)[],
  delay: number | null,
  discard: (value: T) => void,
): Coroutine<RaceResult<T>> {
  const running = new Set<Future<T>>();
  const errors: unknown[] = [];
  let winner: Future<T> | null = null;
  let next = 0;
  try {
    while (winner === null && (next < attempts.length || running.size > 0)) {
      const attempt = attempts[next++];
      if (attempt !== undefined) running.add(attempt());
      winner = yield* firstToSucceed(running, errors, next < attempts.length ? delay : null);
    }
    return winner === null ? { state: "lost", errors } : { state: "won", value: winner.result() };
  } finally {
    for (const loser of running) giveUp(loser, discard);
  }
}

/**
 * Waits until an attempt ends, or for `delay`. Gives the one that succeeded; those that failed
 * leave the set and their errors go into the list.
 */
function* firstToSucceed<T>(
  running: Set<Future<T>>,
  errors: unknown[],
  delay: number | null,
): Coroutine<Future<T> | null> {
  const { done } = yield* wait([...running], {
    returnWhen: "firstCompleted",
    ...delay === null ? {} : { timeout: delay },
  });
  let winner: Future<T> | null = null;
  for (const attempt of done) {
    if (winner !== null) continue;
    running.delete(attempt);
    const error = attempt.exception();
    if (error === null) winner = attempt;
    else errors.push(error);
  }
  return winner;
}

function giveUp<T>(attempt: Future<T>, discard: (value: T) => void): void {
  attempt.addDoneCallback(() => {
    if (!attempt.cancelled() && attempt.exception() === null) discard(attempt.result());
  });
  attempt.cancel();
}
