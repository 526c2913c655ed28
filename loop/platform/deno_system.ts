/**
 * What systems differ in. Only here the system is asked for, and only here a file URL becomes a
 * path; a lint rule checks both.
 *
 * @module
 */

/** The name of the system: `linux`, `darwin`, `windows` and others. */
export function systemName(): string {
  return Deno.build.os;
}

/** Whether this is Windows: no process groups, no shell of POSIX, no Unix sockets on Deno. */
export function isWindows(): boolean {
  return systemName() === "windows";
}

/** Whether this is Linux: with `/proc`, and programs of the format ELF. */
export function isLinux(): boolean {
  return systemName() === "linux";
}

/** The machine that programs are compiled for. */
export function architecture(): string {
  return Deno.build.arch;
}

/**
 * Returns the path of a file as Deno's own functions take it from a URL; a text is one already.
 *
 * @throws {TypeError} If a URL is none of a file.
 */
export function filePath(file: string | URL): string {
  if (!(file instanceof URL)) return file;
  const { protocol, host, pathname } = file;
  if (protocol !== "file:") {
    throw new TypeError(`Cannot use "${file.href}" as a path: it is no URL of a file`);
  }
  // What encodes nothing stands for itself.
  const path = decodeURIComponent(pathname.replace(/%(?![0-9a-f]{2})/gi, "%25"));
  if (!isWindows()) return path;
  const local = path.replace(/^\/+(?=[a-z]:)/i, "").replaceAll("/", "\\");
  return host === "" ? local : `\\\\${host}${local}`;
}

/** Returns the error for `action`, which needs `what`. */
export function missingOnWindows(action: string, what: string): Error {
  return new Deno.errors.NotSupported(`Cannot ${action}: Deno has no ${what} on Windows`);
}
