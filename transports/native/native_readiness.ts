import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { Readiness } from "../../loop/platform/platform.ts";
import { explainNetworkError } from "../deno/_deno_network_error.ts";
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT } from "./native_layouts.ts";
import { type ReadySink, Selector, type Watch } from "./native_selector.ts";

/** Who is told of one descriptor: of each kind of readiness one. */
class Watched implements ReadySink {
  readonly #loop: EventLoop;
  readonly #watch: Watch;
  readonly #onEnd: () => void;
  #reader: (() => void) | null = null;
  #writer: (() => void) | null = null;

  constructor(loop: EventLoop, descriptor: number, onEnd: () => void) {
    this.#loop = loop;
    this.#watch = Selector.of(loop).watch(descriptor, this);
    this.#onEnd = onEnd;
  }

  /** Whether it is told of its descriptor still. */
  get isCurrent(): boolean {
    return Selector.of(this.#loop).has(this.#watch);
  }

  /** Calls `ready` for `kind` from now on. Throws what the system refuses. */
  set(kind: "read" | "write", ready: () => void): () => void {
    if ((kind === "read" ? this.#reader : this.#writer) !== null) {
      throw new InvalidStateError(
        `Cannot watch descriptor ${this.#watch.descriptor}: somebody waits to ${kind} already`,
      );
    }
    try {
      this.#watch.wantAnew(kind === "read" ? EPOLLIN : EPOLLOUT);
    } catch (error) {
      this.#watch.forgo(kind === "read" ? EPOLLIN : EPOLLOUT);
      this.#endIfUnused();
      throw explainNetworkError(error, `watch descriptor ${this.#watch.descriptor}`);
    }
    if (kind === "read") this.#reader = ready;
    else this.#writer = ready;
    return () => this.#remove(kind, ready);
  }

  ready(events: number): void {
    const isBroken = (events & (EPOLLHUP | EPOLLERR)) !== 0;
    if (isBroken || (events & EPOLLIN) !== 0) this.#call("read");
    if (isBroken || (events & EPOLLOUT) !== 0) this.#call("write");
  }

  #call(kind: "read" | "write"): void {
    const ready = kind === "read" ? this.#reader : this.#writer;
    if (ready === null) return;
    this.#loop[inside.enqueue](
      new Step(() => ready === (kind === "read" ? this.#reader : this.#writer) && ready()),
    );
  }

  #remove(kind: "read" | "write", ready: () => void): void {
    if (ready !== (kind === "read" ? this.#reader : this.#writer)) return;
    if (kind === "read") this.#reader = null;
    else this.#writer = null;
    this.#watch.forgo(kind === "read" ? EPOLLIN : EPOLLOUT);
    this.#endIfUnused();
  }

  #endIfUnused(): void {
    if (this.#reader !== null || this.#writer !== null) return;
    this.#watch.end(false);
    this.#onEnd();
  }
}

/** Tells the readiness of descriptors by epoll. */
export class NativeReadiness implements Readiness {
  readonly #watched: WeakMap<EventLoop, Map<number, Watched>> = new WeakMap();

  watch(
    loop: EventLoop,
    descriptor: number,
    kind: "read" | "write",
    ready: () => void,
  ): () => void {
    let ofLoop = this.#watched.get(loop);
    if (ofLoop === undefined) this.#watched.set(loop, ofLoop = new Map());
    let watched = ofLoop.get(descriptor);
    if (watched?.isCurrent !== true) {
      if (Selector.of(loop).isWatched(descriptor)) {
        throw new InvalidStateError(
          `Cannot watch descriptor ${descriptor}: a transport or a server uses it`,
        );
      }
      const known = ofLoop;
      watched = new Watched(loop, descriptor, () => known.delete(descriptor));
      ofLoop.set(descriptor, watched);
    }
    return watched.set(kind, ready);
  }
}
