import type { EventLoop } from "../event_loop.ts";

/** The numbers of what snapshots of a loop tell of: one object has the same in each of them. */
export class Identities {
  readonly #numbers: WeakMap<object, number> = new WeakMap();
  #last = 0;

  /** Gives a number that nothing has. */
  next(): number {
    return ++this.#last;
  }

  /** The number of `object`, which has one from now on. */
  of(object: object): number {
    let number = this.#numbers.get(object);
    if (number === undefined) this.#numbers.set(object, number = this.next());
    return number;
  }
}

/** Each loop has its own, so that its runs are the same. */
const identities: WeakMap<EventLoop, Identities> = new WeakMap();

/** Returns the numbers of `loop`. */
export function identitiesOf(loop: EventLoop): Identities {
  let own = identities.get(loop);
  if (own === undefined) identities.set(loop, own = new Identities());
  return own;
}
