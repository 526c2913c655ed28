/**
 * The files of Unix sockets that listen.
 *
 * *Theory of operation.* Deno removes the path of a listener that is closed, with whatever is there
 * by then, and up to one turn later. Two things follow. Before a listener is closed, what others
 * have put at its path is saved under a second name, and put back afterwards. And a listener is
 * opened only when those that were closed have let go of their paths, for one may be the same.
 *
 * @module
 */

/** Listeners of this thread that are closed, and whose paths are not free yet. */
const closing: Set<Promise<void>> = new Set();

/** Removes what a program has left at `path` that did not close its listener. */
export async function prepareUnixPath(path: string): Promise<void> {
  await Promise.all(closing);
  if (isAbstract(path)) return;
  try {
    if (Deno.statSync(path).isSocket === true) Deno.removeSync(path);
  } catch {
    // There is nothing, or it cannot be removed; then listening says why.
  }
}

/**
 * Returns what to call right before the listener that was just opened at `path` is closed. That
 * returns what to call once it is.
 */
export function guardUnixPath(path: string): () => () => void {
  const own = isAbstract(path) ? null : identify(path);
  return () => {
    const restore = own === null || identify(path) === own ? null : save(path);
    const { promise, resolve } = Promise.withResolvers<void>();
    closing.add(promise);
    return () => {
      restore?.();
      closing.delete(promise);
      resolve();
    };
  };
}

/** Whether `path` is a name that Linux keeps outside of the file system. */
function isAbstract(path: string): boolean {
  return path.startsWith("\0");
}

/** Names the file at `path`, whatever it is called; `null` if there is none. */
function identify(path: string): string | null {
  try {
    const { dev, ino } = Deno.lstatSync(path);
    return `${dev} ${ino}`;
  } catch {
    return null;
  }
}

/** Gives what is at `path` a second name, and returns what puts it back; `null` if it cannot. */
function save(path: string): (() => void) | null {
  const saved = `${path}.${crypto.randomUUID()}`;
  try {
    Deno.linkSync(path, saved);
  } catch {
    return null;
  }
  return () => {
    try {
      Deno.linkSync(saved, path);
    } catch {
      // Something newer is there.
    }
    Deno.removeSync(saved);
  };
}
