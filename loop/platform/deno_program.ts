/**
 * Ends the program at once. What a listener to `unload` throws is printed, and changes nothing, as
 * in Python.
 *
 * @param code The exit code; `Deno.exitCode` by default.
 */
export function exitProgram(code?: number): never {
  // Deno would end the program with 1, and at once.
  addEventListener("error", printAndGoOn);
  try {
    Deno.exit(code);
  } finally {
    // It has not: `deno test` throws instead.
    removeEventListener("error", printAndGoOn);
  }
}

function printAndGoOn(event: ErrorEvent): void {
  event.preventDefault();
  console.error("Exception in a listener to unload:", event.error);
}

/** Returns the exit code by which shells and supervisors know a program that `signal` ended. */
export async function exitCodeOf(signal: string): Promise<number> {
  // Imported only here: it costs each start a millisecond.
  const { constants } = await import("node:os");
  return 128 + ((constants.signals as Record<string, number>)[signal] ?? 0);
}
