import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { TimerHandle } from "../../loop/scheduling/timer_handle.ts";
import type { Acceptor, Listener } from "../../loop/platform/platform.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import { noteClosing } from "./_deno_closing_listeners.ts";
import { printable } from "../../loop/errors/deno_too_many_files.ts";
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
 * What a listener is doing: nothing yet; waiting for the host to accept; entering the loop with what
 * that gave; waiting until it tries again; or nothing ever more, as it was closed by others.
 */
type State = "idle" | "accepting" | "entering" | "waiting" | "broken";

/** Listeners that are wrapped, or were. */
const inUse: WeakSet<Deno.Listener> = new WeakSet();

/** Wraps a listener of the program's. Throws if something else uses it. */
export function adoptListener<A extends Deno.Addr>(
  loop: EventLoop,
  listener: Deno.Listener<Deno.Conn, A>,
  onClose?: () => () => void,
): DenoListener<A> {
  if (inUse.has(listener)) {
    throw new InvalidStateError("Cannot use a listener: another server has it");
  }
  return new DenoListener(loop, listener, onClose);
}

/**
 * A listener over Deno's own. It accepts one connection at a time, and survives errors.
 *
 * Its address is free once the accept that was pending has ended.
 */
export class DenoListener<A extends Deno.Addr> implements Listener<A> {
  readonly #loop: EventLoop;
  readonly #listener: Deno.Listener<Deno.Conn, A>;
  #acceptor: Acceptor | null = null;
  /** What accepting gave: a connection, or an error. */
  #outcome: Deno.Conn | Error | null = null;
  #state: State = "idle";
  #closed = false;
  /** The next attempt after one that has failed. */
  #retry: TimerHandle | null = null;
  readonly #onClose: () => () => void;
  /** What to call when the address is free. */
  #onFreed: (() => void)[] = [];

  /**
   * Wraps `listener`, which belongs to it from now on.
   *
   * @param onClose Called right before it is closed; returns what to call when its address is free.
   */
  constructor(
    loop: EventLoop,
    listener: Deno.Listener<Deno.Conn, A>,
    onClose: () => () => void = () => () => {},
  ) {
    this.#loop = loop;
    this.#listener = listener;
    this.#onClose = onClose;
    inUse.add(listener);
  }

  get address(): A {
    return this.#listener.addr;
  }

  start(acceptor: Acceptor): void {
    this.#acceptor = acceptor;
    this.#accept();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onFreed = [this.#onClose(), noteClosing()];
    this.#closeHost();
    if (this.#state !== "accepting") this.#free();
    if (this.#state !== "waiting" && this.#state !== "broken") return;
    this.#retry?.cancel();
    this.#loop[inside.enqueue](new Step(() => this.#finish(null)));
  }

  /** @ignore Reports what accepting gave, and accepts again. */
  [inside.run](): void {
    const outcome = this.#outcome;
    this.#outcome = null;
    if (this.#closed) return this.#finish(outcome);
    if (outcome instanceof Error) return this.#recover(outcome);
    this.#accept();
    if (outcome !== null) this.#acceptor?.accepted(new DenoByteChannel(this.#loop, outcome));
  }

  #accept(): void {
    this.#state = "accepting";
    this.#listener.accept().then(this.#onOutcome, this.#onOutcome);
  }

  readonly #onOutcome = (outcome: Deno.Conn | Error): void => {
    this.#outcome = outcome;
    this.#state = "entering";
    if (this.#closed) this.#free();
    if (this.#loop.isClosed()) this.#finish(outcome);
    else this.#loop[inside.enter](this);
  };

  #recover(error: Error): void {
    if (PASSING_ERRORS.some((passing) => error instanceof passing)) return this.#accept();
    if (error instanceof Deno.errors.BadResource) this.#state = "broken";
    else {
      this.#state = "waiting";
      this.#retry = this.#loop.callLater(RETRY_DELAY, () => this.#accept());
    }
    this.#acceptor?.failed(printable(error));
  }

  #closeHost(): void {
    try {
      this.#listener.close();
    } catch {
      // The program has closed it itself.
    }
  }

  #free(): void {
    for (const onFreed of this.#onFreed) onFreed();
  }

  /** Accepting has ended. */
  #finish(outcome: Deno.Conn | Error | null): void {
    if (outcome !== null && !(outcome instanceof Error)) outcome.close();
    this.#acceptor?.closed();
  }
}
