import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import { memoryChanged } from "../core/_memory_changed.ts";
import { ReadingChannel } from "../core/reading_channel.ts";
import {
  joinRotation,
  leaveRotation,
  mayRead,
  type RotatingReader,
} from "./_deno_read_rotation.ts";

/**
 * A byte channel over a connection of Deno's.
 *
 * *Theory of operation.* Beside the one read, one write is with the host at a time. A write is a
 * system call within `write()`; that it went out shows one microtask later, and that report needs no
 * turn of the loop. The host sends a part when the socket is full; then the rest is written again. A
 * read does not start into memory that the write in flight sends from.
 */
export class DenoByteChannel extends ReadingChannel implements RotatingReader {
  /** @ignore The round of the rotation in which it has read last. */
  round = -1;
  readonly #connection: Deno.Conn;
  /** What the pending read fills. */
  #buffer: Uint8Array = NO_BYTES;
  /** What the write in flight has still to send. */
  #unsent: Uint8Array | null = null;
  /** How many bytes that were when it was given: the memory is still that of the writer. */
  #unsentSize = 0;
  /** Whether a read waits for that write, which sends from the memory that it would fill. */
  #readPostponed = false;

  /** Wraps `connection`, which belongs to the channel from now on. */
  constructor(loop: EventLoop, connection: Deno.Conn) {
    if ("setNoDelay" in connection) (connection as Deno.TcpConn).setNoDelay(true);
    super(loop);
    this.#connection = connection;
    inUse.add(connection);
    joinRotation();
  }

  write(bytes: Uint8Array): number {
    this.#unsent = bytes;
    this.#unsentSize = bytes.length;
    this.#connection.write(bytes).then(this.#onWritten, this.#onWriteError);
    return 0;
  }

  closeWrite(): void {
    this.#connection.closeWrite().catch(this.#onWriteError);
  }

  getExtraInfo(name: string): unknown {
    switch (name) {
      case "peername":
        return withoutMapping(this.#connection.remoteAddr);
      case "sockname":
        return withoutMapping(this.#connection.localAddr);
      case "socket":
        return this.#connection;
      default:
        return undefined;
    }
  }

  /** @ignore Issues the read that was held for fairness. */
  readHeld(): void {
    this.completed(NO_BYTES, 0);
  }

  protected override read(isFirst: boolean): void {
    if (!isFirst && !mayRead(this)) return;
    const buffer = this.sink?.buffer() ?? null;
    if (this.isClosed) return;
    if (buffer === null) return this.notIssued();
    this.#buffer = buffer;
    if (this.#unsent?.buffer === buffer.buffer) this.#readPostponed = true;
    else this.#connection.read(buffer).then(this.#onRead, this.#onReadError);
  }

  protected override release(): void {
    leaveRotation();
    this.#connection[Symbol.dispose]();
  }

  #readPostponedNow(): void {
    this.#readPostponed = false;
    this.#connection.read(this.#buffer).then(this.#onRead, this.#onReadError);
  }

  readonly #onRead = (count: number | null): void => this.completed(this.#buffer, count);

  readonly #onReadError = (error: Error): void => this.completed(NO_BYTES, error);

  readonly #onWritten = (count: number): void => {
    const bytes = this.#unsent;
    if (this.isClosed || bytes === null) return;
    if (count < this.#unsentSize) {
      if (bytes.length !== this.#unsentSize) return this.#onWriteError(memoryChanged());
      this.write(bytes.subarray(count));
    } else {
      this.#unsent = null;
      if (this.#readPostponed) this.#readPostponedNow();
    }
    this.sink?.sent(count);
  };

  readonly #onWriteError = (error: Error): void => {
    const isSame = this.#unsent === null || this.#unsent.length === this.#unsentSize;
    const failure = isSame ? error : memoryChanged(error);
    this.#unsent = null;
    if (this.isClosed) return;
    this.loop[inside.enter](new Step(() => this.isClosed || this.sink?.failed(failure)));
  };
}

/** Connections that have a channel, or had one. */
const inUse: WeakSet<Deno.Conn> = new WeakSet();

/** Wraps a connection of the program's. Throws if something else uses it, or it is closed. */
export function adoptConnection(loop: EventLoop, connection: Deno.Conn): DenoByteChannel {
  if (inUse.has(connection)) {
    throw new InvalidStateError("Cannot use a connection: another transport has it");
  }
  try {
    return new DenoByteChannel(loop, connection);
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
    throw new InvalidStateError("Cannot use a connection: it is closed");
  }
}

const NO_BYTES = new Uint8Array(0);

/** Returns an IPv4 address that came over an IPv6 socket as the IPv4 address it is. */
function withoutMapping(address: Deno.Addr): Deno.Addr {
  if (!("hostname" in address) || !address.hostname.startsWith("::ffff:")) return address;
  return { ...address, hostname: address.hostname.slice("::ffff:".length) };
}
