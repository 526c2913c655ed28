import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { DatagramChannel, DatagramConn, DatagramSink } from "../../loop/platform/platform.ts";
import { DatagramSendQueue } from "../core/_datagram_send_queue.ts";
import { copyOf } from "../core/_read_buffer.ts";
import { explainSendError } from "./_deno_network_error.ts";

/** The largest datagram. */
const LARGEST = 65_507;

/**
 * A datagram channel over `Deno.listenDatagram`, where that is enabled.
 *
 * One receive is with the host at a time, as two would complete in the wrong order, and one send,
 * as more than the host takes in a turn would overtake each other.
 */
export class DenoDatagramChannel implements DatagramChannel {
  readonly #loop: EventLoop;
  readonly #connection: DatagramConn;
  #sink: DatagramSink | null = null;
  /** What datagrams are received into. */
  #memory: Uint8Array = NO_BYTES;
  #received: [Uint8Array, Deno.Addr] | null = null;
  readonly #queue: DatagramSendQueue;
  /**
   * Whether the next receive waits for the send that is with the host, which is a microtask: both
   * at a time cost the host more.
   */
  #receivePostponed = false;
  #closed = false;

  /** Wraps `connection`, which belongs to the channel from now on. */
  constructor(loop: EventLoop, connection: DatagramConn) {
    this.#loop = loop;
    this.#connection = connection;
    this.#queue = new DatagramSendQueue(loop, explainSendError, (bytes, address) => {
      connection.send(bytes, address).then(this.#onSent, this.#onSendError);
    }, () => this.#receivePostponed && this.#receive());
  }

  get address(): Deno.NetAddr {
    return this.#connection.addr as Deno.NetAddr;
  }

  start(sink: DatagramSink): void {
    this.#sink = sink;
    this.#queue.report(sink);
    this.#receive();
  }

  send(bytes: Uint8Array, address: Deno.NetAddr): void {
    this.#queue.push(bytes, address);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.close();
    try {
      this.#connection.close();
    } catch {
      // The program, whose socket it was, has closed it.
    }
    this.#loop[inside.enqueue](new Step(() => this.#sink?.closed()));
  }

  /** @ignore Reports what was received, and receives again. */
  [inside.run](): void {
    const received = this.#received;
    if (this.#closed || received === null) return;
    const [bytes, address] = received;
    this.#sink?.received(copyOf(bytes, 0, bytes.length), address as Deno.NetAddr);
    if (this.#closed) return;
    if (this.#queue.isEmpty) this.#receive();
    else this.#receivePostponed = true;
  }

  #receive(): void {
    this.#receivePostponed = false;
    if (this.#memory.length === 0) this.#memory = new Uint8Array(LARGEST);
    this.#connection.receive(this.#memory).then(this.#onReceived, this.#onReceiveError);
  }

  readonly #onReceived = (received: [Uint8Array, Deno.Addr]): void => {
    this.#received = received;
    this.#loop[inside.enter](this);
  };

  readonly #onReceiveError = (error: Error): void => {
    this.#loop[inside.enter](new Step(() => this.#closed || this.#failToReceive(error)));
  };

  /** The next receive may do better, unless the program has closed the socket. */
  #failToReceive(error: Error): void {
    if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) {
      this.#closed = true;
      this.#queue.close();
      this.#sink?.closed(error);
    } else {
      this.#sink?.failed(error);
      if (!this.#closed) this.#receive();
    }
  }

  readonly #onSent = (): void => this.#queue.sent();

  readonly #onSendError = (error: Error): void => {
    this.#queue.failed(error);
  };
}

const NO_BYTES = new Uint8Array(0);
