import type { EventLoop } from "../event_loop.ts";
import type {
  ChildProcess,
  Platform,
  Processes,
  ProcessSink,
  Program,
  SpawnOptions,
} from "../platform/platform.ts";
import { refusal } from "./_refusal.ts";
import { canonicalCommand, type Restrictions } from "./_restrictions.ts";

/** Variables by which the loader of the system runs other code in a program. */
const LOADER = /^(LD|DYLD)_/;

/** A `..` in a path. */
const DETOUR = /(^|[\\/])\.\.([\\/]|$)/;

/** Starts listed programs only. What a program does then is between it and the system. */
export class RestrictedProcesses implements Processes {
  readonly #host: Platform;
  readonly #restrictions: Restrictions;

  constructor(host: Platform, restrictions: Restrictions) {
    this.#host = host;
    this.#restrictions = restrictions;
  }

  get shell(): string {
    return this.#host.processes.shell;
  }

  spawn(loop: EventLoop, program: Program, options: SpawnOptions, sink: ProcessSink): ChildProcess {
    const command = "command" in program ? program.command : this.shell;
    const checked = this.#checkCommand(command, options);
    for (const stream of ["stdin", "stdout", "stderr"] as const) {
      const target = options[stream];
      if (typeof target !== "number") continue;
      const action = `run "${command}" with ${stream} on descriptor ${target}`;
      this.#restrictions.checkDescriptor(target, stream === "stdin" ? "read" : "write", action);
    }
    const started = "command" in program ? { ...program, command: checked } : program;
    return this.#host.processes.spawn(loop, started, options, sink);
  }

  /**
   * Compares by name, so the call must not change which program a name means. Returns what to start:
   * where there is a `..`, the name. The system, which follows links first, could go elsewhere.
   */
  #checkCommand(command: string, { cwd, env = {} }: SpawnOptions): string {
    const { run } = this.#restrictions;
    if (run === true) return command;
    const name = canonicalCommand(command, cwd);
    if (!run.includes(name)) throw refusal(`run "${command}"`, "run", name);
    const isBare = !command.includes("/");
    const changed = Object.keys(env).find((key) => {
      return LOADER.test(key) || isBare && key.toUpperCase() === "PATH";
    });
    if (changed === undefined) return DETOUR.test(`${cwd ?? ""}/${command}`) ? name : command;
    const reason = `with another ${changed} it may be any program`;
    throw refusal(`run "${command}"`, "run", true, reason);
  }
}
