import { isLostConnection, isSystemError } from "./deno_os_error.ts";

/**
 * Whether `error` is what `except OSError` catches in a program on asyncio: an error of the system
 * (`Deno.errors.ConnectionRefused`, `NotFound`, one with a code such as `EMFILE`), a failure of TLS
 * or of looking a name up, or a {@linkcode TimeoutError}.
 *
 * `Deno.errors` have no common base to catch. `Deno.errors.NotCapable` is not among them: it says
 * that the program was started without a permission, and not what the system did.
 *
 * @category Errors
 *
 * @example A server that is not there
 * ```ts
 * import { assert } from "@std/assert";
 * import { isOSError, openConnection, run } from "@gyre/asyncio";
 *
 * using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
 * const { port } = listener.addr;
 * listener.close();
 * await run(async () => {
 *   try {
 *     await openConnection({ hostname: "127.0.0.1", port });
 *   } catch (error) {
 *     if (!isOSError(error)) throw error;
 *     assert(error instanceof Deno.errors.ConnectionRefused);
 *   }
 * });
 * ```
 */
export function isOSError(error: unknown): error is Error {
  return isSystemError(error);
}

/**
 * Whether `error` is what `except ConnectionError` catches in a program on asyncio:
 * `Deno.errors.BrokenPipe`, `ConnectionAborted`, `ConnectionRefused` or `ConnectionReset`, or an
 * error with the code of one of them, as the `UnexpectedEof` of a TLS peer that has gone has.
 *
 * @category Errors
 */
export function isConnectionError(error: unknown): error is Error {
  return isLostConnection(error);
}
