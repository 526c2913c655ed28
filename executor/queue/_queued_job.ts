import * as inside from "../../loop/inside.ts";
import { CancelledError } from "../../loop/errors/errors.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { TimerHandle } from "../../loop/scheduling/timer_handle.ts";
import { Future, settle } from "../../loop/tasks/future.ts";

/** The result of a job in a queue. */
export class QueuedJob<T> extends Future<T> {
  /** The id of the job. */
  readonly id: string;
  /** The job in a message. */
  readonly title: string;
  /** Whether its id is a key, which others may wait for too. */
  readonly isShared: boolean;
  /** Whether the broker has it. */
  isAdded = false;
  /** Whether nobody waits for it here: it is to leave the queue. */
  isAbandoned = false;
  /** Fails it at its deadline. */
  alarm: TimerHandle | null = null;
  readonly #abandon: (job: QueuedJob<unknown>) => void;

  /** Creates the result; `abandon` is called when the caller has cancelled it. */
  constructor(
    loop: EventLoop,
    id: string,
    title: string,
    isShared: boolean,
    abandon: (job: QueuedJob<unknown>) => void,
  ) {
    super({ loop });
    this.id = id;
    this.title = title;
    this.isShared = isShared;
    this.#abandon = abandon;
  }

  /** @ignore */
  override [inside.noteCancelled](): void {
    this.#abandon(this as QueuedJob<unknown>);
  }

  /** The job gave `value`. */
  succeed(value: T): void {
    if (!this.done()) settle(this, "finished", value);
  }

  /** The job failed. */
  fail(error: unknown): void {
    if (this.done()) return;
    settle(this, error instanceof CancelledError ? "cancelled" : "failed", error);
  }
}
