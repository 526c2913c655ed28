import * as inside from "../loop/inside.ts";
import { Step } from "../loop/scheduling/step.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { Acceptor, Listener } from "../loop/platform/platform.ts";
import type { ListeningSocket } from "./_host_stack.ts";
import type { SimulatedChannel } from "./_simulated_channel.ts";

/** Connections that wait where no backlog is given. */
const DEFAULT_BACKLOG = 511;

/** A connection that has arrived. */
interface Arrival {
  readonly channel: SimulatedChannel;
  /** Ends it as a kernel does that has nobody to give it to. */
  refuse(): void;
}

/** A simulated socket that connections arrive at. */
export class SimulatedListener<A extends Deno.Addr = Deno.Addr>
  implements Listener<A>, ListeningSocket {
  readonly address: A;
  /** The loop that it belongs to. */
  readonly loop: EventLoop;
  readonly #backlog: number;
  /** Frees the address. */
  readonly #unbind: (listener: SimulatedListener<A>) => void;
  #acceptor: Acceptor | null = null;
  /** Connections that nobody has accepted yet. */
  #arrivals: Arrival[] = [];
  #isClosed = false;

  constructor(
    loop: EventLoop,
    address: A,
    backlog: number | undefined,
    unbind: (listener: SimulatedListener<A>) => void,
  ) {
    this.loop = loop;
    this.address = address;
    this.#backlog = backlog ?? DEFAULT_BACKLOG;
    this.#unbind = unbind;
  }

  /** Whether it accepts no more. A Unix socket may stay at its path all the same. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get hasRoom(): boolean {
    return this.#arrivals.length < this.#backlog;
  }

  start(acceptor: Acceptor): void {
    this.#acceptor = acceptor;
    if (this.#arrivals.length > 0) this.loop[inside.enqueue](this);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#unbind(this);
    for (const arrival of this.#arrivals) arrival.refuse();
    this.#arrivals = [];
    this.loop[inside.enqueue](new Step(() => this.#acceptor?.closed()));
  }

  /** A connection has arrived. */
  arrived(arrival: Arrival): void {
    if (this.#isClosed) return arrival.refuse();
    this.#arrivals.push(arrival);
    if (this.#acceptor !== null && this.#arrivals.length === 1) this.loop[inside.enter](this);
  }

  /** @ignore Accepts what has arrived. */
  [inside.run](): void {
    while (this.#acceptor !== null) {
      const arrival = this.#arrivals.shift();
      if (arrival === undefined) return;
      this.#acceptor.accepted(arrival.channel);
    }
  }
}
