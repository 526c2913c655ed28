import { filePath, isWindows } from "../platform/deno_system.ts";

/** A drive or a share: what only a path of Windows begins with. */
const FROM_DRIVE = /^([a-z]:|\\\\)/i;

/**
 * Which files and folders may be used.
 *
 * A path is compared as text, and `..` in it takes the folder before it away. The system, which
 * follows links first, may go elsewhere; so who opens a path must open what {@linkcode admit}
 * returns, which has no `..` left. Links without that are followed: a listed folder stands for what
 * the links in it lead to.
 */
export class PathGrant {
  readonly #all: boolean;
  readonly #paths: readonly string[];

  constructor(grant: boolean | readonly (string | URL)[]) {
    this.#all = grant === true;
    this.#paths = typeof grant === "boolean" ? [] : grant.map(pathOf);
  }

  /** Whether everything is allowed. */
  get isFull(): boolean {
    return this.#all;
  }

  /** Returns `path` as it must be opened, or `null` if it is not allowed. */
  admit(path: string): string | null {
    if (this.#all) return path;
    if (!this.allows(path)) return null;
    // Windows takes `..` away itself before it follows links, and keeps the capitals.
    return isOfWindows(path) ? path : normalPath(path) || ".";
  }

  /** Whether `path`, or a folder that it is in, is allowed. */
  allows(path: string | URL): boolean {
    if (this.#all) return true;
    const wanted = pathOf(path);
    return this.#paths.some((allowed) => wanted === allowed || isInside(wanted, allowed));
  }
}

/**
 * Returns `path` without `.`, `..` and doubled slashes. A relative path stays relative, and so is
 * another one than any absolute path: what the current folder is may change.
 */
export function normalPath(path: string): string {
  // A name that Linux keeps outside of the file system.
  if (path.startsWith("\0")) return path;
  const text = isOfWindows(path) ? path.replaceAll("\\", "/").toLowerCase() : path;
  const isAbsolute = text.startsWith("/");
  const parts: string[] = [];
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!isAbsolute) parts.push(part);
  }
  return (isAbsolute ? "/" : "") + parts.join("/");
}

/** Whether `path` is one of Windows, which takes both slashes and knows no capitals. */
function isOfWindows(path: string): boolean {
  return isWindows() || FROM_DRIVE.test(path);
}

/** Whether `path` is below `folder`; an empty one is the current folder. */
function isInside(path: string, folder: string): boolean {
  if (folder === "") return !/^([/\0]|\.\.(\/|$)|[a-z]:)/.test(path);
  return path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

function pathOf(path: string | URL): string {
  return normalPath(filePath(path));
}
