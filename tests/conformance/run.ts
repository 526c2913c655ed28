import { EventLoop } from "../../loop/mod.ts";
import { InstantClock } from "./_instant_clock.ts";
import { CoroutineProgram } from "./coroutine_program.ts";
import type { Program, Trace } from "./program.ts";

/** Runs `program` as coroutines, and returns what it did. */
export function runAsCoroutines(program: Program): Promise<Trace> {
  const loop = new EventLoop({ clock: new InstantClock("microtask") });
  return new CoroutineProgram(program, loop).run();
}
