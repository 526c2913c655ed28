/** The smallest item first, as `compare` orders them; a binary heap. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  /** Creates an empty heap. */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  /** How many items there are. */
  get size(): number {
    return this.#items.length;
  }

  /** Adds `item`. */
  push(item: T): void {
    const items = this.#items;
    const place = this.#placeFor(item);
    for (let index = items.length; index > place; index = (index - 1) >> 1) {
      items[index] = items[(index - 1) >> 1] as T;
    }
    items[place] = item;
  }

  /** Where a new item goes; what the order throws changes nothing. */
  #placeFor(item: T): number {
    let index = this.#items.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#compare(item, this.#items[parent] as T) >= 0) break;
      index = parent;
    }
    return index;
  }

  /** Takes the smallest item; there is one. */
  shift(): T {
    const items = this.#items;
    const top = items[0] as T;
    const last = items.pop() as T;
    if (items.length > 0) this.#sink(last);
    return top;
  }

  /** Places `item`, starting from the top. */
  #sink(item: T): void {
    const items = this.#items;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= items.length) break;
      const right = child + 1;
      if (right < items.length && this.#compare(items[right] as T, items[child] as T) < 0) {
        child = right;
      }
      if (this.#compare(items[child] as T, item) >= 0) break;
      items[index] = items[child] as T;
      index = child;
    }
    items[index] = item;
  }
}
