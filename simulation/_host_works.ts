import type { Place } from "./_place.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** Something that the host works at. */
interface Work {
  /** Gives the result; `null` as long as there is none. */
  deliver: (() => void) | null;
}

/**
 * What the host works at for a simulation, on threads of its own.
 *
 * Time stands still meanwhile. Which work is done first is up to chance, so their results are given
 * together, once all are there and nothing else goes on, in the order in which they began. What a dead
 * host has asked for is given to nobody.
 */
export class HostWorks {
  readonly #clock: VirtualClock;
  #works: Work[] = [];

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** Begins a work of `place`. Returns what is called once it is done, with what gives the result. */
  begin(place: Place): (deliver: () => void) => void {
    const release = this.#clock.hold();
    const work: Work = { deliver: null };
    this.#works.push(work);
    return (deliver) => {
      work.deliver = () => {
        if (place.isAlive) deliver();
      };
      if (this.#works.every((work) => work.deliver !== null)) this.#deliver();
      release();
    };
  }

  #deliver(): void {
    const now = this.#clock.now();
    for (const { deliver } of this.#works) this.#clock.schedule(now, deliver as () => void);
    this.#works = [];
  }
}
