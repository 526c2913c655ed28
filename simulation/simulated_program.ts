import type { Coroutine } from "../loop/tasks/task.ts";
import type { StreamReader } from "../transports/streams/stream_reader.ts";
import type { StreamWriter } from "../transports/streams/stream_writer.ts";

/**
 * A child process, as the program in it sees it.
 *
 * @category Simulation
 */
export interface SimulatedChild {
  /** Its number. */
  readonly pid: number;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Its environment, as far as its parent has set it. */
  readonly env: Readonly<Record<string, string>>;
  /** Its input. */
  readonly stdin: StreamReader;
  /** Its output. */
  readonly stdout: StreamWriter;
  /** Where it writes errors to. */
  readonly stderr: StreamWriter;
  /** Calls `callback` for each `signal`, instead of ending as a signal does that nobody handles. */
  onSignal(signal: Deno.Signal, callback: () => void): void;
}

/**
 * What a child process of a simulation runs. It returns the exit code; nothing stands for 0, and
 * an error for 1.
 *
 * @category Simulation
 */
export type SimulatedProgram = (
  child: SimulatedChild,
) => Coroutine<number | void> | PromiseLike<number | void> | number | void;
