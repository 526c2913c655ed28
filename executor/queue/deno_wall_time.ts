/** Seconds since 1970, which callers and workers on other machines share as far as their clocks agree. */
export function wallTime(): number {
  return Date.now() / 1000;
}
