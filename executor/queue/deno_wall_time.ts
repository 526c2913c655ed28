/** Seconds since 1970, which callers and workers on other machines share as far as their clocks agree. */
export function wallTime(): number {
  return Date.now() / 1000;
}

/** Returns the time that `text` says, as engines write it, in the same seconds. */
export function readTime(text: string): number {
  return Date.parse(text) / 1000;
}
