import * as inside from "../../loop/inside.ts";
import type { CancelledError } from "../../loop/errors/errors.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import { Operation } from "../../loop/tasks/operation.ts";
import type { ByteChannel } from "../../loop/platform/platform.ts";
import { type OpenResource, openResources } from "../core/open_resources.ts";
import { type ConnectionAddresses, NativeByteChannel } from "./native_byte_channel.ts";
import {
  checked,
  closeDescriptor,
  openSocket,
  setNoDelay,
  takeError,
} from "./native_descriptors.ts";
import { EAGAIN, EINPROGRESS, systemError } from "./native_errno.ts";
import { AF_UNIX, EPOLLOUT, SOCK_STREAM } from "./native_layouts.ts";
import { errno, libc } from "./native_libc.ts";
import { type ReadySink, Selector, type Watch } from "./native_selector.ts";
import { isConnected, ownAddress, type RawAddress } from "./native_raw_address.ts";

/** Seconds until the next attempt where a Unix socket has no room in its queue. */
const RETRY_DELAY = 0.005;

/** A connection that is being made. That it is there, or is not, shows when it can be written to. */
export class Connecting extends Operation<ByteChannel> implements ReadySink, OpenResource {
  readonly #explain: (error: Error) => unknown;
  readonly #decode: (address: Uint8Array) => Deno.Addr;
  readonly #target: RawAddress;
  readonly #descriptor: number;
  readonly #watch: Watch;
  /** Whether the descriptor is this operation's. */
  #isOpen = true;
  #error: Error | null = null;

  /**
   * Begins to connect to `target`.
   *
   * @param origin Where the connection comes from; `null` lets the system choose.
   * @param decode Reads an address of its kind.
   * @param explain Returns what the operation fails with.
   * @throws What the system refuses at once.
   */
  constructor(
    loop: EventLoop,
    target: RawAddress,
    origin: RawAddress | null,
    decode: (address: Uint8Array) => Deno.Addr,
    explain: (error: Error) => unknown,
  ) {
    const descriptor = openSocket(target.family, SOCK_STREAM);
    try {
      if (target.family !== AF_UNIX) setNoDelay(descriptor);
      if (origin !== null) checked(libc.bind(descriptor, origin.bytes, origin.bytes.length));
      connect(descriptor, target);
    } catch (error) {
      closeDescriptor(descriptor);
      throw error;
    }
    super({ loop });
    this.#target = target;
    this.#decode = decode;
    this.#explain = explain;
    this.#descriptor = descriptor;
    openResources(loop).add(this);
    this.#watch = Selector.of(loop).watch(descriptor, this);
    this.#watch.want(EPOLLOUT);
  }

  /** @ignore */
  ready(): void {
    const number = takeError(this.#descriptor);
    if (number !== 0) this.#error = systemError(number);
    // A Unix socket whose queue is full refuses; it does not tell when there is room.
    else if (this.#target.family === AF_UNIX && !isConnected(this.#descriptor)) {
      return this.#tryAgain();
    }
    this.#watch.forgo(EPOLLOUT);
    this.wake();
  }

  /** @ignore */
  [inside.release](): void {
    this.#close();
  }

  protected override resumed(): void {
    const loop = this.getLoop();
    openResources(loop).delete(this);
    const error = this.#error;
    if (error !== null) {
      this.#close();
      return this.fail(this.#explain(error));
    }
    this.#isOpen = false;
    this.#watch.end(false);
    const decode = this.#decode;
    const own = ownAddress(this.#descriptor);
    let addresses: ConnectionAddresses | null = null;
    this.finish(
      new NativeByteChannel(loop, this.#descriptor, () => {
        return addresses ??= { peername: decode(this.#target.bytes), sockname: decode(own) };
      }),
    );
  }

  protected override interrupted(error: CancelledError): void {
    openResources(this.getLoop()).delete(this);
    this.#close();
    this.fail(error);
  }

  #tryAgain(): void {
    this.#watch.forgo(EPOLLOUT);
    this.getLoop().callLater(RETRY_DELAY, () => {
      if (!this.#isOpen || this.done()) return;
      try {
        connect(this.#descriptor, this.#target);
        this.#watch.want(EPOLLOUT);
      } catch (error) {
        this.#error = error as Error;
        this.wake();
      }
    });
  }

  #close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#watch.end();
    closeDescriptor(this.#descriptor);
  }
}

function connect(descriptor: number, { bytes }: RawAddress): void {
  if (libc.connect(descriptor, bytes, bytes.length) === 0) return;
  const number = errno();
  if (number !== EINPROGRESS && number !== EAGAIN) throw systemError(number);
}
