/**
 * Listeners that are closed, and whose addresses are not free yet.
 *
 * *Theory of operation.* Deno keeps the socket of a listener until the accept that was pending has
 * ended, which takes a turn of the host. In this turn the address is in use, and a connection to it
 * is made and reset. So listening and connecting wait for it: a server that is closed is gone for
 * what comes after `close()` in the same thread. The wait is bounded, for a listener may belong to
 * the program, whose accept may never end.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** Those of this thread. */
const closing: Set<object> = new Set();

/** Turns of the host to wait at most; one is usual. */
const MOST_TURNS = 8;

/** Says that a listener is being closed. Returns what to call when its address is free. */
export function noteClosing(): () => void {
  const listener = {};
  closing.add(listener);
  return () => closing.delete(listener);
}

/** Whether the addresses of all that is closed are free. */
export function areAddressesFree(): boolean {
  return closing.size === 0;
}

/** Waits until the addresses of what is closed are free. */
export async function untilAddressesAreFree(): Promise<void> {
  for (let turns = 0; closing.size > 0 && turns < MOST_TURNS; turns += 1) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
