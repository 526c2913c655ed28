/**
 * Throws if `given` is a time limit, as `threading` has it for such a call: an argument that the call
 * does not have would be ignored, and the wait be one without an end.
 *
 * @param call The call, as in "event.wait()".
 */
export function refuseTimeLimit(given: unknown, call: string): void {
  const isLimit = typeof given === "number" || typeof given === "boolean" ||
    (typeof given === "object" && given !== null &&
      Object.getPrototypeOf(given) === Object.prototype);
  if (!isLimit) return;
  throw new TypeError(`Cannot wait: ${call} takes no time limit; there is waitFor(${call}, 1)`);
}
