/** What the host says when a program is not granted. It says other things of other grants. */
const NO_RUN_ACCESS = /^Requires run access to "/;

/** Calls `start`, which starts `command`; names the flag that would allow it, if it is not allowed. */
export function namingFlag<T>(command: string, start: () => T): T {
  try {
    return start();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable) || !NO_RUN_ACCESS.test(cause.message)) {
      throw cause;
    }
    throw new Deno.errors.NotCapable(
      `Cannot run "${command}": it requires --allow-run=${command}`,
      { cause },
    );
  }
}
