/**
 * Something that happens at a time.
 *
 * @category Simulation
 */
export interface Appointment {
  /** When, in seconds. */
  readonly when: number;
  /** Prevents it. Does nothing once it has happened. */
  cancel(): void;
  /**
   * Says whether something waits for it. It happens all the same; but a simulation in which nothing
   * else will ever happen has come to its end.
   */
  keep(isAwaited: boolean): void;
}

/** Entries by what waits for them. */
interface Weights {
  /** Something may. */
  awaited: number;
  /** Nothing does by itself, as for a timer that was unref'd; while something else is open, it may. */
  optional: number;
  /** Nothing ever does. */
  idle: number;
}

class Entry implements Appointment {
  readonly when: number;
  /** Position among the entries of the same time. */
  readonly sequence: number;
  /** `null` once it has happened or was cancelled. */
  happen: (() => void) | null;
  readonly #agenda: Agenda;
  #weight: keyof Weights;

  constructor(
    agenda: Agenda,
    when: number,
    sequence: number,
    happen: () => void,
    weight: keyof Weights,
  ) {
    this.#agenda = agenda;
    this.when = when;
    this.sequence = sequence;
    this.happen = happen;
    this.#weight = weight;
    agenda.weights[weight] += 1;
  }

  cancel(): void {
    this.take();
  }

  keep(isAwaited: boolean): void {
    if (this.happen === null) return;
    this.#agenda.weights[this.#weight] -= 1;
    this.#weight = isAwaited ? "awaited" : "optional";
    this.#agenda.weights[this.#weight] += 1;
  }

  /** Returns what happens, which then happens no more. */
  take(): (() => void) | null {
    const { happen } = this;
    if (happen !== null) this.#agenda.weights[this.#weight] -= 1;
    this.happen = null;
    return happen;
  }

  isBefore(other: Entry): boolean {
    return this.when < other.when || (this.when === other.when && this.sequence < other.sequence);
  }
}

/**
 * What is going to happen in a simulated world, in the order of time, and of entry where times
 * are equal: a binary heap. A cancelled entry leaves when its time comes.
 */
export class Agenda {
  /** How many entries there are that have not happened. */
  readonly weights: Weights = { awaited: 0, optional: 0, idle: 0 };
  readonly #heap: Entry[] = [];
  #sequence = 0;

  /** When the next thing happens; `Infinity` when nothing is planned. */
  get next(): number {
    const heap = this.#heap;
    while (heap.length > 0 && (heap[0] as Entry).happen === null) this.#pop();
    return heap.length === 0 ? Infinity : (heap[0] as Entry).when;
  }

  /** Plans that `happen` is called at `when`. */
  add(when: number, happen: () => void, weight: keyof Weights = "awaited"): Appointment {
    const entry = new Entry(this, when, this.#sequence++, happen, weight);
    this.#push(entry);
    return entry;
  }

  /** Lets everything happen that is due at `now`. What that plans for `now` waits for the next call. */
  run(now: number): void {
    const newest = this.#sequence;
    while (this.next <= now && (this.#heap[0] as Entry).sequence < newest) {
      this.#pop().take()?.();
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!entry.isBefore(above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): Entry {
    const heap = this.#heap;
    const top = heap[0] as Entry;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return top;
    let index = 0;
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      const right = heap[child + 1];
      if (right !== undefined && right.isBefore(heap[child] as Entry)) child += 1;
      if (!(heap[child] as Entry).isBefore(last)) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
    return top;
  }
}
