import * as inside from "../loop/inside.ts";
import { CancelledError } from "../loop/errors/errors.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { type ContextValues, currentValues } from "../loop/scheduling/context.ts";
import { Future, settle } from "../loop/tasks/future.ts";
import { type Callback, Handle } from "../loop/scheduling/handle.ts";
import { captureEngineContext, runInEngineContext } from "../loop/platform/platform_loop.ts";
import type { Parcel } from "./_parcel.ts";
import type { Order } from "./_sendable.ts";

/** How a job ended. */
type JobEnd =
  | { readonly state: "finished"; readonly value: unknown }
  | { readonly state: "failed"; readonly error: unknown };

/** The result of a job, which the pool tells how the job goes. */
export class PoolJob<T> extends Future<T> {
  /** What is sent. */
  readonly order: Order;
  /** The arguments as they were when the job had to queue; `null` for one that did not. */
  parcel: Parcel | null = null;
  readonly #abandon: (job: PoolJob<unknown>) => void;
  /** The context variables of the caller, for its progress callback. */
  readonly #values: ContextValues;
  /** The foreign context of the caller, likewise. */
  readonly #engineContext = captureEngineContext();
  #outcome: JobEnd | null = null;

  /** Creates the result; `abandon` is called when the caller has cancelled it. */
  constructor(loop: EventLoop, order: Order, abandon: (job: PoolJob<unknown>) => void) {
    super({ loop });
    this.order = order;
    this.#abandon = abandon;
    this.#values = currentValues();
  }

  override [inside.inWords](): string {
    return `executor job ${this.order.name}`;
  }

  /** @ignore */
  override [inside.noteCancelled](): void {
    this.#abandon(this as PoolJob<unknown>);
  }

  /** The job has reported `value`. */
  report(value: unknown): void {
    const { onProgress } = this.order.options;
    if (this.done() || onProgress === undefined) return;
    const loop = this.getLoop();
    const createHandle = () => new Handle(loop, onProgress as Callback, [value], this.#values);
    loop[inside.enter](runInEngineContext(this.#engineContext, createHandle));
  }

  /** The job has ended. The future follows from the loop. */
  complete(outcome: JobEnd): void {
    this.#outcome ??= outcome;
    this.getLoop()[inside.enter](this);
  }

  /** @ignore Settles the future; an entry of the loop. */
  [inside.run](): void {
    const outcome = this.#outcome;
    if (outcome === null || this.done()) return;
    if (outcome.state === "finished") return settle(this, "finished", outcome.value);
    const { error } = outcome;
    settle(this, error instanceof CancelledError ? "cancelled" : "failed", error);
  }
}
