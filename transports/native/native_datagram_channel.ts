import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import type { DatagramChannel, DatagramSink, SocketAddress } from "../../loop/platform/platform.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import { checkNetPermission } from "../deno/_deno_net_permission.ts";
import { explainSendError } from "../deno/_deno_network_error.ts";
import { closeDescriptor } from "./native_descriptors.ts";
import { EAGAIN, EINTR, systemError } from "./native_errno.ts";
import {
  AF_INET,
  AF_INET6,
  EPOLLIN,
  EPOLLOUT,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
} from "./native_layouts.ts";
import { errno, libc } from "./native_libc.ts";
import { lookUp } from "./native_lookup.ts";
import { DatagramBatch } from "./native_datagram_batch.ts";
import { type ReadySink, Selector, type Watch } from "./native_selector.ts";
import {
  decodeUnmapped,
  encodeAddress,
  mapAddress,
  ownAddress,
  type RawAddress,
} from "./native_raw_address.ts";

const EAFNOSUPPORT = 97;

/** What says that the descriptor or our use of it is broken: each receive would fail again. */
const BROKEN: readonly number[] = [9, 14, 22, 88];

/** A datagram that waits for room, or for the address of its host. */
interface Unsent {
  readonly bytes: Uint8Array;
  readonly address: Deno.NetAddr;
  /** What the name of its host was found to be. */
  found: RawAddress | Error | null;
}

/**
 * A datagram channel over a descriptor of the system's. One that is connected hears that nobody
 * listens at the other end.
 *
 * Several datagrams are received by one call. The addresses that they come from are shared and
 * frozen, and remembered with what the system calls them: an answer costs no look at its address.
 */
export class NativeDatagramChannel implements DatagramChannel, ReadySink {
  readonly address: Deno.NetAddr;
  readonly #loop: EventLoop;
  readonly #family: number;
  readonly #isConnected: boolean;
  readonly #watch: Watch;
  /** -1 once it is closed. */
  #descriptor: number;
  #sink: DatagramSink | null = null;
  #unsent: Unsent[] = [];
  /** Addresses that may be sent to, as the system has them. */
  readonly #targets: WeakMap<Deno.NetAddr, Uint8Array> = new WeakMap();

  /** The last address that was none of those, which is sent to again and again. */
  #last: SocketAddress | null = null;
  #lastTarget: Uint8Array = new Uint8Array(0);

  /** Takes `descriptor` over, which is bound, and connected if `isConnected`. */
  constructor(loop: EventLoop, descriptor: number, family: number, isConnected: boolean) {
    this.#loop = loop;
    this.#descriptor = descriptor;
    this.#family = family;
    this.#isConnected = isConnected;
    this.address = decodeUnmapped(ownAddress(descriptor), "udp");
    this.#watch = Selector.of(loop).watch(descriptor, this);
  }

  start(sink: DatagramSink): void {
    this.#sink = sink;
    this.#watch.want(EPOLLIN);
  }

