/** The codes of the system for a table of descriptors that is full: of the process, or of all. */
const CODES: readonly unknown[] = ["EMFILE", "ENFILE"];

/** Returns the error for `action` of a process that has opened as much as it may. */
export function tooManyOpenFiles(action: string): Error {
  return explain(action, "EMFILE");
}

/** Returns `error`, with the action that no descriptor was left for if it says so. */
export function nameTooManyFiles(error: unknown, action: string): unknown {
  const { code } = Object(error) as { code?: unknown };
  return CODES.includes(code) ? explain(action, code, { cause: error }) : error;
}

/**
 * Returns `error`, without the frames of its stack if it says that too many files are open: to name
 * a frame Deno reads the file that it is in, and panics when that cannot be opened.
 */
export function printable<E>(error: E): E {
  if (!(error instanceof Error && "code" in error && CODES.includes(error.code))) return error;
  error.stack = `${error.name}: ${error.message}`;
  return error;
}

/**
 * Whether the process can open nothing more. There is nothing to ask; but on Linux Deno finds its
 * own size out by opening a file, and says 0 where it cannot.
 */
export function isOutOfDescriptors(): boolean {
  return Deno.memoryUsage().rss === 0;
}

function explain(action: string, code: unknown, options?: ErrorOptions): Error {
  const error = new Error(`Cannot ${action}: too many open files`, options);
  return printable(Object.assign(error, { code }));
}
