import * as inside from "../../loop/inside.ts";
import { setImmediate } from "node:timers";
import type { CancelledError } from "../../loop/errors/errors.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import { Operation } from "../../loop/tasks/operation.ts";
import { type OpenResource, openResources } from "../core/open_resources.ts";

/** How the work of the host stands. */
type WorkState<T> = { state: "working" } | { state: "done"; value: T } | {
  state: "failed";
  error: unknown;
};

/**
 * Work of the host that ends with something to close: a promise that can be given up.
 *
 * Cancelling aborts the signal that the work was started with. If the work is done all the same,
 * what it gave is discarded.
 */
export class DenoOperation<T> extends Operation<T> implements OpenResource {
  readonly #discard: (value: T) => void;
  readonly #controller = new AbortController();
  #outcome: WorkState<T> = { state: "working" };
  #abandoned = false;

  /** Calls `start` at once; `discard` gets the value that nobody wants any more. */
  constructor(
    loop: EventLoop,
    start: (signal: AbortSignal) => T | Promise<T>,
    discard: (value: T) => void,
  ) {
    super({ loop });
    this.#discard = discard;
    openResources(loop).add(this);
    Promise.try(start, this.#controller.signal).then(
      (value) => this.#arrive({ state: "done", value }),
      (error) => this.#arrive({ state: "failed", error }),
    );
  }

  /** @ignore */
  [inside.release](): void {
    this.#abandoned = true;
    if (this.#outcome.state === "done") this.#discard(this.#outcome.value);
    // Deno loses a connection whose signal is aborted after the connect was done and before its
    // promise says so. Nothing lies between the two once other events have had their turn.
    else if (this.#outcome.state === "working") setImmediate(() => this.#controller.abort());
  }

  protected override resumed(): void {
    openResources(this.getLoop()).delete(this);
    const outcome = this.#outcome;
    if (outcome.state === "done") this.finish(outcome.value);
    else if (outcome.state === "failed") this.fail(outcome.error);
  }

  protected override interrupted(error: CancelledError): void {
    openResources(this.getLoop()).delete(this);
    this[inside.release]();
    this.fail(error);
  }

  #arrive(outcome: WorkState<T>): void {
    this.#outcome = outcome;
    if (!this.#abandoned) this.wake();
    else if (outcome.state === "done") this.#discard(outcome.value);
  }
}