  send(bytes: Uint8Array, address: Deno.NetAddr): void {
    if (this.#unsent.length > 0) this.#queue(bytes, address);
    else if (this.#trySend(bytes, address, null)) this.#sink?.sent(bytes.length);
    else this.#queue(bytes, address);
  }

  close(): void {
    if (this.#descriptor < 0) return;
    this.#end();
    this.#loop[inside.enqueue](new Step(() => this.#sink?.closed()));
  }

  /** @ignore */
  ready(events: number): void {
    if ((events & EPOLLOUT) !== 0) this.#sendQueued();
    if ((events & ~EPOLLOUT) !== 0) this.#receive();
  }

  #receive(): void {
    const sink = this.#sink;
    if (sink === null) return;
    const batch = DatagramBatch.shared();
    const count = batch.receive(this.#descriptor);
    if (count < 0) return this.#failToReceive(sink, errno());
    for (let index = 0; index < count && this.#descriptor >= 0; index += 1) {
      sink.received(batch.copy(index), batch.address(index));
    }
  }

  #failToReceive(sink: DatagramSink, number: number): void {
    if (number === EAGAIN || number === EINTR) return;
    if (!BROKEN.includes(number)) return sink.failed(systemError(number));
    this.#end();
    sink.closed(systemError(number));
  }

  /**
   * Sends a datagram, or reports why it cannot be sent. Returns `false` where it has to wait.
   *
   * @param found What a name was found to be; `null` before that was looked up.
   */
  #trySend(
    bytes: Uint8Array,
    address: Deno.NetAddr,
    found: RawAddress | Error | null,
  ): boolean {
    try {
      if (found instanceof Error) throw found;
      const target = this.#isConnected ? null : this.#targetOf(address, found);
      if (target === "unknown") return false;
      const result = target === null
        ? libc.send(this.#descriptor, bytes, bytes.length, MSG_NOSIGNAL)
        : this.#sendTo(bytes, target);
      if (result < 0) {
        const number = errno();
        if (number === EAGAIN) return false;
        throw systemError(number);
      }
    } catch (error) {
      this.#failSoon(error as Error, address);
    }
    return true;
  }

  #sendTo(bytes: Uint8Array, target: Uint8Array): number {
    return libc.sendto(
      this.#descriptor,
      bytes,
      bytes.length,
      MSG_NOSIGNAL | MSG_DONTWAIT,
      target,
      target.length,
    );
  }

  /** Returns `address` as the system has it. Throws if it may not be sent to. */
  #targetOf(address: Deno.NetAddr, found: RawAddress | null): Uint8Array | "unknown" {
    const known = this.#targets.get(address);
    if (known !== undefined) return known;
    const { hostname, port } = address;
    const isLast = this.#last?.port === port && this.#last.hostname === hostname;
    if (isLast && found === null) return this.#lastTarget;
    checkNetPermission(address);
    const encoded = found ?? encodeAddress(address);
    if (encoded === null) return "unknown";
    if (encoded.family === AF_INET6 && this.#family === AF_INET) throw systemError(EAFNOSUPPORT);
    const { bytes } = encoded.family === this.#family ? encoded : mapAddress(encoded);
    // One that may be changed is another one then.
    if (Object.isFrozen(address)) this.#targets.set(address, bytes);
    else if (found === null) {
      this.#last = { hostname, port };
      this.#lastTarget = bytes;
    }
    return bytes;
  }

  #failSoon(error: Error, address: Deno.NetAddr): void {
    const explained = explainSendError(error, address);
    this.#loop[inside.enqueue](
      new Step(() => this.#descriptor < 0 || this.#sink?.failed(explained)),
    );
  }

  /** Keeps a copy: the memory is the caller's, who may change it. */
  #queue(bytes: Uint8Array, address: Deno.NetAddr): void {
    this.#unsent.push({ bytes: new Uint8Array(bytes), address: { ...address }, found: null });
    if (this.#unsent.length === 1) this.#sendQueued();
  }

  #sendQueued(): void {
    for (;;) {
      const [next] = this.#unsent;
      if (next === undefined) return this.#watch.forgo(EPOLLOUT);
      if (!this.#trySend(next.bytes, next.address, next.found)) return this.#wait(next);
      this.#unsent.shift();
      this.#sink?.sent(next.bytes.length);
    }
  }

  /** The first datagram waits for room; or for the address of its host, and the others with it. */
  #wait(first: Unsent): void {
    const isName = first.found === null && encodeAddress(first.address) === null;
    if (!isName || this.#isConnected) return this.#watch.want(EPOLLOUT);
    this.#watch.forgo(EPOLLOUT);
    const { hostname, port } = first.address;
    const goOn = (found: RawAddress | Error) => {
      first.found = found;
      this.#loop[inside.enter](new Step(() => this.#descriptor < 0 || this.#sendQueued()));
    };
    lookUp(hostname, port).then(([address]) => goOn(address as RawAddress), goOn);
  }

  #end(): void {
    this.#unsent = [];
    this.#watch.end();
    closeDescriptor(this.#descriptor);
    this.#descriptor = -1;
  }
}
