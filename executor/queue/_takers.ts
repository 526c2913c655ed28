import type { EventLoop } from "../../loop/event_loop.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { TakenJob } from "./broker.ts";

/** Those who wait for a job of one broker. */
export class Takers {
  readonly #waiting: Set<Future<TakenJob | null>> = new Set();

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Waits for a job, which `fetch` is to get; `null` when `signal` aborts, or nobody waits any more. */
  async wait(loop: EventLoop, signal: AbortSignal, fetch: () => void): Promise<TakenJob | null> {
    const taken: Future<TakenJob | null> = loop.createFuture();
    this.#waiting.add(taken);
    fetch();
    const onAbort = () => taken.done() || taken.setResult(null);
    signal.addEventListener("abort", onAbort);
    try {
      return await taken;
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#waiting.delete(taken);
    }
  }

  /** Gives `job` to the first who still waits; says whether there was somebody. */
  give(job: TakenJob): boolean {
    for (const taken of this.#waiting) {
      this.#waiting.delete(taken);
      if (taken.done()) continue;
      taken.setResult(job);
      return true;
    }
    return false;
  }

  /** There is no job for anybody. */
  end(): void {
    for (const taken of this.#waiting) taken.done() || taken.setResult(null);
  }

  /** Nobody can get a job, as of `error`. */
  fail(error: Error): void {
    for (const taken of this.#waiting) taken.done() || taken.setException(error);
  }
}
