/**
 * Who is ready: one epoll for each loop.
 *
 * *Theory of operation.* Interest is level-triggered: what was not taken is reported again. The slots
 * are by descriptor, and an event carries the generation of its slot too, for a number that is closed
 * within a batch may be another file's by the time that its event is handled.
 *
 * A selector that watches something is
 *
 * - `quiet` while the loop runs, which asks it by {@linkcode Selector.poll};
 * - `hot` while the loop waits and something has been ready lately: it looks once in each turn of
 *   the host, and takes a few events, so that sockets and timers of the host get their turns;
 * - `asleep` while the loop waits and nothing is ready: a {@linkcode Sleeper} will wake it.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import * as inside from "../../loop/inside.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { Poller } from "../../loop/platform/platform.ts";
import type { Runnable } from "../../loop/scheduling/ready_queue.ts";
import { type OpenResource, openResources } from "../core/open_resources.ts";
import { checked, closeDescriptor } from "./native_descriptors.ts";
import { EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD } from "./native_layouts.ts";
import { layout, libc } from "./native_libc.ts";
import { createSleeper, type Sleeper } from "./native_sleeper.ts";

/** Events in a turn of the host. With more, what else the process serves comes late. */
const EVENTS_IN_TURN = 16;

/** Looks that find nothing until the selector sleeps. */
const PATIENCE = 2;

/** Who is told that a descriptor is ready. */
export interface ReadySink {
  /** `events` have come, as of `epoll_wait()`: also `EPOLLERR` and `EPOLLHUP`, which always do. */
  ready(events: number): void;
}

/** The interest in one descriptor. */
export class Watch {
  readonly descriptor: number;
  /** @ignore */
  readonly generation: number;
  /** @ignore */
  readonly sink: ReadySink;
  readonly #selector: Selector;
  /** What is wanted, and what epoll knows. */
  #wanted = 0;
  #known = 0;

  /** @ignore By {@linkcode Selector.watch}. */
  constructor(selector: Selector, descriptor: number, generation: number, sink: ReadySink) {
    this.#selector = selector;
    this.descriptor = descriptor;
    this.generation = generation;
    this.sink = sink;
  }

  /** What is wanted. */
  get wanted(): number {
    return this.#wanted;
  }

