import { checkOptions } from "../loop/values/check_options.ts";
import { currentTask } from "../loop/event_loop.ts";
import { InvalidStateError } from "../loop/errors/errors.ts";
import type { Coroutine } from "../loop/tasks/task.ts";
import { describeLeaks } from "./_leaks.ts";
import { LOOP_TEST } from "./_options.ts";
import { simulate, type SimulateOptions } from "./simulate.ts";
import type { Simulation, SimulationMain } from "./simulation.ts";

/**
 * Settings of {@linkcode loopTest}.
 *
 * @category Simulation
 */
export interface LoopTestOptions extends SimulateOptions {
  /** Skips the test. */
  ignore?: boolean | undefined;
  /** Runs only this test. */
  only?: boolean | undefined;
}

/**
 * Registers a test with `Deno.test` that runs in a simulated world of its own.
 *
 * When the body has ended, nothing may be left: a task that still runs, a pending timer, an open
 * transport or server fails the test, by name.
 *
 * @param name What the test is called.
 * @param options Additional options; they may be left out.
 * @param body A function that returns a coroutine, a promise or a value.
 *
 * @category Simulation
 *
 * @example A test that takes an hour
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sleep } from "@gyre/asyncio";
 * import { loopTest } from "@gyre/asyncio/simulation";
 *
 * // In a test file this stands at the top; it is a function here as tests do not nest.
 * export function registerTests(): void {
 *   loopTest("an hour passes", { seed: 7 }, async ({ loop }) => {
 *     await sleep(3600);
 *     assertEquals(loop.time(), 3600);
 *   });
 * }
 * ```
 */
export function loopTest(name: string, body: SimulationMain<unknown>): void;
/**
 * Registers a test with settings of its own.
 *
 * @category Simulation
 */
export function loopTest(
  name: string,
  options: LoopTestOptions,
  body: SimulationMain<unknown>,
): void;
export function loopTest(
  name: string,
  optionsOrBody: LoopTestOptions | SimulationMain<unknown>,
  maybeBody?: SimulationMain<unknown>,
): void {
  const [options, body] = typeof optionsOrBody === "function"
    ? [{}, optionsOrBody]
    : [optionsOrBody, maybeBody as SimulationMain<unknown>];
  checkOptions("register a test", options, LOOP_TEST);
  const { ignore = false, only = false, ...world } = options;
  Deno.test({ name, ignore, only, fn: () => simulate(withoutLeaks(body), world) });
}

/** Returns `body`, failing if it leaves anything behind. */
export function withoutLeaks(body: SimulationMain<unknown>): SimulationMain<void> {
  return function* (sim) {
    yield* sim.loop.createTask(() => body(sim), { name: "body of the test" });
    yield* settle(sim);
    const leaks = describeLeaks(sim.loop, currentTask());
    if (leaks.length === 0) return;
    throw new InvalidStateError(`Cannot end a test as nothing may be left: ${leaks.join("; ")}`);
  };
}

/** Waits until all that can happen without time passing has happened. */
function* settle({ loop, clock }: Simulation): Coroutine<void> {
  const rested = loop.createFuture<void>();
  clock.schedule(clock.now(), () => rested.setResult());
  yield* rested;
}
