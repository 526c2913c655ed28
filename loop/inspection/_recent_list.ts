/** The latest of what was added, up to a number. */
export class RecentList<T> {
  readonly #most: number;
  readonly #items: T[] = [];
  /** Where the next goes once the list is full. */
  #next = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Adds `item`, in place of the oldest if need be. */
  add(item: T): void {
    if (this.#items.length < this.#most) this.#items.push(item);
    else this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.#most;
  }

  /** Returns what is kept, the oldest first. */
  list(): T[] {
    if (this.#items.length < this.#most) return [...this.#items];
    return [...this.#items.slice(this.#next), ...this.#items.slice(0, this.#next)];
  }
}
