/** Returns the error of a signal to process `pid`, which has ended. */
export function processEnded(pid: number, signal: Deno.Signal): Error {
  return new Deno.errors.NotFound(`Cannot send ${signal} to process ${pid}: it has ended`);
}
