/**
 * The seam between the loop and the world.
 *
 * *Theory of operation.* Everything the package needs of its host is one of the small
 * interfaces below. Deno is one implementation (`deno_*.ts`), the simulator a second one. Code
 * above the seam never reads a clock, draws a random number or opens a socket by another way,
 * and so the same program runs on both. All times are seconds.
 *
 * A {@linkcode ByteChannel} *pushes*: it asks its {@linkcode ByteSink} for a buffer, fills it and
 * reports how much came. That fits an API that completes reads, one that reports readiness, and a
 * simulated link alike, and costs no promise for a message where the host has none.
 *
 * @module
 */

/** Monotonic time, and the way back into the loop from an idle host. */
export interface Clock {
  /** Returns the current time in seconds; it never goes back. */
  now(): number;
  /** Calls `wake` once the host has handled what is pending: I/O, timers and signals. */
  soon(wake: () => void): void;
  /**
   * Creates the alarm of one loop, and holds the process alive until the alarm is closed.
   *
   * @param ring Called when the time of the alarm has come, or a little before.
   * @param idle What stops the loop with an error. Called by a clock which knows that nothing
   * can ever wake the loop.
   */
  createAlarm(ring: () => void, idle: (error: Error) => void): Alarm;
}

/** The one host timer of a running loop. */
export interface Alarm {
  /**
   * The loop is about to wait: it wants to be woken at `deadline`, in the clock's seconds.
   * `Infinity` waits for an event only. Replaces the deadline set before.
   */
  set(deadline: number): void;
  /** The loop has stopped. */
  close(): void;
}

/** Everything the package needs of its host. */
export interface Platform {
  /** Time. */
  readonly clock: Clock;
  /** Chance. */
  readonly random: Random;
  /** Signals of the process. */
  readonly signals: Signals;
}

/** Chance. */
export interface Random {
  /** Returns a number from 0 up to, but not, 1. */
  next(): number;
}

/** Signals sent to the process. */
export interface Signals {
  /** Calls `callback` for each `signal` received, until the returned function is called. */
  listen(signal: Deno.Signal, callback: () => void): () => void;
}

/** One end of a stream of bytes: TCP, TLS, a Unix socket, a pipe, or a simulated link. */
export interface ByteChannel {
  /** Starts reading into `sink`, once. Nothing is read before. */
  start(sink: ByteSink): void;
  /**
   * Sends `bytes`, which the channel may keep until {@linkcode ByteSink.sent} reports them.
   * Only one write is in flight: the caller waits for the report before the next.
   *
   * @returns How many bytes went out within the call. When that is all of them, no report comes.
   */
  write(bytes: Uint8Array): number;
  /** Stops reading. A read that is pending completes and its bytes are reported. */
  pause(): void;
  /** Reads again. */
  resume(): void;
  /** Sends the end of the stream. Reading goes on. No write may be in flight. */
  closeWrite(): void;
  /** Closes both directions at once; a write in flight is given up. Idempotent. */
  close(): void;
  /** Returns what the channel knows of itself: `peername`, `sockname`, `socket`, `tls`, … */
  getExtraInfo(name: string): unknown;
}

/** Who receives what a {@linkcode ByteChannel} reads. */
export interface ByteSink {
  /** Returns the buffer that the next read fills; at least one byte long. */
  buffer(): Uint8Array;
  /** The first `count` bytes of the buffer asked for last were filled; at least one. */
  received(count: number): void;
  /** The peer has ended its side. Nothing more is received. */
  ended(): void;
  /** The channel is broken; nothing more is received or sent. */
  failed(error: Error): void;
  /** `count` more bytes of the write in flight went out; the rest follows by itself. */
  sent(count: number): void;
  /** The channel is closed; its resources are released. Last call, exactly once after `close`. */
  closed(): void;
}
