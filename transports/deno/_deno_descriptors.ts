/** The errors of a system that can open nothing more: the process has its share, or all have. */
const EXHAUSTED: readonly unknown[] = ["EMFILE", "ENFILE"];

/** Returns the error for `action` of a process that has opened as much as it may. */
export function tooManyOpenFiles(action: string): Error {
  const error = new Error(`Cannot ${action}: too many open files`);
  return withoutFrames(Object.assign(error, { code: "EMFILE" }));
}

/**
 * Returns `error`, without the frames of its stack if it says that too many files are open: to name
 * a frame Deno reads the file that it is in, and panics when that cannot be opened.
 */
export function printable<E>(error: E): E {
  return error instanceof Error && isExhaustion(error) ? withoutFrames(error) : error;
}

/**
 * Whether the process can open nothing more. There is nothing to ask; but on Linux Deno finds its
 * own size out by opening a file, and says 0 where it cannot.
 */
export function isOutOfDescriptors(): boolean {
  return Deno.memoryUsage().rss === 0;
}

function isExhaustion(error: Error): boolean {
  return "code" in error && EXHAUSTED.includes(error.code);
}

function withoutFrames<E extends Error>(error: E): E {
  error.stack = `${error.name}: ${error.message}`;
  return error;
}
