import { isAbsoluteUrl } from "../loop/values/absolute_url.ts";
import * as inside from "../loop/inside.ts";

/**
 * A function named by its module; made by {@linkcode moduleFunction}.
 *
 * @category Executors
 */
export class ModuleFunction<A extends unknown[] = unknown[], R = unknown> {
  /** The URL of the module. */
  readonly url: string;
  /** The name that the module exports it by. */
  readonly exportName: string;
  /** @ignore Its type. */
  declare readonly [inside.signature]?: (...args: A) => R;

  /** Most callers want {@linkcode moduleFunction}. */
  constructor(url: string, exportName: string) {
    this.url = url;
    this.exportName = exportName;
  }
}

/**
 * Names a function that a worker imports itself: it may use all of its module.
 *
 * The worker imports the module once. It needs the permission for that: `--allow-read` for a
 * file, `--allow-import` for most hosts, none for JSR and npm.
 *
 * @typeParam F The type of the function.
 * @param url Where the module is: an absolute URL, as `new URL("./job.ts", import.meta.url)`, or a
 * `jsr:`, `npm:` or `node:` specifier.
 * @param exportName The name of the export.
 * @permissions allow-read=<file> for a file, when the job runs
 * @returns What stands for the function in `runInExecutor()` and `submit()`.
 * @throws {TypeError} If `url` is not absolute.
 *
 * @category Executors
 *
 * @example A function of a module
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { DenoEventLoop, moduleFunction } from "@gyre/asyncio";
 *
 * const basename = moduleFunction<(path: string) => string>("node:path", "basename");
 * const loop = new DenoEventLoop();
 * const result = await loop.runUntilComplete(loop.runInExecutor(null, basename, "/a/b.txt"));
 * assertEquals(result, "b.txt");
 * await loop.runUntilComplete(loop.shutdownDefaultExecutor());
 * loop.close();
 * ```
 */
export function moduleFunction<F extends (...args: never[]) => unknown>(
  url: string | URL,
  exportName = "default",
): ModuleFunction<Parameters<F>, ReturnType<F>> {
  const text = String(url);
  if (!isAbsoluteUrl(text)) {
    throw new TypeError(
      `Cannot name a function of module ${JSON.stringify(text)}: the URL is not absolute; ` +
        `a worker has no folder to start from, so use new URL(..., import.meta.url)`,
    );
  }
  return new ModuleFunction(text, exportName);
}
