import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import type { ByteChannel, ByteSink, FileSender } from "../../loop/platform/platform.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import { memoryChanged } from "../core/_memory_changed.ts";
import { closeDescriptor, setKeepAlive, setNoDelay, setReset } from "./native_descriptors.ts";
import { EAGAIN, EINTR, systemError } from "./native_errno.ts";
import { FileSource } from "./native_file.ts";
import { EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, MSG_NOSIGNAL, SHUT_WR } from "./native_layouts.ts";
import { errno, libc } from "./native_libc.ts";
import { type ReadySink, Selector, type Watch } from "./native_selector.ts";

/** The most that a call is given: its result has 32 bits. */
const LARGEST_CALL = 1 << 30;

const READABLE = EPOLLIN | EPOLLHUP | EPOLLERR;
const WRITABLE = EPOLLOUT | EPOLLHUP | EPOLLERR;

/** What all channels read into whose sinks lend no memory: who gets it copies what is for others. */
const shared = new Uint8Array(256 * 1024);

/** Where the two ends of a connection are. */
export interface ConnectionAddresses {
  readonly sockname: Deno.Addr;
  readonly peername: Deno.Addr;
}

/**
 * What `getExtraInfo("socket")` gives on the native backend: the settings of the socket under a
 * transport. As asyncio's `TransportSocket`.
 *
 * @category Native backend
 */
export class TransportSocket {
  readonly #descriptor: () => number;

  /** @ignore By the channel, which knows when its number is no longer its. */
  constructor(descriptor: () => number) {
    this.#descriptor = descriptor;
  }

  /** Its number in the process, which belongs to the transport; -1 once that is closed. */
  get fd(): number {
    return this.#descriptor();
  }

  /** Whether small writes are sent at once, which is the default. */
  setNoDelay(isOn = true): void {
    setNoDelay(this.fd, isOn);
  }

  /** Whether the system probes the connection while it is silent. */
  setKeepAlive(isOn = true): void {
    setKeepAlive(this.fd, isOn);
  }
}

/**
 * A byte channel over a descriptor of the system's.
 *
 * *Theory of operation.* A read is a system call once the descriptor can be read, a write one within
 * `write()`; what that leaves goes out when there is room. After `pause()` nothing is read, and nothing
 * reported. A read does not go into memory that is being written from.
 *
 * A connection that is given up with bytes unsent is reset: its peer must not take what it got for
 * the whole.
 */
export class NativeByteChannel implements ByteChannel, ReadySink {
  readonly #loop: EventLoop;
  /** -1 once it is closed: the number may be another file's by then. */
  #descriptor: number;
  readonly #watch: Watch;
  readonly #addresses: () => ConnectionAddresses;
  #sink: ByteSink | null = null;
  #isReading = false;
  #hasEnded = false;
  /** What the sink has lent for a read that has found nothing, or that waits for the write. */
  #lent: Uint8Array | null = null;
  /** What the write in flight has still to send, and how many bytes that were. */
  #unsent: Uint8Array | null = null;
  #unsentSize = 0;
  /** Who waits to send more of a file. */
  #onRoom: (() => void) | null = null;
  #isClosed = false;
  #socket: TransportSocket | null = null;

  /**
   * Takes `descriptor` over, which is connected.
   *
   * @param addresses Returns where its ends are; called at most once, while it is open.
   */
  constructor(loop: EventLoop, descriptor: number, addresses: () => ConnectionAddresses) {
    this.#loop = loop;
    this.#descriptor = descriptor;
    this.#watch = Selector.of(loop).watch(descriptor, this);
    this.#addresses = addresses;
  }

  attach(sink: ByteSink): void {
    this.#sink = sink;
    this.#lent = null;
  }

  write(bytes: Uint8Array): number {
    const size = bytes.length;
    const sent = libc.send(
      this.#descriptor,
      bytes,
      size < LARGEST_CALL ? size : LARGEST_CALL,
      MSG_NOSIGNAL,
    );
    return sent === size ? size : this.#keepRest(bytes, sent, sent < 0 ? errno() : 0);
  }

