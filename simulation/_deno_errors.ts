/** The name of something that can go wrong on a network. */
export type NetworkErrorKind =
  | "addressInUse"
  | "addressNotAvailable"
  | "brokenPipe"
  | "connectionRefused"
  | "connectionReset"
  | "familyNotSupported"
  | "hostUnreachable"
  | "messageTooLong"
  | "notFound"
  | "timedOut"
  | "unresolved";

/** A class of errors. */
type ErrorClass = new (message?: string) => Error;

/** How Deno reports it: the class, the code, and what the message ends with. */
const KINDS: Readonly<Record<NetworkErrorKind, readonly [ErrorClass, string, string]>> = {
  addressInUse: [Deno.errors.AddrInUse, "EADDRINUSE", "address already in use (os error 98)"],
  addressNotAvailable: [
    Deno.errors.AddrNotAvailable,
    "EADDRNOTAVAIL",
    "cannot assign requested address (os error 99)",
  ],
  brokenPipe: [Deno.errors.BrokenPipe, "EPIPE", "broken pipe (os error 32)"],
  connectionRefused: [
    Deno.errors.ConnectionRefused,
    "ECONNREFUSED",
    "connection refused (os error 111)",
  ],
  connectionReset: [
    Deno.errors.ConnectionReset,
    "ECONNRESET",
    "connection reset by peer (os error 104)",
  ],
  familyNotSupported: [
    Error,
    "EAFNOSUPPORT",
    "address family not supported by protocol (os error 97)",
  ],
  hostUnreachable: [
    Deno.errors.NetworkUnreachable,
    "EHOSTUNREACH",
    "no route to host (os error 113)",
  ],
  messageTooLong: [Error, "EMSGSIZE", "message too long (os error 90)"],
  notFound: [Deno.errors.NotFound, "ENOENT", "no such file or directory (os error 2)"],
  timedOut: [Deno.errors.TimedOut, "ETIMEDOUT", "connection timed out (os error 110)"],
  unresolved: [Deno.errors.NotFound, "ENOTFOUND", "the name does not resolve"],
};

/** Creates the error that Deno would give when it cannot do `action`, such as `connect to "db:1"`. */
export function createNetworkError(kind: NetworkErrorKind, action: string): Error {
  const [ErrorClass, code, state] = KINDS[kind];
  return Object.assign(new ErrorClass(`Cannot ${action}: ${state}`), { code });
}
