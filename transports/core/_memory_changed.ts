import { InvalidStateError } from "../../loop/errors/errors.ts";

/** Returns the error of a connection whose bytes to send are gone; `cause` is how that showed. */
export function memoryChanged(cause?: Error): Error {
  const message =
    "Cannot send what was written: its memory was transferred or resized before it went out";
  const error = new InvalidStateError(message);
  if (cause !== undefined) error.cause = cause;
  return error;
}
