import { checkOptions } from "../loop/values/check_options.ts";
import type { Future } from "../loop/tasks/future.ts";
import { type PlatformLoop, runningPlatformLoop } from "../loop/platform/platform_loop.ts";
import type { Program } from "../loop/platform/platform.ts";
import { interruptedBy } from "../loop/tasks/interrupted_by.ts";
import { startOperation } from "../loop/tasks/start_operation.ts";
import type { Coroutine } from "../loop/tasks/task.ts";
import { execProgram, shellProgram } from "./_check_options.ts";
import { CREATE_SUBPROCESS_EXEC, CREATE_SUBPROCESS_SHELL } from "./_options.ts";
import { ProcessStreams } from "./_process_streams.ts";
import { Process, type ProcessOptions } from "./process.ts";
import { startProcess } from "./_start_process.ts";
import type { StreamReader } from "../transports/streams/stream_reader.ts";
import type { StreamWriter } from "../transports/streams/stream_writer.ts";
import type { PIPE, SubprocessExecOptions, SubprocessOptions } from "./subprocess_exec.ts";

/**
 * How {@linkcode createSubprocessShell} starts a process. Its streams are inherited by default.
 *
 * @category Subprocesses
 */
export interface CreateSubprocessOptions extends SubprocessOptions, ProcessOptions {
  /** The limit of its stream readers, in bytes; 64 KiB by default. */
  limit?: number | undefined;
}

/**
 * How {@linkcode createSubprocessExec} starts a process. Its streams are inherited by default.
 *
 * @category Subprocesses
 */
export interface CreateSubprocessExecOptions
  extends CreateSubprocessOptions, SubprocessExecOptions {}

/**
 * Options of the type `O`, if each of them is one of `Known`. An unknown one is an error then, also
 * where the type of the options is of interest.
 *
 * @category Subprocesses
 */
export type OnlyKnown<O, Known> = [Exclude<keyof O, keyof Known>] extends [never] ? O : Known;

/**
 * The stream for a standard stream that goes to `Target`: there is one for a pipe only.
 *
 * @category Subprocesses
 */
export type PipeStream<Target, Stream> = Target extends typeof PIPE ? Stream : null;

/**
 * The process that options of the type `O` start: which of its streams are pipes.
 *
 * @category Subprocesses
 */
export type ProcessOf<O extends CreateSubprocessOptions> = Process<
  PipeStream<O["stdin"], StreamWriter>,
  PipeStream<O["stdout"], StreamReader>,
  PipeStream<O["stderr"], StreamReader>
>;

/**
 * Starts a program. As `asyncio.create_subprocess_exec()`.
 *
 * Its standard streams are ours unless `options` say otherwise. Cancelling kills it.
 *
 * @permissions allow-run=<command>
 * @param command The program: a path, or a name to be found on the `PATH` of the child.
 * @param options Additional options.
 * @returns The process.
 * @throws {Deno.errors.NotFound} If there is no such program, or no such directory to run it in.
 * @throws {Deno.errors.PermissionDenied} If the file is not a program.
 * @throws {Deno.errors.NotCapable} If the permission is missing; the message names the flag.
 * @throws {InvalidStateError} If no loop is running here.
 *
 * @category Subprocesses
 *
 * @example Talking to a program
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createSubprocessExec, PIPE, run } from "@gyre/asyncio";
 *
 * const text = await run(async () => {
 *   await using cat = await createSubprocessExec("cat", { stdin: PIPE, stdout: PIPE });
 *   const [output] = await cat.communicate(new TextEncoder().encode("meow"));
 *   return new TextDecoder().decode(output);
 * });
 * assertEquals(text, "meow");
 * ```
 */
export function createSubprocessExec<O extends CreateSubprocessExecOptions = Record<never, never>>(
  command: string,
  options: OnlyKnown<O, CreateSubprocessExecOptions> = NONE,
): Future<ProcessOf<O>> {
  checkOptions("start a process", options, CREATE_SUBPROCESS_EXEC);
  const loop = runningPlatformLoop("start a process");
  return create(loop, execProgram(command, options.args), options);
}

/**
 * Starts a command line in the shell of the system. As `asyncio.create_subprocess_shell()`.
 *
 * Never put text of others into the line: the shell takes it for commands.
 *
 * @permissions allow-run=/bin/sh
 * @param commandLine What the shell runs.
 * @param options Additional options.
 * @returns The process.
 * @throws {Deno.errors.NotCapable} If the permission is missing; the message names the flag.
 * @throws {InvalidStateError} If no loop is running here.
 *
 * @category Subprocesses
 *
 * @example A pipeline of the shell
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createSubprocessShell, PIPE, run } from "@gyre/asyncio";
 *
 * const code = await run(async () => {
 *   await using shell = await createSubprocessShell("true | (exit 3)", { stdout: PIPE });
 *   return await shell.wait();
 * });
 * assertEquals(code, 3);
 * ```
 */
export function createSubprocessShell<O extends CreateSubprocessOptions = Record<never, never>>(
  commandLine: string,
  options: OnlyKnown<O, CreateSubprocessOptions> = NONE,
): Future<ProcessOf<O>> {
  checkOptions("start a process", options, CREATE_SUBPROCESS_SHELL);
  const loop = runningPlatformLoop("start a process");
  return create(loop, shellProgram(commandLine), options);
}

/** No options, whatever their type. */
const NONE = {} as never;

function create<O extends CreateSubprocessOptions>(
  loop: PlatformLoop,
  program: Program,
  options: O,
): Future<ProcessOf<O>> {
  const start = () => startOperation(loop, createSteps(loop, program, options));
  return interruptedBy(loop, options.signal, start);
}

function* createSteps<O extends CreateSubprocessOptions>(
  loop: PlatformLoop,
  program: Program,
  options: O,
): Coroutine<ProcessOf<O>> {
  const factory = () => new ProcessStreams(loop, options.limit);
  const { stdin = "inherit", stdout = "inherit", stderr = "inherit" } = options;
  const allOptions = { ...options, stdin, stdout, stderr };
  const [transport, streams] = yield* startProcess(loop, factory, program, allOptions);
  return new Process(loop, transport, streams, options);
}
