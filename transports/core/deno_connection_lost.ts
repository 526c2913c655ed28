/** Returns the error of `action`, which needs a connection that is gone. */
export function connectionLost(action: string): Error {
  return new Deno.errors.ConnectionReset(`Cannot ${action}: the connection is lost`);
}
