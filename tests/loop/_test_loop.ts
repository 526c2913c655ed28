import { assertEquals } from "@std/assert";
import { type Coroutine, EventLoop, type ExceptionContext } from "../../loop/mod.ts";
import { VirtualClock } from "./_virtual_clock.ts";

/** A loop in virtual time that keeps what its exception handler was told. */
export class TestLoop extends EventLoop {
  /** The clock, to let time pass within a callback. */
  readonly clock: VirtualClock;
  #reports: ExceptionContext[] = [];

  constructor(options: { clock?: VirtualClock; debug?: boolean } = {}) {
    const clock = options.clock ?? new VirtualClock();
    super({ clock, debug: options.debug ?? false });
    this.clock = clock;
    this.setExceptionHandler((_loop, context) => void this.#reports.push(context));
  }

  /** Returns what was reported since the last call. A test has to take every report. */
  takeReports(): ExceptionContext[] {
    const reports = this.#reports;
    this.#reports = [];
    return reports;
  }

  /** Returns the messages of {@linkcode takeReports}. */
  takeMessages(): string[] {
    return this.takeReports().map((report) => report.message);
  }

  /** Runs what is ready now, and nothing that it adds. */
  async runOnce(): Promise<void> {
    this.stop();
    await this.runForever();
  }

  /** Runs all iterations up to now, and those that they ask for, without letting time pass. */
  async runReady(iterations = 10): Promise<void> {
    for (let count = 0; count < iterations; count += 1) await this.runOnce();
  }
}

/** What {@linkcode runVirtual} runs. */
export type Main<T> = (loop: TestLoop) => Coroutine<T> | PromiseLike<T> | T;

/** Runs `main` as a task of a loop in virtual time. Fails if an error was reported and not taken. */
export async function runVirtual<T>(main: Main<T>): Promise<T> {
  const loop = new TestLoop();
  try {
    return await loop.runUntilComplete(() => main(loop));
  } finally {
    loop.close();
    assertEquals(loop.takeMessages(), []);
  }
}

/** How many iterations of `loop` a coroutine takes. */
export function* countIterations(
  loop: EventLoop,
  coroutine: Coroutine<unknown>,
): Coroutine<number> {
  const before = loop.statistics().iterations;
  yield* coroutine;
  return loop.statistics().iterations - before;
}

/** Waits for `future` and gives what it throws. Fails if it throws nothing. */
export function* caughtBy(future: Iterable<unknown>): Coroutine<unknown> {
  try {
    yield* future;
  } catch (error) {
    return error;
  }
  throw new Error("Expected an error, got none");
}
