import * as inside from "../inside.ts";
import { kindOf } from "./_describe.ts";
import { formatHost } from "./format_address.ts";

/** Where something is, as the options of what connects there and listens there have it. */
interface Place {
  readonly hostname?: unknown;
  readonly port?: unknown;
  readonly path?: unknown;
  readonly sock?: unknown;
}

/**
 * Says what `object` is in a message, in few words that tell it apart: `task "db"`,
 * `Queue (3 of 5)`, `127.0.0.1:80`. Never throws.
 *
 * @param now The time of its loop, where many are asked.
 */
export function inWords(object: object, now?: number): string {
  try {
    const own = (object as { [inside.inWords]?(now?: number): string | null })[inside.inWords]?.(
      now,
    );
    return own ?? placeInWords(object) ?? kindOf(object);
  } catch {
    // A getter of the user's.
    return "something without a text";
  }
}

/** Says where an address, or what has one as its options, leads; `null` for others. */
export function placeInWords({ hostname, port, path, sock }: Place): string | null {
  if (sock !== undefined) return "a given socket";
  if (typeof path === "string") return path;
  if (typeof port !== "number") return null;
  return `${typeof hostname === "string" ? formatHost(hostname) : "localhost"}:${port}`;
}

/** Adds details to the name of a kind: `Lock (locked, 2 waiting)`. Empty ones are left out. */
export function kindInWords(object: object, ...details: string[]): string {
  const told = details.filter((detail) => detail !== "");
  return told.length === 0 ? kindOf(object) : `${kindOf(object)} (${told.join(", ")})`;
}

/** Says how many wait: nothing if nobody does. */
export function waitingInWords(count: number): string {
  return count === 0 ? "" : `${count} waiting`;
}

/** Says how many seconds of `loop`, at `now`, are left until `when`: `2.4 s left`, `1 s late`. */
export function secondsLeft(loop: { time(): number }, when: number, now?: number): string {
  const left = when - (now ?? loop.time());
  return left < 0 ? `${briefSeconds(-left)} s late` : `${briefSeconds(left)} s left`;
}

/** Seconds as a text with two digits that count, down to milliseconds. */
export function briefSeconds(seconds: number): string {
  if (seconds === Infinity) return "∞";
  if (seconds >= 10) return String(Math.round(seconds));
  if (seconds >= 1) return String(Math.round(seconds * 10) / 10);
  if (seconds >= 0.1) return String(Math.round(seconds * 100) / 100);
  return String(Math.round(seconds * 1000) / 1000);
}
