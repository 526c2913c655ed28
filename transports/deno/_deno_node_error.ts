/** A class of errors. */
type ErrorClass = new (message?: string, options?: ErrorOptions) => Error;

/** What Deno throws where Node gives an error with a code: the class and the message. */
const DENO_ERRORS: Readonly<Record<string, readonly [ErrorClass, string]>> = {
  EACCES: [Deno.errors.PermissionDenied, "Permission denied"],
  EADDRINUSE: [Deno.errors.AddrInUse, "Address already in use"],
  EADDRNOTAVAIL: [Deno.errors.AddrNotAvailable, "Cannot assign requested address"],
  EAFNOSUPPORT: [Error, "Address family not supported by protocol"],
  ECONNABORTED: [Deno.errors.ConnectionAborted, "Connection aborted"],
  ECONNREFUSED: [Deno.errors.ConnectionRefused, "Connection refused"],
  ECONNRESET: [Deno.errors.ConnectionReset, "Connection reset by peer"],
  EHOSTUNREACH: [Deno.errors.NetworkUnreachable, "No route to host"],
  EMSGSIZE: [Error, "Message too long"],
  EMFILE: [Error, "Too many open files"],
  ENETUNREACH: [Deno.errors.NetworkUnreachable, "Network is unreachable"],
  EPIPE: [Deno.errors.BrokenPipe, "Broken pipe"],
  ETIMEDOUT: [Deno.errors.TimedOut, "Connection timed out"],
  UNKNOWN: [Error, "the system refused it, and Deno does not say why"],
};

/** Returns an error of Node's as the one that Deno's own API would have thrown. */
export function toDenoError(error: Error & { code?: string; syscall?: string }): Error {
  // An address of another machine: of a server, `node:net` tells it as a failure to listen.
  const isBinding = error.syscall === "bind" || error.syscall === "listen";
  const code = error.code === "EINVAL" && isBinding ? "EADDRNOTAVAIL" : error.code;
  const known = code === undefined ? undefined : DENO_ERRORS[code];
  if (known === undefined) return error;
  const [ErrorClass, message] = known;
  return Object.assign(new ErrorClass(message, { cause: error }), { code });
}
