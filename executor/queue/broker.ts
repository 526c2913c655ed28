/**
 * The seam between a queue and the engine that it stands on.
 *
 * *Theory of operation.* A broker keeps jobs. A caller adds one, under an id: adding it again changes
 * nothing. A worker takes one, and holds it for the seconds of a lease, which it renews while it works;
 * a job whose lease has ended is given to somebody else. So a job runs *at least once*: its effect comes
 * before its acknowledgement, and whatever is lost in between is done again. Then the reply lies at the
 * broker until the caller has it and lets the job be forgotten.
 *
 * What calls a broker is the loop that it was opened on; its methods give promises, and reject when the
 * engine cannot be reached. All may be called again.
 *
 * @module
 */
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";

/**
 * A job as it is added.
 *
 * @category Queues
 */
export interface JobOrder {
  /** Names the job, in all of the queue. */
  readonly id: string;
  /** Who waits for it. */
  readonly caller: string;
  /** What to do. */
  readonly payload: Uint8Array;
  /** Jobs of a higher one come first; from 0. */
  readonly priority: number;
  /** Seconds until it may be taken. */
  readonly delay: number;
}

/**
 * A job that a worker holds.
 *
 * @category Queues
 */
export interface TakenJob {
  /** Names the job. */
  readonly id: string;
  /** What to do. */
  readonly payload: Uint8Array;
  /** How often it was taken, this time included. */
  readonly attempt: number;
  /** How often it was given back for an error. */
  readonly failures: number;
  /** What the broker knows this holding by. */
  readonly token: unknown;
}

/**
 * Where a job stands: it waits, a worker has it, its reply is there, or it is unknown.
 *
 * @category Queues
 */
export type JobState =
  | { readonly state: "waiting" | "running" | "unknown" }
  | { readonly state: "done"; readonly reply: Uint8Array };

/**
 * Says that the reply of a job is there.
 *
 * @category Queues
 */
export interface JobEvent {
  /** The job. */
  readonly id: string;
  /** What it gave. */
  readonly reply: Uint8Array;
}

/**
 * What a queue needs of an engine.
 *
 * @category Queues
 */
export interface JobBroker {
  /** How many bytes a payload, and a reply, may have. */
  readonly maxBytes: number;
  /** Seconds that a worker holds a job without renewing it. */
  readonly lease: number;
  /** Opens it on `loop`. Idempotent; an open broker is opened on one loop only. */
  open(loop: PlatformLoop): Promise<void>;
  /** Adds a job; when the promise resolves the engine has it for good. */
  add(order: JobOrder): Promise<void>;
  /**
   * Tells `listener` of replies to `caller`, as far as the engine can: a reply may be missed, and come
   * twice. Returns what ends that.
   */
  onEvent(caller: string, listener: (event: JobEvent) => void): () => void;
  /** Says where each of `ids` stands. */
  lookUp(ids: readonly string[]): Promise<JobState[]>;
  /** Takes a job out that waits, and has the worker of one that runs told. */
  cancel(id: string): Promise<void>;
  /** Lets go of a job whose reply was read. */
  forget(id: string): Promise<void>;
  /** How many jobs wait or run. */
  size(): Promise<number>;
  /** Waits for a job, and takes it; gives `null` when `signal` aborts first. */
  take(signal: AbortSignal): Promise<TakenJob | null>;
  /** Holds a job for another lease. Says whether it is to go on. */
  renew(job: TakenJob): Promise<"held" | "cancelled" | "lost">;
  /**
   * The job is done, and `reply` is what it gave. Has no effect if somebody else holds it by now. One
   * that was cancelled meanwhile is let go of, here and below: nobody would fetch the reply.
   */
  finish(job: TakenJob, reply: Uint8Array): Promise<void>;
  /** Gives a job back, to be taken again after `delay` seconds; `failed` counts as a failure. */
  giveBack(job: TakenJob, delay: number, failed: boolean): Promise<void>;
  /** Closes it. Idempotent. */
  close(): Promise<void>;
}
