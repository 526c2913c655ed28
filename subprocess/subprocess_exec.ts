import { checkLoopOpen } from "../loop/errors/loop_closed.ts";
import { checkOptions } from "../loop/values/check_options.ts";
import type { Future } from "../loop/tasks/future.ts";
import type { StdioTarget } from "../loop/platform/platform.ts";
import type { PlatformLoop } from "../loop/platform/platform_loop.ts";
import { startOperation } from "../loop/tasks/start_operation.ts";
import { execProgram, shellProgram } from "./_check_options.ts";
import { SUBPROCESS_EXEC, SUBPROCESS_SHELL } from "./_options.ts";
import { startProcess } from "./_start_process.ts";
import type { SubprocessProtocolLike } from "./subprocess_protocol.ts";
import type { SubprocessTransport } from "./subprocess_transport.ts";

/**
 * The standard stream is a pipe to or from us. As `asyncio.subprocess.PIPE`.
 *
 * @category Subprocesses
 */
export const PIPE = "piped";
/**
 * The standard stream leads nowhere. As `asyncio.subprocess.DEVNULL`.
 *
 * @category Subprocesses
 */
export const DEVNULL = "null";
/**
 * The errors go where the output goes. As `asyncio.subprocess.STDOUT`.
 *
 * @category Subprocesses
 */
export const STDOUT = "stdout";

/**
 * How a child is started.
 *
 * @category Subprocesses
 */
export interface SubprocessOptions {
  /**
   * Where its stdin comes from: `"piped"`, `"inherit"`, `"null"`, or the number of one of our
   * descriptors, such as that of a file opened with `openSync()` of `node:fs`.
   */
  stdin?: StdioTarget | undefined;
  /** Where its stdout goes. */
  stdout?: StdioTarget | undefined;
  /**
   * Where its stderr goes; `"stdout"` is where its stdout goes, in the order written. On Deno that
   * is the work of a shell: it needs `--allow-run=/bin/sh` too.
   */
  stderr?: StdioTarget | "stdout" | undefined;
  /** The directory that it runs in; ours by default. */
  cwd?: string | URL | undefined;
  /** Variables to set in its environment, which is ours otherwise. */
  env?: Record<string, string> | undefined;
  /** Whether its environment is `env` alone, as asyncio's `env` means it. */
  clearEnv?: boolean | undefined;
  /** Whether it leads a session of its own: then its whole family can be signalled. */
  startNewSession?: boolean | undefined;
  /**
   * The number of the user that it runs as; ours by default. A name cannot be looked up on Deno. As
   * in asyncio it stays in our group unless `group` says otherwise; other groups of ours it has not.
   */
  user?: number | undefined;
  /** The number of the group that it runs as; ours by default. */
  group?: number | undefined;
}

/**
 * How a program is started.
 *
 * @category Subprocesses
 */
export interface SubprocessExecOptions extends SubprocessOptions {
  /** The arguments, without the program's own name. */
  args?: readonly string[] | undefined;
}

/**
 * Starts a program. As `loop.subprocess_exec()`.
 *
 * Its three standard streams are pipes unless `options` say otherwise. Cancelling kills it and
 * waits for its end.
 *
 * @permissions allow-run=<command>
 * @param loop The loop that it reports to.
 * @param protocolFactory Creates the protocol.
 * @param command The program: a path, or a name to be found on the `PATH` of the child.
 * @param options Additional options.
 * @returns The transport and the protocol, after `connectionMade` was called.
 * @throws {Deno.errors.NotFound} If there is no such program, or no such directory to run it in.
 * @throws {Error} With the code `ENOEXEC`, if the format of the file is unknown. What Deno may
 * neither read nor have the shell look at, is given to the shell by the system.
 * @throws {Deno.errors.PermissionDenied} If the file is not a program, or `user` or `group` may not
 * be taken.
 * @throws {Deno.errors.NotCapable} If the permission is missing; the message names the flag.
 * @throws {TypeError} If an option is of the wrong kind.
 * @throws {Deno.errors.NotSupported} On Windows, with `user`, `group` or `stderr: "stdout"`.
 *
 * @category Subprocesses
 *
 * @example Waiting for the end of a program
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DenoEventLoop } from "@gyre/asyncio";
 * import { subprocessExec } from "@gyre/asyncio/subprocess";
 *
 * const loop = new DenoEventLoop();
 * await loop.runUntilComplete(function* () {
 *   const ended = loop.createFuture<void>();
 *   const protocol = { connectionLost: () => ended.setResult() };
 *   const [transport] = yield* subprocessExec(loop, () => protocol, "false");
 *   yield* ended;
 *   assertEquals(transport.getReturncode(), 1);
 * });
 * loop.close();
 * ```
 */
export function subprocessExec<P extends SubprocessProtocolLike>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  command: string,
  options: SubprocessExecOptions = {},
): Future<[SubprocessTransport, P]> {
  checkOptions("start a process", options, SUBPROCESS_EXEC);
  checkLoopOpen(loop, "start a process");
  return startOperation(
    loop,
    startProcess(loop, protocolFactory, execProgram(command, options.args), options),
  );
}

/**
 * Starts a command line in the shell of the system. As `loop.subprocess_shell()`.
 *
 * Never put text of others into the line: the shell takes it for commands.
 *
 * @permissions allow-run=/bin/sh
 * @param loop The loop that it reports to.
 * @param protocolFactory Creates the protocol.
 * @param commandLine What the shell runs.
 * @param options Additional options.
 * @returns The transport and the protocol, after `connectionMade` was called.
 * @throws {Deno.errors.NotFound} If there is no such directory to run it in.
 * @throws {Deno.errors.NotCapable} If the permission is missing; the message names the flag.
 * @throws {TypeError} If an option is of the wrong kind.
 *
 * @category Subprocesses
 *
 * @example What a line prints
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DenoEventLoop } from "@gyre/asyncio";
 * import { subprocessShell } from "@gyre/asyncio/subprocess";
 *
 * const loop = new DenoEventLoop();
 * const text = await loop.runUntilComplete(function* () {
 *   const heard = loop.createFuture<string>();
 *   yield* subprocessShell(loop, () => ({
 *     pipeDataReceived: (_fd, data) => heard.setResult(new TextDecoder().decode(data)),
 *   }), "echo $((6 * 7))");
 *   return yield* heard;
 * });
 * loop.close();
 * assertEquals(text, "42\n");
 * ```
 */
export function subprocessShell<P extends SubprocessProtocolLike>(
  loop: PlatformLoop,
  protocolFactory: () => P,
  commandLine: string,
  options: SubprocessOptions = {},
): Future<[SubprocessTransport, P]> {
  checkOptions("start a process", options, SUBPROCESS_SHELL);
  checkLoopOpen(loop, "start a process");
  return startOperation(
    loop,
    startProcess(loop, protocolFactory, shellProgram(commandLine), options),
  );
}
