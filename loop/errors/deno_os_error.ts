import { TimeoutError } from "./errors.ts";

/** The classes of the errors that the system gives. What Deno itself refuses is not among them. */
const SYSTEM_ERRORS = [
  Deno.errors.AddrInUse,
  Deno.errors.AddrNotAvailable,
  Deno.errors.AlreadyExists,
  Deno.errors.BadResource,
  Deno.errors.BrokenPipe,
  Deno.errors.Busy,
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionRefused,
  Deno.errors.ConnectionReset,
  Deno.errors.FilesystemLoop,
  Deno.errors.Interrupted,
  Deno.errors.InvalidData,
  Deno.errors.IsADirectory,
  Deno.errors.NetworkUnreachable,
  Deno.errors.NotADirectory,
  Deno.errors.NotConnected,
  Deno.errors.NotFound,
  Deno.errors.PermissionDenied,
  Deno.errors.TimedOut,
  Deno.errors.UnexpectedEof,
  Deno.errors.WouldBlock,
  Deno.errors.WriteZero,
  TimeoutError,
];

const CONNECTION_ERRORS = [
  Deno.errors.BrokenPipe,
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionRefused,
  Deno.errors.ConnectionReset,
];

/** The codes of the system and of its look-up of names: `EMFILE`, `EAI_AGAIN`; not `ERR_…`. */
const SYSTEM_CODE = /^(E[A-Z0-9]+|EAI_[A-Z]+)$/;
const CONNECTION_CODE = /^(EPIPE|ESHUTDOWN|ECONN(ABORTED|REFUSED|RESET))$/;

/** Whether `error` comes from the system, by its class or code, or says that time ran out. */
export function isSystemError(error: unknown): boolean {
  return isOneOf(error, SYSTEM_ERRORS, SYSTEM_CODE);
}

/** Whether `error` says that a connection was refused, lost or broken. */
export function isLostConnection(error: unknown): boolean {
  return isOneOf(error, CONNECTION_ERRORS, CONNECTION_CODE);
}

function isOneOf(
  error: unknown,
  classes: readonly (abstract new (...args: never[]) => Error)[],
  codes: RegExp,
): boolean {
  try {
    if (!(error instanceof Error)) return false;
    if (classes.some((each) => error instanceof each)) return true;
    const { code } = error as { code?: unknown };
    return typeof code === "string" && codes.test(code);
  } catch {
    // What is thrown may be a proxy that throws when it is looked at.
    return false;
  }
}
