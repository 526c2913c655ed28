import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { DatagramSink } from "../../loop/platform/platform.ts";

/** One datagram that has not gone out. */
interface Unsent {
  readonly bytes: Uint8Array;
  /** How many bytes there were when it was queued; its memory may have been transferred since. */
  readonly size: number;
  readonly address: Deno.NetAddr;
}

/**
 * The datagrams that a channel has to send. The first is with the host, which would send later ones
 * out of order; the transport bounds the rest.
 *
 * Whatever becomes of the first, the next one follows: what the host refuses, or throws at once, is
 * reported, and nothing stays at the head.
 */
export class DatagramSendQueue {
  readonly #loop: EventLoop;
  readonly #explain: (error: Error, address: Deno.NetAddr) => Error;
  readonly #start: (bytes: Uint8Array, address: Deno.NetAddr) => void;
  readonly #left: () => void;
  readonly #unsent: Unsent[] = [];
  #sink: DatagramSink | null = null;
  #closed = false;

  /**
   * @param loop The loop of the channel.
   * @param explain Returns what the sink is told of an error.
   * @param start Hands a datagram to the host, and then calls {@linkcode sent} or
   * {@linkcode failed}, later; or throws.
   * @param left Called when one has left the queue, before the next is handed over.
   */
  constructor(
    loop: EventLoop,
    explain: (error: Error, address: Deno.NetAddr) => Error,
    start: (bytes: Uint8Array, address: Deno.NetAddr) => void,
    left: () => void = () => {},
  ) {
    this.#loop = loop;
    this.#explain = explain;
    this.#start = start;
    this.#left = left;
  }

  /** Whether nothing is with the host. */
  get isEmpty(): boolean {
    return this.#unsent.length === 0;
  }

  /** Sets who gets the reports. */
  report(sink: DatagramSink): void {
    this.#sink = sink;
  }

  /** Sends `bytes` after all that was queued before. */
  push(bytes: Uint8Array, address: Deno.NetAddr): void {
    if (this.#unsent.push({ bytes, size: bytes.length, address }) === 1) this.#startFirst();
  }

  /** The first datagram has gone out. */
  sent(): void {
    const sent = this.#unsent.shift();
    if (this.#closed || sent === undefined) return;
    this.#left();
    this.#startFirst();
    this.#sink?.sent(sent.size);
  }

  /** The first datagram could not be sent. */
  failed(error: Error): void {
    const [first] = this.#unsent;
    this.sent();
    if (first === undefined) return;
    const explained = this.#explain(error, first.address);
    this.#loop[inside.enter](new Step(() => this.#closed || this.#sink?.failed(explained)));
  }

  /** Gives up what is queued. */
  close(): void {
    this.#closed = true;
    this.#unsent.length = 0;
  }

  #startFirst(): void {
    const [first] = this.#unsent;
    if (first === undefined || this.#closed) return;
    const { bytes, size, address } = first;
    try {
      if (bytes.length !== size) throw memoryGone(size, bytes.length);
      this.#start(bytes, address);
    } catch (error) {
      this.#loop[inside.enqueue](new Step(() => this.failed(error as Error)));
    }
  }
}

function memoryGone(size: number, left: number): Error {
  return new TypeError(
    `Cannot send a datagram of ${size} bytes: ${left} are left, its memory was transferred`,
  );
}
