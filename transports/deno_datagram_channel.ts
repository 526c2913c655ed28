import type { EventLoop } from "../loop/event_loop.ts";
import { isNotCapable, nameMissingFlag } from "../loop/deno_not_capable.ts";
import type { DatagramChannel, DatagramSink } from "../loop/platform.ts";
/** The largest datagram. */
const LARGEST = 65_507;

/** Datagrams are received into pieces of a slab, so that none is copied. */
const SLAB_SIZE = 256 * 1024;

/**
 * A datagram channel over `Deno.listenDatagram`, where that is enabled.
 *
 * One receive is with the host at a time, as two would complete in the wrong order, and one send,
 * as more than the host takes in a turn would overtake each other.
 */
export class DenoDatagramChannel implements DatagramChannel {
  readonly #loop: EventLoop;
  readonly #connection: Deno.DatagramConn;
  #sink: DatagramSink | null = null;
  #slab: Uint8Array = NO_BYTES;
  #received: [Uint8Array, Deno.Addr] | null = null;
  /** Datagrams to send; the first is with the host. The transport bounds them. */
  readonly #queue: { bytes: Uint8Array; address: Deno.Addr }[] = [];
  /**
   * Whether the next receive waits for the send that is with the host, which is a microtask: both
   * at a time cost the host more.
   */
  #receivePostponed = false;
  #closed = false;

  /** Wraps `connection`, which belongs to the channel from now on. */
  constructor(loop: EventLoop, connection: Deno.DatagramConn) {
    this.#loop = loop;
    this.#connection = connection;
  }

  get address(): Deno.Addr {
    return this.#connection.addr;
  }

  start(sink: DatagramSink): void {
    this.#sink = sink;
    this.#receive();
  }

  send(bytes: Uint8Array, address: Deno.Addr): void {
    if (this.#queue.push({ bytes, address }) === 1) this.#sendFirst();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    this.#loop.enqueue({ _run: () => this.#sink?.closed() });
  }

  /** @ignore Reports what was received, and receives again. */
  _run(): void {
    const received = this.#received;
    if (this.#closed || received === null) return;
    const [bytes, address] = received;
    this.#slab = this.#slab.subarray(bytes.length);
    this.#sink?.received(bytes, address);
    if (this.#closed) return;
    if (this.#queue.length === 0) this.#receive();
    else this.#receivePostponed = true;
  }

  #receive(): void {
    if (this.#slab.length < LARGEST) this.#slab = new Uint8Array(SLAB_SIZE);
    this.#connection.receive(this.#slab).then(this.#onReceived, this.#onReceiveError);
  }

  #sendFirst(): void {
    const first = this.#queue[0];
    if (first === undefined || this.#closed) return;
    this.#connection.send(first.bytes, first.address).then(this.#onSent, this.#onSendError);
  }

  #sendNext(): void {
    const sent = this.#queue.shift();
    if (this.#receivePostponed && !this.#closed) {
      this.#receivePostponed = false;
      this.#receive();
    }
    this.#sendFirst();
    if (!this.#closed) this.#sink?.sent(sent?.bytes.length ?? 0);
  }

  readonly #onReceived = (received: [Uint8Array, Deno.Addr]): void => {
    this.#received = received;
    this.#loop.enter(this);
  };

  readonly #onReceiveError = (error: Error): void => {
    this.#loop.enter({
      _run: () => {
        if (this.#closed) return;
        this.#sink?.failed(error);
        this.#receive();
      },
    });
  };

  readonly #onSent = (): void => this.#sendNext();

  readonly #onSendError = (error: Error): void => {
    this.#sendNext();
    const named = isNotCapable(error) ? nameMissingFlag(error, "send a datagram") : error;
    this.#loop.enter({ _run: () => this.#closed || this.#sink?.failed(named) });
  };
}

const NO_BYTES = new Uint8Array(0);
