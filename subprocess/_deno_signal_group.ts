import { isWindows, missingOnWindows } from "../loop/platform/deno_system.ts";
import { namingFlag } from "./_deno_run_permission.ts";

const KILL = "kill";
/** Has a `kill` of its own. */
const SHELL = "/bin/sh";

/**
 * Sends `signal` to the process group `group`.
 *
 * The host asks for a grant to run everything before it sends a signal to another process. Where
 * there is none, the program `kill` does it, which can be granted alone, or else the shell.
 */
export function signalGroup(group: number, signal: Deno.Signal): void {
  if (isWindows()) {
    throw missingOnWindows(`send ${signal} to process group ${group}`, "process groups");
  }
  if (!isGranted(undefined)) return signalByProgram(group, signal);
  try {
    Deno.kill(-group, signal);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw nobodyLeft(group, signal, cause);
  }
}

/** Whether {@linkcode signalGroup} is permitted, without asking the user. */
export function maySignalGroups(): boolean {
  return !isWindows() && [undefined, KILL, SHELL].some(isGranted);
}

function isGranted(command: string | undefined): boolean {
  const permission = command === undefined
    ? { name: "run" as const }
    : { name: "run" as const, command };
  return Deno.permissions.querySync(permission).state === "granted";
}

function signalByProgram(group: number, signal: Deno.Signal): void {
  const args = ["-s", signal.replace(/^SIG/, ""), "--", `-${group}`];
  const byShell = !isGranted(KILL) && isGranted(SHELL);
  const kill = new Deno.Command(byShell ? SHELL : KILL, {
    args: byShell ? ["-c", 'kill "$@"', "sh", ...args] : args,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  const { success, stderr } = namingFlag(KILL, () => kill.outputSync());
  if (!success) throw nobodyLeft(group, signal, new TextDecoder().decode(stderr).trim());
}

function nobodyLeft(group: number, signal: Deno.Signal, cause: unknown): Error {
  return new Deno.errors.NotFound(
    `Cannot send ${signal} to process group ${group}: there is no such process`,
    { cause },
  );
}
