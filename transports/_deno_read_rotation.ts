/**
 * Fairness among many busy sockets.
 *
 * *Theory of operation.* Deno serves at most 128 sockets in a turn, and of those that are ready
 * it prefers the ones whose reads were issued last. With more than 128 always ready, the same 128
 * are served for ever and the others starve. So in a crowd a read is not issued where the one
 * before it completed: it is held until the host has served the others too.
 *
 * A crowd shows in the order in which reads complete: as many different channels as make a crowd
 * come before any of them comes again. That costs two comparisons for a read, and no timer as
 * long as there is no crowd.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** How many channels make a crowd; a little below what the host serves in a turn. */
const CROWD = 120;

/** What reads in turns. */
export interface RotatingReader {
  /** The round of the rotation in which it has read last. */
  round: number;
  /** Issues the read that was held. */
  readHeld(): void;
}

let round = 0;
/** Channels that have read in this round. */
let members = 0;
let crowded = false;
/** Channels that wait to read. Each is in it at most once. */
let held: RotatingReader[] = [];

/** Whether `reader` may issue its next read now. If not, it is told when. */
export function mayRead(reader: RotatingReader): boolean {
  if (!crowded) {
    if (reader.round === round) startRound();
    reader.round = round;
    members += 1;
    if (members < CROWD) return true;
    crowded = true;
    startRound();
  }
  if (held.length === 0) setImmediate(serve);
  held.push(reader);
  return false;
}

function startRound(): void {
  round += 1;
  members = 0;
}

/** All that was ready in one turn of the host is held now. */
function serve(): void {
  if (held.length >= CROWD) setTimeout(release, 0);
  else release();
}

function release(): void {
  const readers = held;
  held = [];
  crowded = readers.length >= CROWD;
  for (const reader of readers) reader.readHeld();
}
