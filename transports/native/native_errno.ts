/** A class of errors. */
type ErrorClass = new (message?: string, options?: ErrorOptions) => Error;

export const EINTR = 4;
export const EAGAIN = 11;
export const ENFILE = 23;
export const EMFILE = 24;
export const EPIPE = 32;
export const ECONNABORTED = 103;
export const EISCONN = 106;
export const ECONNREFUSED = 111;
export const EINPROGRESS = 115;

/** What an error is, by its number: its name, the class that Deno has for it, what it says. */
const ERRORS: Readonly<Record<number, readonly [string, ErrorClass, string]>> = {
  1: ["EPERM", Deno.errors.PermissionDenied, "Operation not permitted"],
  2: ["ENOENT", Deno.errors.NotFound, "No such file or directory"],
  [EINTR]: ["EINTR", Deno.errors.Interrupted, "Interrupted system call"],
  5: ["EIO", Error, "Input/output error"],
  9: ["EBADF", Deno.errors.BadResource, "Bad file descriptor"],
  [EAGAIN]: ["EAGAIN", Deno.errors.WouldBlock, "Resource temporarily unavailable"],
  12: ["ENOMEM", Error, "Cannot allocate memory"],
  13: ["EACCES", Deno.errors.PermissionDenied, "Permission denied"],
  17: ["EEXIST", Deno.errors.AlreadyExists, "File exists"],
  20: ["ENOTDIR", Deno.errors.NotADirectory, "Not a directory"],
  21: ["EISDIR", Deno.errors.IsADirectory, "Is a directory"],
  22: ["EINVAL", TypeError, "Invalid argument"],
  [ENFILE]: ["ENFILE", Error, "Too many open files in system"],
  [EMFILE]: ["EMFILE", Error, "Too many open files"],
  29: ["ESPIPE", Error, "Illegal seek"],
  [EPIPE]: ["EPIPE", Deno.errors.BrokenPipe, "Broken pipe"],
  36: ["ENAMETOOLONG", Error, "File name too long"],
  40: ["ELOOP", Deno.errors.FilesystemLoop, "Too many levels of symbolic links"],
  88: ["ENOTSOCK", Error, "Socket operation on non-socket"],
  90: ["EMSGSIZE", Error, "Message too long"],
  91: ["EPROTOTYPE", Error, "Protocol wrong type for socket"],
  92: ["ENOPROTOOPT", Error, "Protocol not available"],
  95: ["EOPNOTSUPP", Error, "Operation not supported"],
  97: ["EAFNOSUPPORT", Error, "Address family not supported by protocol"],
  98: ["EADDRINUSE", Deno.errors.AddrInUse, "Address already in use"],
  99: ["EADDRNOTAVAIL", Deno.errors.AddrNotAvailable, "Cannot assign requested address"],
  100: ["ENETDOWN", Deno.errors.NetworkUnreachable, "Network is down"],
  101: ["ENETUNREACH", Deno.errors.NetworkUnreachable, "Network is unreachable"],
  [ECONNABORTED]: [
    "ECONNABORTED",
    Deno.errors.ConnectionAborted,
    "Software caused connection abort",
  ],
  104: ["ECONNRESET", Deno.errors.ConnectionReset, "Connection reset by peer"],
  105: ["ENOBUFS", Error, "No buffer space available"],
  [EISCONN]: ["EISCONN", Error, "Transport endpoint is already connected"],
  107: ["ENOTCONN", Deno.errors.NotConnected, "Transport endpoint is not connected"],
  110: ["ETIMEDOUT", Deno.errors.TimedOut, "Connection timed out"],
  [ECONNREFUSED]: ["ECONNREFUSED", Deno.errors.ConnectionRefused, "Connection refused"],
  112: ["EHOSTDOWN", Deno.errors.NetworkUnreachable, "Host is down"],
  113: ["EHOSTUNREACH", Deno.errors.NetworkUnreachable, "No route to host"],
};

/** Returns the error with the number `number`, in the class and the words of Deno's. */
export function systemError(number: number): Error & { code: string } {
  const [code, ErrorClass, text] = ERRORS[number] ?? [`E${number}`, Error, "Unknown error"];
  return Object.assign(new ErrorClass(`${text} (os error ${number})`), { code });
}