  resume(): void {
    if (this.#hasEnded || this.#isClosed) return;
    this.#isReading = true;
    this.#watch.want(EPOLLIN);
  }

  pause(): void {
    this.#isReading = false;
    this.#watch.forgo(EPOLLIN);
  }

  closeWrite(): void {
    if (libc.shutdown(this.#descriptor, SHUT_WR) < 0) this.#failSoon(errno());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#watch.end();
    closeDescriptor(this.#descriptor);
    this.#descriptor = -1;
    this.#lent = this.#unsent = null;
    this.#loop[inside.enqueue](new Step(() => this.#sink?.closed()));
  }

  abort(): void {
    if (!this.#isClosed && this.#unsent !== null) setReset(this.#descriptor);
    this.close();
  }

  sendFile(file: unknown): FileSender | null {
    const source = FileSource.of(file);
    if (source === null) return null;
    return {
      send: (offset, count) => {
        const result = source.send(this.#descriptor, offset, count);
        if (typeof result !== "number" || result >= 0) return result;
        this.#failSoon(-result);
        return null;
      },
      whenRoom: (ready) => {
        this.#onRoom = ready;
        this.#watch.want(EPOLLOUT);
      },
      close: () => source.close(),
    };
  }

  getExtraInfo(name: string): unknown {
    if (name === "peername" || name === "sockname") return this.#addresses()[name];
    return name === "socket"
      ? this.#socket ??= new TransportSocket(() => this.#descriptor)
      : undefined;
  }

  /** @ignore */
  ready(events: number): void {
    if ((events & WRITABLE) !== 0) {
      if (this.#unsent !== null) this.#writeRest(this.#unsent);
      else if (this.#onRoom !== null) this.#tellRoom(this.#onRoom);
    }
    if (this.#isReading && (events & READABLE) !== 0) this.#read();
  }

  #tellRoom(ready: () => void): void {
    this.#onRoom = null;
    this.#watch.forgo(EPOLLOUT);
    ready();
  }

  #read(): void {
    const sink = this.#sink;
    if (sink === null) return;
    const buffer = sink.lends === false ? shared : this.#borrow(sink);
    if (buffer === null) return;
    const size = buffer.length;
    const count = libc.recv(
      this.#descriptor,
      buffer,
      size < LARGEST_CALL ? size : LARGEST_CALL,
      0,
    );
    if (count < 0) return this.#failToRead(errno());
    this.#lent = null;
    if (count > 0) return sink.received(buffer, count);
    this.#hasEnded = true;
    this.pause();
    sink.ended();
  }

  /** Returns the memory of the sink, if there is some that may be read into now. */
  #borrow(sink: ByteSink): Uint8Array | null {
    const isThere = this.#lent !== null && this.#lent.length > 0;
    const buffer = isThere ? this.#lent : sink.buffer();
    if (this.#isClosed) return null;
    this.#lent = buffer;
    if (buffer === null) this.pause();
    else if (this.#unsent?.buffer !== buffer.buffer) return buffer;
    // When that has gone out, reading goes on.
    else this.#watch.forgo(EPOLLIN);
    return null;
  }

  #failToRead(number: number): void {
    if (number !== EAGAIN && number !== EINTR) this.#fail(systemError(number));
  }

  /** A write has sent less than all: keeps the rest. */
  #keepRest(bytes: Uint8Array, result: number, number: number): number {
    const sent = Math.max(result, 0);
    this.#unsent = sent === 0 ? bytes : bytes.subarray(sent);
    this.#unsentSize = bytes.length - sent;
    if (number === 0 || number === EAGAIN || number === EINTR) this.#watch.want(EPOLLOUT);
    else this.#failSoon(number);
    return sent;
  }

  #writeRest(bytes: Uint8Array): void {
    const size = this.#unsentSize;
    if (bytes.length !== size) return this.#fail(memoryChanged());
    const sent = libc.send(
      this.#descriptor,
      bytes,
      size < LARGEST_CALL ? size : LARGEST_CALL,
      MSG_NOSIGNAL,
    );
    if (sent < 0) {
      const number = errno();
      if (number !== EAGAIN && number !== EINTR) this.#fail(systemError(number));
      return;
    }
    if (sent < size) {
      this.#unsent = bytes.subarray(sent);
      this.#unsentSize = size - sent;
    } else {
      this.#unsent = null;
      this.#watch.forgo(EPOLLOUT);
      if (this.#isReading) this.#watch.want(EPOLLIN);
    }
    this.#sink?.sent(sent);
  }

  #failSoon(number: number): void {
    const error = systemError(number);
    this.#watch.forgo(EPOLLIN | EPOLLOUT);
    this.#isReading = false;
    this.#loop[inside.enqueue](new Step(() => this.#isClosed || this.#fail(error)));
  }

  #fail(error: Error): void {
    this.#hasEnded = true;
    this.#unsent = null;
    this.#watch.forgo(EPOLLOUT);
    this.pause();
    this.#sink?.failed(error);
  }
}
