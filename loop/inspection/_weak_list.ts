/** What was added, as long as somebody else has it; each once. */
export class WeakList<T extends object> {
  readonly #references: Set<WeakRef<T>> = new Set();
  readonly #known: WeakSet<T> = new WeakSet();
  /** How many there may be before those that are gone are looked for. */
  #limit = 64;

  /** Adds `item`, unless it is there. */
  add(item: T): void {
    if (this.#known.has(item)) return;
    this.#known.add(item);
    this.#references.add(new WeakRef(item));
    if (this.#references.size > this.#limit) this.#limit = 2 * this.list().length + 64;
  }

  /** Returns what is there still, in the order in which it came. */
  list(): T[] {
    const items: T[] = [];
    for (const reference of this.#references) {
      const item = reference.deref();
      if (item === undefined) this.#references.delete(reference);
      else items.push(item);
    }
    return items;
  }
}
