import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { TimerHandle } from "../../loop/scheduling/timer_handle.ts";
import type { Acceptor, Listener } from "../../loop/platform/platform.ts";
import { printable } from "../../loop/errors/deno_too_many_files.ts";
import { type ConnectionAddresses, NativeByteChannel } from "./native_byte_channel.ts";
import { closeDescriptor } from "./native_descriptors.ts";
import { EAGAIN, EMFILE, ENFILE, systemError } from "./native_errno.ts";
import { EPOLLIN, SOCK_NONBLOCK_CLOEXEC, SOCKADDR_SIZE } from "./native_layouts.ts";
import { errno, libc } from "./native_libc.ts";
import { type ReadySink, Selector, type Watch } from "./native_selector.ts";
import { ownAddress } from "./native_raw_address.ts";

/** Connections that are accepted in a row. */
const BATCH = 128;

/** Seconds until the next attempt after accepting has failed for want of resources. */
const RETRY_DELAY = 1;

/** What is wrong with the listener or the system, and not with one connection that is gone. */
const LASTING_ERRORS: readonly number[] = [9, 12, 22, EMFILE, ENFILE, 95, 105];

const peer = new Uint8Array(SOCKADDR_SIZE);
const peerSize = new Uint32Array(1);

/** A listener over a descriptor of the system's. */
export class NativeListener<A extends Deno.Addr> implements Listener<A>, ReadySink {
  readonly address: A;
  readonly #loop: EventLoop;
  readonly #descriptor: number;
  readonly #watch: Watch;
  readonly #decode: (address: Uint8Array) => Deno.Addr;
  readonly #onClose: () => void;
  #acceptor: Acceptor | null = null;
  #retry: TimerHandle | null = null;
  #isClosed = false;

  /**
   * Takes `descriptor` over, which listens on `address`.
   *
   * @param decode Reads an address of its kind.
   * @param onClose Called once it is closed.
   */
  constructor(
    loop: EventLoop,
    descriptor: number,
    address: A,
    decode: (address: Uint8Array) => Deno.Addr,
    onClose: () => void = () => {},
  ) {
    this.#loop = loop;
    this.#descriptor = descriptor;
    this.#watch = Selector.of(loop).watch(descriptor, this);
    this.address = address;
    this.#decode = decode;
    this.#onClose = onClose;
  }

  start(acceptor: Acceptor): void {
    this.#acceptor = acceptor;
    this.#watch.want(EPOLLIN);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#watch.end();
    closeDescriptor(this.#descriptor);
    this.#onClose();
    this.#loop[inside.enqueue](new Step(() => this.#acceptor?.closed()));
  }

  /** @ignore */
  ready(): void {
    for (let left = BATCH; left > 0 && !this.#isClosed; left -= 1) {
      peerSize[0] = SOCKADDR_SIZE;
      const accepted = libc.accept4(this.#descriptor, peer, peerSize, SOCK_NONBLOCK_CLOEXEC);
      if (accepted >= 0) this.#accept(accepted, peer.slice(0, peerSize[0]));
      else {
        const number = errno();
        if (number === EAGAIN) return;
        if (LASTING_ERRORS.includes(number)) return this.#waitAfter(number);
      }
    }
  }

  #accept(descriptor: number, peer: Uint8Array): void {
    const decode = this.#decode;
    const own = ownAddress(descriptor);
    let addresses: ConnectionAddresses | null = null;
    const channel = new NativeByteChannel(this.#loop, descriptor, () => {
      return addresses ??= { peername: decode(peer), sockname: decode(own) };
    });
    this.#acceptor?.accepted(channel);
  }

  #waitAfter(number: number): void {
    this.#watch.forgo(EPOLLIN);
    this.#retry = this.#loop.callLater(RETRY_DELAY, () => this.#watch.want(EPOLLIN));
    this.#acceptor?.failed(printable(systemError(number)));
  }
}
