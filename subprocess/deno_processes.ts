import * as inside from "../loop/inside.ts";
import { Step } from "../loop/scheduling/step.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type {
  ByteChannel,
  ChildProcess,
  Processes,
  ProcessSink,
  Program,
  SpawnOptions,
} from "../loop/platform/platform.ts";
import { isWindows, missingOnWindows } from "../loop/platform/deno_system.ts";
import { nameTooManyFiles } from "../loop/errors/deno_too_many_files.ts";
import { ReadableStreamChannel } from "../transports/deno/readable_stream_channel.ts";
import { WritableStreamChannel } from "../transports/deno/writable_stream_channel.ts";
import { namingFlag } from "./_deno_run_permission.ts";
import { checkFormat } from "./_deno_program_format.ts";
import { mergingErrors } from "./_deno_merged_errors.ts";
import { killDescendants, listDescendants, mayFollowTrees } from "./_deno_process_tree.ts";
import { maySignalGroups, signalGroup } from "./_deno_signal_group.ts";

/** What the host was told; a descriptor works as a target, though its types do not say so. */
export type DenoCommandOptions = Omit<Deno.CommandOptions, "args"> & { args: readonly string[] };

/** What a process that cannot be waited for has returned, as in asyncio. */
const UNKNOWN_RETURNCODE = 255;
/** Added to the number of a signal in the exit code of a process that it killed. */
const SIGNAL_OFFSET = 128;

/** Child processes, on Deno. */
export class DenoProcesses implements Processes {
  get shell(): string {
    return shell("")[0];
  }

  spawn(loop: EventLoop, program: Program, options: SpawnOptions, sink: ProcessSink): ChildProcess {
    const name = "command" in program ? program.command : this.shell;
    try {
      if (isWindows()) refuseOnWindows(name, options);
      const [command, commandOptions] = denoCommand(program, options);
      const child = namingFlag(command, () => spawn(command, commandOptions));
      return new DenoChild(loop, child, options, sink);
    } catch (error) {
      throw nameTooManyFiles(error, `run "${name}"`);
    }
  }
}

class DenoChild implements ChildProcess {
  readonly pid: number;
  readonly stdin: ByteChannel | null;
  readonly stdout: ByteChannel | null;
  readonly stderr: ByteChannel | null;
  readonly handle: Deno.ChildProcess;
  readonly #leadsGroup: boolean;
  #exited = false;
  /** Noted when it was asked to end. */
  #descendants: readonly string[] = [];

  constructor(loop: EventLoop, child: Deno.ChildProcess, options: SpawnOptions, sink: ProcessSink) {
    this.pid = child.pid;
    this.handle = child;
    this.#leadsGroup = options.startNewSession ?? false;
    // What waits for a child holds our process alive, not the child.
    child.unref();
    this.stdin = options.stdin === "piped" ? new WritableStreamChannel(loop, child.stdin) : null;
    this.stdout = options.stdout === "piped" ? new ReadableStreamChannel(loop, child.stdout) : null;
    this.stderr = options.stderr === "piped" ? new ReadableStreamChannel(loop, child.stderr) : null;
    returncodeOf(child).then((returncode) => {
      this.#exited = true;
      loop[inside.enter](new Step(() => sink.exited(returncode)));
    });
  }

  kill(signal: Deno.Signal): void {
    if (this.#exited) return;
    try {
      this.handle.kill(signal);
    } catch (error) {
      // A signal that does not exist is one more TypeError.
      if (!isTerminated(error)) throw error;
    }
  }

  killGroup(signal: Deno.Signal): void {
    signalGroup(this.pid, signal);
  }

  noteDescendants(): void {
    if (this.#exited || this.#leadsGroup || !mayFollowTrees()) return;
    this.#descendants = listDescendants(this.pid);
  }

  destroy(): void {
    if (!this.#leadsGroup) this.#killDescendants();
    else if (maySignalGroups()) {
      try {
        this.killGroup("SIGKILL");
      } catch (error) {
        // Nobody is left in it.
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    this.kill("SIGKILL");
    // So that the program does not end before it: that takes no time.
    this.handle.ref();
  }

  #killDescendants(): void {
    if (this.#exited && this.#descendants.length === 0 || !mayFollowTrees()) return;
    this.kill("SIGSTOP");
    killDescendants(this.#exited ? null : this.pid, this.#descendants);
    this.#descendants = [];
  }
}

function denoCommand(
  program: Program,
  { startNewSession = false, user, group, stderr, ...options }: SpawnOptions,
): [command: string, options: DenoCommandOptions] {
  const common = {
    ...options,
    detached: startNewSession,
    ...user === undefined ? {} : { uid: user },
    ...group === undefined ? {} : { gid: group },
  } as Omit<DenoCommandOptions, "args">;
  const [command, args, raw] = "command" in program
    ? [program.command, program.args, false]
    : shell(program.commandLine);
  if ("command" in program) checkFormat(command, { ...common, args });
  if (stderr === "stdout") return mergingErrors(command, { ...common, args });
  const target = stderr as NonNullable<Deno.CommandOptions["stderr"]>;
  return [command, { ...common, args, stderr: target, windowsRawArguments: raw }];
}

/** Throws for what Deno would leave out there without a word, or the shell would not understand. */
function refuseOnWindows(name: string, { user, group, stderr }: SpawnOptions): void {
  if (user !== undefined || group !== undefined) {
    throw missingOnWindows(`run "${name}" as another user`, "numbers of users");
  }
  if (stderr === "stdout") {
    throw missingOnWindows(`run "${name}" with its errors in its output`, "shell that joins them");
  }
}

/** Returns the shell of the system as a command that runs `line`. */
function shell(line: string): [command: string, args: string[], rawArguments: boolean] {
  if (!isWindows()) return ["/bin/sh", ["-c", line], false];
  return ["cmd.exe", ["/d", "/s", "/c", `"${line}"`], true];
}

function spawn(command: string, options: DenoCommandOptions): Deno.ChildProcess {
  return new Deno.Command(command, { ...options, args: [...options.args] }).spawn();
}

/** Waits for the end of `child`. The host knows no real-time signals, and names them in an error. */
async function returncodeOf(child: Deno.ChildProcess): Promise<number> {
  try {
    const { code, signal } = await child.status;
    return signal === null ? code : SIGNAL_OFFSET - code;
  } catch (error) {
    const [, signal] = /^Invalid signal: (\d+)$/.exec((error as Error).message) ?? [];
    return signal === undefined ? UNKNOWN_RETURNCODE : -Number(signal);
  }
}

function isTerminated(error: unknown): boolean {
  return error instanceof TypeError && error.message.includes("already terminated");
}
