import type { DenoCommandOptions } from "./deno_processes.ts";
import { namingFlag } from "./_deno_run_permission.ts";

const SHELL = "/bin/sh";

/** Runs its arguments as a program whose errors go where its output goes. */
const MERGE = `exec "$@" 2>&1`;

/** Exits as a shell does for a program that it cannot run. */
const CHECK = `[ -e "$1" ] || exit 127; [ -x "$1" ] && [ ! -d "$1" ] || exit 126`;

/** No program can be started with it. */
const IMPOSSIBLE_ARGUMENT = "\0";

/**
 * Returns the command that runs `command` with its errors in the same pipe as its output.
 *
 * The host gives each child pipes of its own, so a shell joins the two and then becomes the program:
 * the process stays the same, and the order of what it writes is kept. What keeps the program from
 * starting is thrown here, because the shell could only write it into that pipe.
 *
 * @permissions allow-run=/bin/sh
 */
export function mergingErrors(
  command: string,
  options: DenoCommandOptions,
): [command: string, options: DenoCommandOptions] {
  const merged: DenoCommandOptions = {
    ...options,
    args: ["-c", MERGE, "sh", command, ...options.args],
    stderr: "inherit",
  };
  checkCommand(command, options);
  return [SHELL, merged];
}

/** Throws what starting `command` would throw. */
function checkCommand(command: string, options: DenoCommandOptions): void {
  const { cwd, env, clearEnv, uid, gid } = options;
  const silent = { stdin: "null", stdout: "null", stderr: "null" } as const;
  const quiet = { cwd, env, clearEnv, uid, gid, ...silent } as Deno.CommandOptions;
  try {
    namingFlag(
      command,
      () => new Deno.Command(command, { ...quiet, args: [IMPOSSIBLE_ARGUMENT] }).outputSync(),
    );
  } catch (error) {
    // The program was found and is granted; only the argument is refused.
    if (!(error instanceof TypeError)) throw error;
  }
  if (!command.includes("/")) return;
  const args = ["-c", CHECK, "sh", command];
  const { code } = namingFlag(
    SHELL,
    () => new Deno.Command(SHELL, { ...quiet, args }).outputSync(),
  );
  if (code === 127) {
    throw new Deno.errors.NotFound(`Cannot run "${command}": no such file or directory`);
  }
  if (code === 126) {
    throw new Deno.errors.PermissionDenied(`Cannot run "${command}": not a program`);
  }
}
