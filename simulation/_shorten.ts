/** How many times a failed run may be repeated. */
export interface Budget {
  left: number;
}

/**
 * Returns fewer items with which a run still fails: leaves out one half, then a quarter, and so on
 * down to single items, and keeps what fails still.
 */
export async function shortenList<T>(
  items: readonly T[],
  fails: (candidate: readonly T[]) => Promise<boolean>,
  budget: Budget,
): Promise<readonly T[]> {
  let shortest = items;
  for (let size = Math.ceil(shortest.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let start = 0; start < shortest.length && budget.left > 0;) {
      const candidate = [...shortest];
      candidate.splice(start, size);
      budget.left -= 1;
      if (await fails(candidate)) shortest = candidate;
      else start += size;
    }
  }
  return shortest;
}
