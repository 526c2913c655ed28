import type { EventLoop } from "../loop/event_loop.ts";
import type { DatagramChannel, DatagramSink } from "../loop/platform.ts";
import type { Runnable } from "../loop/ready_queue.ts";
import { createNetworkError } from "./_deno_errors.ts";
import type { DatagramSocket } from "./_host_stack.ts";
import type { Packet } from "./fault_rule.ts";

/** The longest datagram, in bytes. */
const LONGEST = 65_507;
/** Bytes that the kernel keeps for a socket that does not read; more are lost. */
const BUFFER_SIZE = 212_992;

/** What a socket needs of the network of its host. */
export interface DatagramRoutes {
  /** Sends `bytes` from `source` to `destination`. */
  send(bytes: Uint8Array, source: Deno.NetAddr, destination: Deno.NetAddr): void;
  /** Frees the address of `socket`. */
  unbind(socket: SimulatedDatagrams): void;
}

/** A simulated socket that sends and receives datagrams. */
export class SimulatedDatagrams implements DatagramChannel, DatagramSocket, Runnable {
  readonly address: Deno.NetAddr;
  readonly #loop: EventLoop;
  readonly #routes: DatagramRoutes;
  #sink: DatagramSink | null = null;
  #arrived: Packet[] = [];
  #arrivedSize = 0;
  #isReading = false;
  #isScheduled = false;
  #isClosed = false;

  constructor(loop: EventLoop, address: Deno.NetAddr, routes: DatagramRoutes) {
    this.#loop = loop;
    this.address = address;
    this.#routes = routes;
  }

  start(sink: DatagramSink): void {
    this.#sink = sink;
    this.resume();
  }

  send(bytes: Uint8Array, address: Deno.Addr): void {
    if (this.#isClosed) return;
    const size = bytes.length;
    if (size > LONGEST) {
      const error = createNetworkError("messageTooLong", "send a datagram");
      this.#loop.enqueue({ _run: () => this.#isClosed || this.#sink?.failed(error) });
    } else this.#routes.send(bytes.slice(), this.address, address as Deno.NetAddr);
    this.#loop.enqueue({ _run: () => this.#isClosed || this.#sink?.sent(size) });
  }

  pause(): void {
    this.#isReading = false;
  }

  resume(): void {
    this.#isReading = true;
    if (this.#arrived.length > 0) this.#schedule();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#arrived = [];
    this.#routes.unbind(this);
    this.#loop.enqueue({ _run: () => this.#sink?.closed() });
  }

  deliver(packet: Packet): void {
    const size = packet.bytes.length;
    if (this.#isClosed || this.#arrivedSize + size > BUFFER_SIZE) return;
    this.#arrived.push(packet);
    this.#arrivedSize += size;
    if (!this.#isReading || this.#isScheduled) return;
    this.#isScheduled = true;
    this.#loop.enter(this);
  }

  /** @internal Reports one datagram. */
  _run(): void {
    this.#isScheduled = false;
    const packet = this.#isReading ? this.#arrived.shift() : undefined;
    if (packet === undefined) return;
    this.#arrivedSize -= packet.bytes.length;
    this.#sink?.received(packet.bytes.slice(), packet.source);
    if (this.#arrived.length > 0 && this.#isReading) this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#loop.enqueue(this);
  }
}
