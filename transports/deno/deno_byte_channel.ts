import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import type { ByteChannel, ByteSink } from "../../loop/platform/platform.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import { memoryChanged } from "../core/_memory_changed.ts";
import {
  joinRotation,
  leaveRotation,
  mayRead,
  type RotatingReader,
} from "./_deno_read_rotation.ts";

/**
 * Where the reading side stands. In `reading` and `stopping` a read is with the host, or is held
 * for fairness, or its outcome waits for its turn in the loop.
 */
type ReadState = "paused" | "reading" | "stopping" | "ended";

/**
 * A byte channel over a connection of Deno's.
 *
 * *Theory of operation.* One read is with the host at a time, and one write. A read that has
 * completed enters the loop, is reported there, and there the next one is issued: outside of all
 * async functions, so that nothing of them sticks to the chain of reads. A write is a system call
 * within `write()`; that it went out shows one microtask later, and that report needs no turn of
 * the loop. The host sends a part when the socket is full; then the rest is written again.
 *
 * The host cannot take a read back. `pause()` lets it complete (`stopping`), and reports it. A
 * read does not start into memory that the write in flight sends from.
 */
export class DenoByteChannel implements ByteChannel, RotatingReader {
  /** @ignore The round of the rotation in which it has read last. */
  round = -1;
  readonly #loop: EventLoop;
  readonly #connection: Deno.Conn;
  #sink: ByteSink | null = null;
  #state: ReadState = "paused";
  /** What the pending read fills. */
  #buffer: Uint8Array = NO_BYTES;
  /** How it ended: a count, the end of the stream, or an error. 0 says that there was no read yet. */
  #outcome: number | null | Error = 0;
  /** What the write in flight has still to send. */
  #unsent: Uint8Array | null = null;
  /** How many bytes that were when it was given: the memory is still that of the writer. */
  #unsentSize = 0;
  /** Whether a read waits for that write, which sends from the memory that it would fill. */
  #readPostponed = false;
  #closed = false;

  /** Wraps `connection`, which belongs to the channel from now on. */
  constructor(loop: EventLoop, connection: Deno.Conn) {
    if ("setNoDelay" in connection) (connection as Deno.TcpConn).setNoDelay(true);
    this.#loop = loop;
    this.#connection = connection;
    inUse.add(connection);
    joinRotation();
  }

  attach(sink: ByteSink): void {
    this.#sink = sink;
  }

  write(bytes: Uint8Array): number {
    this.#unsent = bytes;
    this.#unsentSize = bytes.length;
    this.#connection.write(bytes).then(this.#onWritten, this.#onWriteError);
    return 0;
  }

  resume(): void {
    if (this.#state === "stopping") this.#state = "reading";
    else if (this.#state === "paused") {
      this.#state = "reading";
      this.#outcome = 0;
      this.#loop[inside.enqueue](this);
    }
  }

  pause(): void {
    if (this.#state === "reading") this.#state = "stopping";
  }

  closeWrite(): void {
    this.#connection.closeWrite().catch(this.#onWriteError);
  }

  close(): void {
    this.abort();
  }

  abort(): void {
    if (this.#closed) return;
    this.#closed = true;
    leaveRotation();
    this.#connection[Symbol.dispose]();
    this.#loop[inside.enqueue](new Step(() => this.#sink?.closed()));
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

  /** @ignore Reports the read that has completed, and issues the next. */
  [inside.run](): void {
    if (this.#closed) return;
    const outcome = this.#outcome;
    if (typeof outcome !== "number") return this.#end(outcome);
    if (outcome > 0) this.#sink?.received(this.#buffer, outcome);
    if (this.#closed) return;
    if (this.#state === "stopping") this.#state = "paused";
    else if (outcome === 0 || mayRead(this)) this.#read();
  }

  /** @ignore Issues the read that was held for fairness. */
  readHeld(): void {
    this.#outcome = 0;
    this.#loop[inside.enter](this);
  }

  #read(): void {
    const buffer = this.#sink?.buffer() ?? null;
    if (this.#closed) return;
    if (buffer === null) {
      this.#state = "paused";
      return;
    }
    this.#buffer = buffer;
    if (this.#unsent?.buffer === buffer.buffer) this.#readPostponed = true;
    else this.#connection.read(buffer).then(this.#onRead, this.#onReadError);
  }

  #readPostponedNow(): void {
    this.#readPostponed = false;
    this.#connection.read(this.#buffer).then(this.#onRead, this.#onReadError);
  }

  #end(outcome: null | Error): void {
    this.#state = "ended";
    if (outcome === null) this.#sink?.ended();
    else this.#sink?.failed(outcome);
  }

  readonly #onRead = (count: number | null): void => {
    this.#outcome = count;
    this.#loop[inside.enter](this);
  };

  readonly #onReadError = (error: Error): void => {
    this.#outcome = error;
    this.#loop[inside.enter](this);
  };

  readonly #onWritten = (count: number): void => {
    const bytes = this.#unsent;
    if (this.#closed || bytes === null) return;
    if (count < this.#unsentSize) {
      if (bytes.length !== this.#unsentSize) return this.#onWriteError(memoryChanged());
      this.write(bytes.subarray(count));
    } else {
      this.#unsent = null;
      if (this.#readPostponed) this.#readPostponedNow();
    }
    this.#sink?.sent(count);
  };

  readonly #onWriteError = (error: Error): void => {
    const isSame = this.#unsent === null || this.#unsent.length === this.#unsentSize;
    const failure = isSame ? error : memoryChanged(error);
    this.#unsent = null;
    if (this.#closed) return;
    this.#loop[inside.enter](new Step(() => this.#closed || this.#sink?.failed(failure)));
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
