/**
 * The part of the seam that starts other programs.
 *
 * *Theory of operation.* To start a program is a system call: it is done, or has failed, when
 * {@linkcode Processes.spawn} returns. What the program does then is reported to a
 * {@linkcode ProcessSink}, from an entry of the loop. Its pipes are byte channels, of which stdin
 * only writes and the others only read. The exit of a process says nothing of its pipes: a process
 * that it started may hold them.
 *
 * @module
 */
import type { EventLoop } from "../event_loop.ts";
import type { ByteChannel } from "./network_platform.ts";

/**
 * Where a standard stream of a child goes: a pipe, where ours goes, nowhere, or a descriptor.
 *
 * @category Subprocesses
 */
export type StdioTarget = "piped" | "inherit" | "null" | number;

/**
 * What to start: a program and its arguments, or a line for the shell of the system.
 *
 * @category Platform
 */
export type Program = { command: string; args: readonly string[] } | { commandLine: string };

/**
 * Settings of {@linkcode Processes.spawn}.
 *
 * @category Platform
 */
export interface SpawnOptions {
  /** Where the child reads its input from. */
  stdin: StdioTarget;
  /** Where its output goes. */
  stdout: StdioTarget;
  /** Where its errors go; `"stdout"` is where its output goes. */
  stderr: StdioTarget | "stdout";
  /** The directory that it runs in; ours by default. */
  cwd?: string | URL | undefined;
  /** Variables to set in its environment. */
  env?: Record<string, string> | undefined;
  /** Whether its environment has nothing but `env`, instead of ours too. */
  clearEnv?: boolean | undefined;
  /** Whether it leads a session, and so a process group, of its own. */
  startNewSession?: boolean | undefined;
  /** The number of the user that it runs as; ours by default. */
  user?: number | undefined;
  /** The number of the group that it runs as; ours by default. */
  group?: number | undefined;
}

/**
 * A program that was started.
 *
 * @category Platform
 */
export interface ChildProcess {
  /** Its number. */
  readonly pid: number;
  /** The pipe to its input, if there is one. */
  readonly stdin: ByteChannel | null;
  /** The pipe from its output, if there is one. */
  readonly stdout: ByteChannel | null;
  /** The pipe from its errors, if there is one. */
  readonly stderr: ByteChannel | null;
  /** What the host calls it. */
  readonly handle: unknown;
  /**
   * Sends `signal` to it, unless it has ended.
   *
   * @throws {TypeError} If there is no such signal.
   */
  kill(signal: Deno.Signal): void;
  /**
   * Sends `signal` to the process group that it leads, also when it has ended itself.
   *
   * @throws {Deno.errors.NotFound} If nobody is left in the group.
   * @throws {Deno.errors.NotCapable} If the permission is missing.
   */
  killGroup(signal: Deno.Signal): void;
  /**
   * Notes what it has started, as far as that can be known, so that {@linkcode destroy} finds those
   * too that it has left alone by then.
   */
  noteDescendants(): void;
  /**
   * Ends it at once, whatever state it is in, and with it, where that is permitted, its group, or
   * what it has started.
   */
  destroy(): void;
}

/**
 * Who is told what becomes of a process.
 *
 * @category Platform
 */
export interface ProcessSink {
  /**
   * It has ended. The only report, exactly once.
   *
   * @param returncode Its exit code; the negative number of the signal that killed it.
   */
  exited(returncode: number): void;
}

/**
 * What a loop needs to start programs.
 *
 * @category Platform
 */
export interface Processes {
  /** The program that runs command lines. */
  readonly shell: string;
  /**
   * Starts a program. It does not hold our process alive.
   *
   * @throws {Deno.errors.NotFound} If there is no such program or directory.
   * @throws {Deno.errors.PermissionDenied} If it is not a program.
   * @throws {Deno.errors.NotCapable} If the permission is missing.
   */
  spawn(loop: EventLoop, program: Program, options: SpawnOptions, sink: ProcessSink): ChildProcess;
}
