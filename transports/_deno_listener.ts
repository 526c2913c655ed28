import type { EventLoop } from "../loop/event_loop.ts";
import type { Acceptor, Listener } from "../loop/platform.ts";
import { DenoByteChannel } from "./deno_byte_channel.ts";

/** Seconds until the next attempt after accepting has failed for want of resources. */
const RETRY_DELAY = 1;

/** Errors of one connection that went before it was accepted; the next may be fine. */
const PASSING_ERRORS = [
  Deno.errors.ConnectionAborted,
  Deno.errors.ConnectionReset,
  Deno.errors.Interrupted,
  Deno.errors.NotConnected,
];

/**
 * A listener over Deno's own. It accepts one connection at a time, and survives errors.
 *
 * Its address is free once the accept that was pending has ended.
 */
export class DenoListener implements Listener {
  readonly #loop: EventLoop;
  readonly #listener: Deno.Listener;
  #acceptor: Acceptor | null = null;
  /** What accepting gave: a connection, or an error. */
  #outcome: Deno.Conn | Error | null = null;
  /** Whether the host is accepting. */
  #accepting = false;
  #closed = false;
  readonly #onClose: () => () => void;
  #onFreed: () => void = () => {};

  /**
   * Wraps `listener`, which belongs to it from now on.
   *
   * @param onClose Called right before it is closed; returns what to call when its address is free.
   */
  constructor(
    loop: EventLoop,
    listener: Deno.Listener,
    onClose: () => () => void = () => () => {},
  ) {
    this.#loop = loop;
    this.#listener = listener;
    this.#onClose = onClose;
  }

  get address(): Deno.Addr {
    return this.#listener.addr;
  }

  start(acceptor: Acceptor): void {
    this.#acceptor = acceptor;
    this.#accept();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onFreed = this.#onClose();
    this.#listener.close();
    if (!this.#accepting) this.#onFreed();
  }

  /** @ignore Reports what accepting gave, and accepts again. */
  _run(): void {
    const outcome = this.#outcome;
    this.#outcome = null;
    if (this.#closed) return this.#finish(outcome);
    if (outcome instanceof Error) return this.#recover(outcome);
    this.#accept();
    if (outcome !== null) this.#acceptor?.accepted(new DenoByteChannel(this.#loop, outcome));
  }

  #accept(): void {
    this.#accepting = true;
    this.#listener.accept().then(this.#onOutcome, this.#onOutcome);
  }

  readonly #onOutcome = (outcome: Deno.Conn | Error): void => {
    this.#outcome = outcome;
    this.#accepting = false;
    if (this.#closed) this.#onFreed();
    if (this.#loop.isClosed()) this.#finish(outcome);
    else this.#loop.enter(this);
  };

  #recover(error: Error): void {
    if (PASSING_ERRORS.some((passing) => error instanceof passing)) return this.#accept();
    this.#acceptor?.failed(error);
    this.#loop.callLater(RETRY_DELAY, () => this.#closed ? this.#finish(null) : this.#accept());
  }

  /** Accepting has ended, which frees the address. */
  #finish(outcome: Deno.Conn | Error | null): void {
    if (outcome !== null && !(outcome instanceof Error)) outcome.close();
    this.#acceptor?.closed();
  }
}
