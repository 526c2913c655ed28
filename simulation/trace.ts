/**
 * What happened in a simulation, one line for each event.
 *
 * Pass an empty one to {@linkcode simulate}; it is filled as the run goes on. A line has the time
 * in seconds, the host, and what happened. The same program with the same seed and schedule gives
 * the same trace, byte for byte.
 *
 * @category Simulation
 *
 * @example Two runs with one seed
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { sleep } from "@gyre/asyncio";
 * import { simulate, Trace } from "@gyre/asyncio/simulation";
 *
 * const traces = [new Trace(), new Trace()];
 * for (const trace of traces) {
 *   await simulate(() => sleep(Math.random()), { seed: 7, trace });
 * }
 * assertEquals(String(traces[0]), String(traces[1]));
 * ```
 */
export class Trace {
  /** The lines, in the order of the events. */
  readonly lines: string[] = [];

  /** Adds an event of the program's own, for instance through `sim.note()`. */
  add(time: number, host: string, event: string): void {
    this.lines.push(`${time} ${host} ${event}`);
  }

  /** Returns all lines as one text. */
  toString(): string {
    return this.lines.length === 0 ? "" : this.lines.join("\n") + "\n";
  }

  /** Returns a trace that {@linkcode toString} has exported. */
  static from(text: string): Trace {
    const trace = new Trace();
    for (const line of text.split("\n")) if (line !== "") trace.lines.push(line);
    return trace;
  }
}

/**
 * Where two traces part.
 *
 * @category Simulation
 */
export interface TraceDifference {
  /** The first line that differs, counted from 0. */
  line: number;
  /** Lines before it, which both have; at most three. */
  before: string[];
  /** What the first trace has there, `undefined` after its end. */
  first: string | undefined;
  /** What the second trace has there, `undefined` after its end. */
  second: string | undefined;
}

/** Lines of context in a difference. */
const CONTEXT = 3;

/**
 * Returns where two traces part, or `null` when they are the same.
 *
 * @category Simulation
 */
export function diffTraces(first: Trace, second: Trace): TraceDifference | null {
  const length = Math.max(first.lines.length, second.lines.length);
  for (let line = 0; line < length; line += 1) {
    if (first.lines[line] === second.lines[line]) continue;
    const before = first.lines.slice(Math.max(0, line - CONTEXT), line);
    return { line, before, first: first.lines[line], second: second.lines[line] };
  }
  return null;
}