  /** Wants `events` too. */
  want(events: number): void {
    this.#wanted |= events;
    if ((this.#known & events) !== events) this.#tell(this.#wanted);
  }

  /** As {@linkcode want} of a descriptor that others may have closed meanwhile, and opened anew. */
  wantAnew(events: number): void {
    if (this.#known !== 0 && !this.#selector.modifies(this, this.#known | events)) this.#known = 0;
    else if (this.#known !== 0) this.#known |= events;
    this.want(events);
  }

  /** Wants `events` no more. Epoll is told when one comes all the same, which is rare. */
  forgo(events: number): void {
    this.#wanted &= ~events;
  }

  /** @ignore Events have come: those that nobody wants are to come no more. */
  report(events: number): void {
    if (this.#wanted !== this.#known) this.#tell(this.#wanted);
    if (this.#wanted !== 0) this.sink.ready(events);
  }

  /** Ends the interest. The descriptor is closed right after. */
  end(isClosing = true): void {
    this.#wanted = 0;
    // Epoll forgets a file that is closed.
    if (!isClosing) this.#tell(0);
    this.#selector.forget(this);
  }

  #tell(events: number): void {
    if (events === this.#known) return;
    const action = events === 0 ? EPOLL_CTL_DEL : this.#known === 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    this.#selector.control(action, this, events);
    this.#known = events;
  }
}

/** Where the selector stands; see above. */
type State = "quiet" | "hot" | "asleep";

/** The epoll of one loop. */
export class Selector implements Poller, Runnable, OpenResource {
  readonly #loop: EventLoop;
  readonly #epoll: number;
  readonly #watches: (Watch | null)[] = [];
  #watched = 0;
  #generation = 0;
  /** Words of an event, and which of them its data begins with. */
  readonly #words = layout.eventWords;
  readonly #dataWord = layout.eventDataWord;
  readonly #events = new Uint32Array(EVENTS_IN_TURN * layout.eventWords);
  readonly #interest = new Uint32Array(layout.eventWords);
  /** Events of the last look that were not handled. */
  #count = 0;
  #state: State = "quiet";
  /** Looks in a row that have found nothing. */
  #misses = 0;
  /** Made with the selector: when there is no descriptor left, the loop could not wait. */
  readonly #sleeper: Sleeper;
  #isReleased = false;

  private constructor(loop: EventLoop) {
    this.#loop = loop;
    this.#epoll = checked(libc.epoll_create1(EPOLL_CLOEXEC));
    try {
      this.#sleeper = createSleeper(this.#epoll, this.#onAwake);
    } catch (error) {
      closeDescriptor(this.#epoll);
      throw error;
    }
    openResources(loop).add(this);
  }

  /** Returns the selector of `loop`. */
  static of(loop: EventLoop): Selector {
    let selector = selectors.get(loop);
    if (selector === undefined) selectors.set(loop, selector = new Selector(loop));
    return selector;
  }

  /** Whether `watch` is the one of its descriptor: that may have been closed, and its number used anew. */
  has(watch: Watch): boolean {
    return this.#watches[watch.descriptor] === watch;
  }

  /** Whether somebody is told of `descriptor`. */
  isWatched(descriptor: number): boolean {
    return (this.#watches[descriptor] ?? null) !== null;
  }

  /**
   * Tells `sink` of `descriptor`, which is new, once something is wanted of that. Who watched a
   * descriptor of that number watched one that is closed.
   */
  watch(descriptor: number, sink: ReadySink): Watch {
    const stale = this.#watches[descriptor] ?? null;
    if (stale !== null) this.forget(stale);
    this.#generation = (this.#generation + 1) >>> 0;
    const watch = new Watch(this, descriptor, this.#generation, sink);
    this.#watches[descriptor] = watch;
    this.#watched += 1;
    if (this.#watched === 1 && !this.#isReleased) this.#loop[inside.setPoller](this);
    return watch;
  }

  /** @ignore */
  forget(watch: Watch): void {
    if (this.#watches[watch.descriptor] !== watch) return;
    this.#watches[watch.descriptor] = null;
    this.#watched -= 1;
    if (this.#watched > 0 || this.#isReleased) return;
    this.#loop[inside.setPoller](null);
    this.rest();
  }

  /** @ignore Tells epoll of the interest in `watch`. */
  control(action: number, watch: Watch, events: number): void {
    // A number that was closed and used anew is not this watch's any more.
    if (this.#isReleased || !this.has(watch)) return;
    const interest = this.#interest;
    interest[0] = events;
    interest[this.#dataWord] = watch.descriptor;
    interest[this.#dataWord + 1] = watch.generation;
    const result = libc.epoll_ctl(this.#epoll, action, watch.descriptor, interest);
    // What was closed before is out of epoll already.
    if (action !== EPOLL_CTL_DEL) checked(result);
  }

  /** @ignore Tells epoll of another interest in `watch`; says whether it knows the file. */
  modifies(watch: Watch, events: number): boolean {
    try {
      this.control(EPOLL_CTL_MOD, watch, events);
      return true;
    } catch {
      return false;
    }
  }

  poll(): boolean {
    if (this.#count > 0) return true;
    if (!this.#look()) return false;
    this.#loop[inside.enqueue](this);
    return true;
  }

  idle(): void {
    if (this.#state === "quiet" && !this.#isReleased) this.#sleep();
  }

  rest(): void {
    if (this.#state === "asleep") this.#sleeper.rest();
    this.#state = "quiet";
  }

  /** @ignore Handles what was found. */
  [inside.run](): void {
    const count = this.#count;
    const events = this.#events;
    const words = this.#words;
    const dataWord = this.#dataWord;
    this.#count = 0;
    for (let index = 0; index < count; index += 1) {
      const place = index * words;
      const watch = this.#watches[events[place + dataWord] as number] ?? null;
      if (watch === null || watch.generation !== events[place + dataWord + 1]) continue;
      watch.report(events[place] as number);
    }
  }

  /** @ignore */
  [inside.release](): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#count = 0;
    this.#state = "quiet";
    this.#sleeper.close();
    closeDescriptor(this.#epoll);
    this.#watches.length = 0;
  }

  /** Asks what is ready. */
  #look(): boolean {
    if (this.#isReleased) return false;
    const count = libc.epoll_wait(this.#epoll, this.#events, EVENTS_IN_TURN, 0);
    this.#count = Math.max(count, 0);
    return count > 0;
  }

  #sleep(): void {
    this.#state = "asleep";
    this.#sleeper.sleep();
  }

  /** Something is ready, or was: who runs a loop meanwhile may have taken it. */
  readonly #onAwake = (): void => {
    if (this.#state !== "asleep") return;
    this.#state = "quiet";
    this.#misses = 0;
    this.#lookWhileWaiting();
  };

  readonly #onTurn = (): void => {
    if (this.#state !== "hot") return;
    this.#state = "quiet";
    this.#lookWhileWaiting();
  };

  /** Looks in a turn of the host, unless the loop runs and looks itself. */
  #lookWhileWaiting(): void {
    if (this.#isReleased || this.#watched === 0 || !this.#loop[inside.isWaiting]) return;
    if (this.#count === 0 && this.#look()) {
      this.#misses = 0;
      this.#state = "hot";
      setImmediate(this.#onTurn);
      this.#loop[inside.enter](this);
    } else if (++this.#misses < PATIENCE) {
      this.#state = "hot";
      setImmediate(this.#onTurn);
    } else this.#sleep();
  }
}

/** Those that exist. */
const selectors: WeakMap<EventLoop, Selector> = new WeakMap();
