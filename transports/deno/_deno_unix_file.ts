/**
 * The files of Unix sockets that listen.
 *
 * *Theory of operation.* Deno removes the path of a listener that is closed, with whatever is there
 * by then, and up to one turn later. So what is to stay there, because others have put it there or
 * because the server leaves its socket, is saved under a second name before a listener is closed,
 * and put back afterwards. And a listener is opened only when those that were closed have let go of
 * their paths, for one may be the same.
 *
 * @module
 */
import { untilAddressesAreFree } from "./_deno_closing_listeners.ts";

/** Removes what a program has left at `path` that did not close its listener. */
export async function prepareUnixPath(path: string): Promise<void> {
  await untilAddressesAreFree();
  if (isAbstract(path)) return;
  try {
    if (Deno.statSync(path).isSocket === true) Deno.removeSync(path);
  } catch {
    // There is nothing, or it cannot be removed; then listening says why.
  }
}

/**
 * Returns what to call right before the listener that is open at `path` is closed. That returns
 * what to call once it is.
 *
 * @param cleanup Whether the socket goes with the listener.
 */
export function guardUnixPath(path: string, cleanup: boolean): () => () => void {
  const own = isAbstract(path) ? null : identifyFile(path);
  return () => {
    const isGone = own === null || cleanup && identifyFile(path) === own;
    return isGone ? noop : save(path) ?? noop;
  };
}

/** Whether `path` is a name that Linux keeps outside of the file system. */
function isAbstract(path: string): boolean {
  return path.startsWith("\0");
}

/** Names the file at `path`, whatever it is called; `null` if there is none. */
export function identifyFile(path: string): string | null {
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

function noop(): void {}
