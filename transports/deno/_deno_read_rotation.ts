/**
 * Fairness among many busy sockets.
 *
 * *Theory of operation.* Deno serves at most 128 sockets in a turn, and of those that are ready
 * it prefers the ones whose reads were issued last. With more than 128 always ready, the same few
 * are served for ever and the others starve. So in a crowd no read is issued where the one before
 * it completed. Each is held until the host, turn after turn, has served all that are ready; then
 * all are issued.
 *
 * There is a crowd when that many channels are open that some can starve, and when many different
 * ones read before any of them reads again. To see it costs a read two comparisons.
 *
 * @module
 */

/** With so many channels or fewer, the host serves each in every turn. */
const HARMLESS = 120;

/** So many channels in a row make a crowd: two ends in one process, taking turns, are half of 128. */
const CROWD = 48;

/** A turn that has served so many may have left others. */
const BUSY_TURN = 16;

/** So many turns that were not busy show that none is left; a single one may have come to nothing. */
const QUIET_TURNS = 2;

/** At least so often all reads wait for a timer, in milliseconds: see {@linkcode afterTurn}. */
const TIMER_INTERVAL_MS = 20;

/** What reads in turns. */
export interface RotatingReader {
  /** The round of the rotation in which it has read last. */
  round: number;
  /** Issues the read that was held. */
  readHeld(): void;
}

/** Channels that are open. */
let channels = 0;
let round = 0;
/** Channels that have read in this round. */
let members = 0;
let crowded = false;
/** Channels that wait to read. Each is in it at most once. */
let held: RotatingReader[] = [];
/** How many there were a turn ago. */
let heldBefore = 0;
/** Turns in a row that were not busy. */
let quietTurns = 0;
/** When the reads wait for a timer the next time. */
let timerDueMs = 0;

/** A channel is open from now on. */
export function joinRotation(): void {
  channels += 1;
}

/** A channel is closed. */
export function leaveRotation(): void {
  channels -= 1;
}

/** Whether `reader` may issue its next read now. If not, it is told when. */
export function mayRead(reader: RotatingReader): boolean {
  if (channels <= HARMLESS) return true;
  if (!crowded && !crowdsAround(reader)) return true;
  if (held.length === 0) afterTurn(look);
  held.push(reader);
  return false;
}

/** Counts `reader`. A round ends when one comes again, or when a crowd is there. */
function crowdsAround(reader: RotatingReader): boolean {
  if (reader.round === round) startRound();
  reader.round = round;
  members += 1;
  if (members < CROWD) return false;
  startRound();
  return crowded = true;
}

function startRound(): void {
  round += 1;
  members = 0;
}

/** The host has had a turn. */
function look(): void {
  const served = held.length - heldBefore;
  heldBefore = held.length;
  quietTurns = served < BUSY_TURN ? quietTurns + 1 : 0;
  if (quietTurns < QUIET_TURNS) afterTurn(look);
  else if (performance.now() < timerDueMs) release();
  else {
    timerDueMs = performance.now() + TIMER_INTERVAL_MS;
    setTimeout(release, 0);
  }
}

function release(): void {
  const readers = held;
  held = [];
  heldBefore = 0;
  quietTurns = 0;
  crowded = readers.length >= CROWD;
  for (const reader of readers) reader.readHeld();
}

/**
 * Calls `next` after another turn of the host: after the smallest piece of work of another thread.
 *
 * When this thread is idle meanwhile, which it mostly is, Deno looks for newly ready sockets. While
 * it is busy, with immediates for example, Deno looks once in 61 turns. That a timer has fired
 * proves that it did, but takes 2 ms.
 */
function afterTurn(next: () => void): void {
  crypto.subtle.digest("SHA-1", NO_BYTES).then(next);
}

const NO_BYTES = new Uint8Array(0);
