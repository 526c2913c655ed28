import * as inside from "../loop/inside.ts";
import { Step } from "../loop/scheduling/step.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { ByteChannel, ByteSink } from "../loop/platform/platform.ts";
import type { Runnable } from "../loop/scheduling/ready_queue.ts";
import { createNetworkError } from "./_deno_errors.ts";
import type { Reception, SegmentKind, StreamLink } from "./_stream_link.ts";

/** How the receiving direction has ended, if it has; `reported` once the sink was told. */
type End = "no" | "arrived" | "reported";

/** What a {@linkcode SimulatedChannel} is made of. */
export interface SimulatedChannelOptions {
  /** Carries what is written. */
  readonly link: StreamLink;
  /** Returns what carries the other direction, once there is one. */
  peerLink(): StreamLink | null;
  /** Where this end is. */
  readonly sockname: Deno.Addr;
  /** Where the other end is. */
  readonly peername: Deno.Addr;
  /** Told once this end is closed. */
  onClose(): void;
}

/** One end of a simulated connection: its bytes as the kernel of the host holds them. */
export class SimulatedChannel implements ByteChannel, Runnable {
  readonly #loop: EventLoop;
  readonly #link: StreamLink;
  readonly #addresses: Readonly<Record<string, unknown>>;
  #sink: ByteSink | null = null;
  /** What has arrived and was not read, and how much of the first chunk was. */
  readonly #chunks: Uint8Array[] = [];
  #offset = 0;
  #end: End = "no";
  #isReading = false;
  /** What the read that is pending fills. It completes, also while the channel is paused. */
  #buffer: Uint8Array | null = null;
  /** Whether an entry of the loop is on the way. */
  #isScheduled = false;
  /** What the write in flight has still to send. */
  #unsent: Uint8Array | null = null;
  #hasEnded = false;
  #error: Error | null = null;
  #isClosed = false;
  /** The link of the other direction, which learns what was read. */
  readonly #peerLink: () => StreamLink | null;
  /** Told once this end is closed. */
  readonly #onClose: () => void;

  constructor(loop: EventLoop, options: SimulatedChannelOptions) {
    this.#loop = loop;
    this.#link = options.link;
    this.#addresses = { sockname: options.sockname, peername: options.peername };
    this.#peerLink = options.peerLink;
    this.#onClose = options.onClose;
  }

  attach(sink: ByteSink): void {
    this.#sink = sink;
  }

  write(bytes: Uint8Array): number {
    if (this.#error !== null) {
      this.#error = createNetworkError("brokenPipe", "write to a connection");
      this.#unsent = bytes;
      this.#schedule();
      return 0;
    }
    const count = this.#send(bytes);
    // A copy: the next read may go into the memory that is written from.
    if (count < bytes.length) this.#awaitRoom(new Uint8Array(bytes.subarray(count)));
    return count;
  }

  resume(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    if (this.#end !== "reported") this.#schedule();
  }

  pause(): void {
    this.#isReading = false;
  }

  closeWrite(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#error === null) this.#link.send("end");
  }

  close(): void {
    this.abort();
  }

  abort(): void {
    if (this.#isClosed) return;
    this.closeWrite();
    this.#isClosed = true;
    this.#unsent = null;
    // As a kernel does for bytes that nobody will read: the peer may be waiting for room.
    if (this.#chunks.length > 0 && this.#error === null) this.#link.send("reset");
    this.#chunks.length = 0;
    this.#onClose();
    this.#loop[inside.enqueue](new Step(() => this.#sink?.closed()));
  }

  /** @ignore Breaks the connection for the peer too, as a kernel does that is told to linger no time. */
  [inside.reset](): void {
    if (!this.#isClosed && this.#error === null) this.#link.send("reset");
    this.#hasEnded = true;
    this.#chunks.length = 0;
    this.abort();
  }

  getExtraInfo(name: string): unknown {
    return this.#addresses[name];
  }

  /** @ignore A segment has arrived. */
  receive(kind: SegmentKind, bytes: Uint8Array): Reception {
    if (kind === "reset") this.reset();
    else if (kind === "end") this.#end = "arrived";
    else if (this.#isClosed || this.#error !== null) return "refused";
    else if (bytes.length > 0) this.#chunks.push(bytes);
    if (this.#buffer !== null) this.#enter();
    return "taken";
  }

  /** @ignore The peer knows the connection no more. After its end, a kernel says "broken pipe". */
  reset(): void {
    const kind = this.#end === "no" ? "connectionReset" : "brokenPipe";
    this.fail(createNetworkError(kind, "use a connection"));
  }

  /** @ignore The connection is broken. What has arrived can be read still. */
  fail(error: Error): void {
    if (this.#error !== null || this.#isClosed) return;
    this.#error = error;
    this.#link.close();
    if (this.#buffer !== null || this.#unsent !== null) this.#enter();
  }

  /** @ignore Completes the read that is pending, and issues the next. */
  [inside.run](): void {
    this.#isScheduled = false;
    if (this.#isClosed) return;
    if (this.#buffer !== null) this.#complete(this.#buffer);
    if (this.#error !== null && this.#unsent !== null) this.#fail(this.#error);
    if (this.#isClosed || !this.#isReading || this.#buffer !== null) return;
    this.#buffer = this.#sink?.buffer() ?? null;
    if (this.#buffer === null) this.#isReading = false;
    else if (this.#hasNews()) this.#schedule();
  }

  #complete(buffer: Uint8Array): void {
    if (this.#chunks.length > 0) {
      this.#buffer = null;
      const count = this.#fill(buffer);
      this.#peerLink()?.taken(count);
      this.#sink?.received(buffer, count);
    } else if (this.#end === "arrived") {
      this.#buffer = null;
      this.#isReading = false;
      this.#end = "reported";
      this.#sink?.ended();
    } else if (this.#error !== null) this.#fail(this.#error);
  }

  #fail(error: Error): void {
    this.#buffer = this.#unsent = null;
    this.#isReading = false;
    this.#sink?.failed(error);
  }

  /** Moves what has arrived into `buffer`. Returns how much that was. */
  #fill(buffer: Uint8Array): number {
    let count = 0;
    let used = 0;
    for (const chunk of this.#chunks) {
      const rest = this.#offset === 0 ? chunk : chunk.subarray(this.#offset);
      const room = buffer.length - count;
      if (rest.length > room) {
        buffer.set(rest.subarray(0, room), count);
        this.#offset += room;
        count += room;
        break;
      }
      buffer.set(rest, count);
      count += rest.length;
      this.#offset = 0;
      used += 1;
    }
    this.#chunks.splice(0, used);
    return count;
  }

  /** Whether a read would complete at once. */
  #hasNews(): boolean {
    return this.#chunks.length > 0 || this.#end === "arrived" || this.#error !== null;
  }

  #send(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#link.room);
    if (count > 0) this.#link.send("data", new Uint8Array(bytes.subarray(0, count)));
    return count;
  }

  #awaitRoom(bytes: Uint8Array): void {
    this.#unsent = bytes;
    this.#link.whenRoom(() => this.#sendMore());
  }

  #sendMore(): void {
    const bytes = this.#unsent;
    if (bytes === null || this.#isClosed || this.#error !== null) return;
    const count = this.#send(bytes);
    if (count < bytes.length) this.#awaitRoom(bytes.subarray(count));
    else this.#unsent = null;
    if (count > 0) this.#sink?.sent(count);
  }

  /** An event of the host: goes through the loop at once if it waits. */
  #enter(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#loop[inside.enter](this);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#loop[inside.enqueue](this);
  }
}
