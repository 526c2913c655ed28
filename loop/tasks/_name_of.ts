import type { Future } from "./future.ts";

/** Names `future` in a message. */
export function nameOf(future: Future<unknown>): string {
  const name = (future as { getName?: () => string }).getName?.();
  return name === undefined ? "a future" : `task "${name}"`;
}
