/** Returns the error for a name that does not resolve. */
export function nameNotFound(hostname: string, state: string, cause?: unknown): Error {
  return new Deno.errors.NotFound(`Cannot resolve "${hostname}": ${state}`, { cause });
}
