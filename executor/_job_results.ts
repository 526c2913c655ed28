import type { EventLoop } from "../loop/event_loop.ts";
import type { Future } from "../loop/tasks/future.ts";
import { startOperation } from "../loop/tasks/start_operation.ts";
import type { Coroutine } from "../loop/tasks/task.ts";

/** Results of jobs in the order of their items; at most `concurrency` are under way. */
export class JobResults<T, R> implements AsyncIterableIterator<R> {
  readonly #loop: EventLoop;
  readonly #submit: (item: T) => Future<R>;
  /** `null` once there are no more. */
  #items: Iterator<T> | null;
  readonly #concurrency: number;
  /** Jobs whose results nobody has asked for, in order. */
  #underWay: Future<R>[] = [];

  constructor(
    loop: EventLoop,
    submit: (item: T) => Future<R>,
    items: Iterable<T>,
    concurrency: number,
  ) {
    this.#loop = loop;
    this.#submit = submit;
    this.#items = items[Symbol.iterator]();
    this.#concurrency = concurrency;
    this.#fill();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Future<IteratorResult<R, undefined>> {
    return startOperation(this.#loop, this.#nextSteps());
  }

  return(): Future<IteratorResult<R, undefined>> {
    this.#cancel();
    return this.next();
  }

  *#nextSteps(): Coroutine<IteratorResult<R, undefined>> {
    this.#fill();
    const job = this.#underWay.shift();
    if (job === undefined) return { done: true, value: undefined };
    try {
      return { done: false, value: yield* job };
    } catch (error) {
      this.#cancel();
      throw error;
    }
  }

  #fill(): void {
    while (this.#items !== null && this.#underWay.length < this.#concurrency) {
      const { done, value } = this.#items.next();
      if (done === true) this.#items = null;
      else this.#underWay.push(this.#submit(value));
    }
  }

  #cancel(): void {
    this.#items?.return?.();
    this.#items = null;
    for (const job of this.#underWay) job.cancel();
    this.#underWay = [];
  }
}
