/** Returns Deno's error for what is not permitted. */
export function notCapable(message: string, cause?: unknown): Error {
  return new Deno.errors.NotCapable(message, cause === undefined ? {} : { cause });
}

/** Returns the error for `action`, which the process may do only with all of `flags`. */
export function flagsMissing(action: string, flags: readonly string[], cause?: unknown): Error {
  return notCapable(`Cannot ${action}: it requires ${flags.join(" ")}`, cause);
}

/** Whether `error` says that a permission is missing. */
export function isNotCapable(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable;
}

/** How Deno says what is missing: of what kind, and for what. */
const REQUIRES = /^Requires (\w+) access to "(.*)", run again with the --allow-\w+(=.*)? flag$/s;
/** How it says that everything of a kind is needed. */
const REQUIRES_ALL = /^Requires (\w+) access, run again with the --allow-\w+ flag$/;

/** Returns `error`, a refusal of Deno's, with the action and the narrowest flag that allows it. */
export function nameMissingFlag(error: Error, action: string): Error {
  const [, everyOf] = REQUIRES_ALL.exec(error.message) ?? [];
  if (everyOf !== undefined) return flagsMissing(action, [`--allow-${everyOf}`], error);
  const [, kind, member] = REQUIRES.exec(error.message) ?? [];
  if (kind === undefined || member === undefined) return error;
  return flagsMissing(action, [flag(kind, member)], error);
}

/** Returns the flag that grants `member` alone. A comma begins the next one unless doubled. */
export function flag(kind: string, member: string): string {
  return `--allow-${kind}=${member.replaceAll(",", ",,")}`;
}
