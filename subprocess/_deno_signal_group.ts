import { namingFlag } from "./_deno_run_permission.ts";

/**
 * Sends `signal` to the process group `group`.
 *
 * The host asks for a grant to run everything before it sends a signal to another process. Where
 * there is none, the program `kill` does it, which can be granted alone.
 */
export function signalGroup(group: number, signal: Deno.Signal): void {
  if (!isGranted({ name: "run" })) return signalByProgram(group, signal);
  try {
    Deno.kill(-group, signal);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw nobodyLeft(group, signal, cause);
  }
}

/** Whether {@linkcode signalGroup} is permitted, without asking the user. */
export function maySignalGroups(): boolean {
  return isGranted({ name: "run" }) || isGranted({ name: "run", command: "kill" });
}

function isGranted(permission: Deno.RunPermissionDescriptor): boolean {
  return Deno.permissions.querySync(permission).state === "granted";
}

function signalByProgram(group: number, signal: Deno.Signal): void {
  const args = ["-s", signal.replace(/^SIG/, ""), "--", `-${group}`];
  const kill = new Deno.Command("kill", { args, stdin: "null", stdout: "null", stderr: "piped" });
  const { success, stderr } = namingFlag("kill", () => kill.outputSync());
  if (!success) throw nobodyLeft(group, signal, new TextDecoder().decode(stderr).trim());
}

function nobodyLeft(group: number, signal: Deno.Signal, cause: unknown): Error {
  return new Deno.errors.NotFound(
    `Cannot send ${signal} to process group ${group}: there is no such process`,
    { cause },
  );
}
