import * as inside from "./inside.ts";
import { runningLoop } from "./scheduling/_current.ts";
import { RUN } from "./values/_options.ts";
import { checkOptions } from "./values/check_options.ts";
import { exitCodeOf, exitProgram } from "./platform/deno_program.ts";
import { CancelledError, InvalidStateError } from "./errors/errors.ts";
import { Runner, type RunOptions } from "./runner.ts";
import type { TaskBody } from "./tasks/task.ts";

/**
 * Runs `main` as the whole program. As `asyncio.run()` at the end of a script; {@linkcode run} is
 * for use as a part of another program.
 *
 * `SIGINT` and `SIGTERM` cancel `main`, and `grace` and further signals do what they do in `run()`.
 * How it ends decides how the program does:
 *
 * - a signal ended it: exit code 130 for `SIGINT`, 143 for `SIGTERM`, without a trace;
 * - it threw: the error is printed with its cause, exit code 1;
 * - it returned after a signal: `Deno.exitCode`, which is 0 unless it was set;
 * - it returned, and no signal came: `runMain()` gives what it returned, and the program goes on.
 *
 * @param main A function that returns a coroutine, a promise or a value; or a coroutine.
 * @param options Additional options.
 * @returns What `main` gives.
 * @throws {InvalidStateError} If a loop is running here.
 * @throws {TypeError} If an option is unknown or not of its type.
 *
 * @category Running
 *
 * @example A program that cleans up, whatever ends it
 * ```ts
 * import { runMain, sleep } from "@gyre/asyncio";
 *
 * await runMain(async () => {
 *   try {
 *     await sleep(0.001); // serve
 *   } finally {
 *     console.log("bye");
 *   }
 * }, { grace: 10 });
 * ```
 */
export async function runMain<T>(main: TaskBody<T>, options: RunOptions = {}): Promise<T> {
  checkOptions("run the program", options, RUN);
  if (runningLoop() !== null) {
    throw new InvalidStateError("Cannot run the program: an event loop is running here");
  }
  let runner: Runner | null = null;
  let value: T;
  try {
    const { signal, ...ofRunner } = options;
    runner = new Runner(ofRunner);
    value = await runner[inside.runAndClose](main, signal);
  } catch (error) {
    const signal = runner?.[inside.signal] ?? null;
    if (signal !== null && error instanceof CancelledError) exitProgram(await exitCodeOf(signal));
    printError(error);
    exitProgram(1);
  }
  const signal = runner[inside.signal];
  if (signal === null) return value;
  exitProgram(runner[inside.abandoned] ? await exitCodeOf(signal) : undefined);
}

/** Prints `error` with its cause; of an error in a clean-up, the one before it first. */
function printError(error: unknown): void {
  try {
    if (error instanceof SuppressedError) {
      printError(error.suppressed);
      console.error("Another error came while that one was cleaned up:");
      return printError(error.error);
    }
    console.error(error);
  } catch {
    console.error("The program ended with an error that cannot be shown");
  }
}
