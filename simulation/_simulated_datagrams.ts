import * as inside from "../loop/inside.ts";
import { Step } from "../loop/scheduling/step.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { formatAddress } from "../loop/values/format_address.ts";
import type { DatagramChannel, DatagramSink } from "../loop/platform/platform.ts";
import type { Runnable } from "../loop/scheduling/ready_queue.ts";
import { createNetworkError } from "./_deno_errors.ts";
import type { DatagramSocket } from "./_host_stack.ts";
import type { Packet } from "./fault_rule.ts";

/** The longest datagram, in bytes. */
const LONGEST = 65_507;

/** What a socket needs of the network of its host. */
export interface DatagramRoutes {
  /** Sends `bytes` from `source` to `destination`; throws if no system would. */
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
  /** What has arrived in this instant and was not reported. The wire bounds it. */
  #arrived: Packet[] = [];
  #isScheduled = false;
  #isClosed = false;

  constructor(loop: EventLoop, address: Deno.NetAddr, routes: DatagramRoutes) {
    this.#loop = loop;
    this.address = address;
    this.#routes = routes;
  }

  start(sink: DatagramSink): void {
    this.#sink = sink;
    if (this.#arrived.length > 0) this.#schedule();
  }

  send(bytes: Uint8Array, address: Deno.NetAddr): void {
    if (this.#isClosed) return;
    const size = bytes.length;
    try {
      this.#send(bytes, address);
    } catch (error) {
      this.#loop[inside.enqueue](
        new Step(() => this.#isClosed || this.#sink?.failed(error as Error)),
      );
    }
    this.#loop[inside.enqueue](new Step(() => this.#isClosed || this.#sink?.sent(size)));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#arrived = [];
    this.#routes.unbind(this);
    this.#loop[inside.enqueue](new Step(() => this.#sink?.closed()));
  }

  deliver(packet: Packet): void {
    if (this.#isClosed) return;
    this.#arrived.push(packet);
    if (this.#sink === null || this.#isScheduled) return;
    this.#isScheduled = true;
    this.#loop[inside.enter](this);
  }

  /** @ignore Reports one datagram. */
  [inside.run](): void {
    this.#isScheduled = false;
    const packet = this.#arrived.shift();
    if (packet === undefined) return;
    this.#sink?.received(packet.bytes.slice(), packet.source);
    if (this.#arrived.length > 0) this.#schedule();
  }

  #send(bytes: Uint8Array, destination: Deno.NetAddr): void {
    if (bytes.length > LONGEST) {
      const action = `send a datagram to "${formatAddress(destination)}"`;
      throw createNetworkError("messageTooLong", action);
    }
    this.#routes.send(bytes.slice(), this.address, destination);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#loop[inside.enqueue](this);
  }
}
