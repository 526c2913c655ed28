/** Returns the time of day in milliseconds, which engines on other machines count by. */
export function wallClock(): number {
  return Date.now();
}
