import * as inside from "../../loop/inside.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import { copyOf, isAlone } from "../core/_read_buffer.ts";
import { StreamBuffer } from "./_stream_buffer.ts";
import { type Read, ReadInto } from "./_stream_reads.ts";
import type { ReadTransport } from "../transport.ts";
import { peerOf } from "../core/peer_of.ts";

/**
 * What a reader, its reads and who feeds it share: the bytes, how the stream stands, and the read
 * that waits.
 */
export class StreamState {
  /** The options of the reads. */
  readonly options: { readonly loop: EventLoop };
  /** What is not read yet. The transport is paused to bound it; see `#pauseIfFull()`. */
  readonly buffer: StreamBuffer = new StreamBuffer();
  #limit: number;
  #ended = false;
  #error: unknown = null;
  #transport: ReadTransport | null = null;
  /** Whether the transport was told to pause. */
  #paused = false;
  /** The read that waits, and how many unread bytes it waits for. */
  #waiter: Read<unknown> | null = null;
  #wanted = 1;
  /** Whether a read was given bytes, and has not gone on to say so; and may give them back. */
  #filling = false;
  #mayUndoFill = false;

  constructor(loop: EventLoop, limit: number) {
    this.options = { loop };
    this.#limit = limit;
  }

  /** Where the bytes come from, as the subject of a wait: the peer, if it is known. */
  get source(): object {
    return peerOf(this.#transport ?? this);
  }

  /** @ignore A stream that nobody has given a transport. */
  [inside.inWords](): string {
    return "StreamReader";
  }

  /** See `StreamReader.setLimit()`. */
  get limit(): number {
    return this.#limit;
  }

  set limit(limit: number) {
    this.#limit = limit;
    this.#pauseIfFull();
    this.#resumeIfRoom();
  }

  /** Whether nothing more will come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What every read throws, or `null`. */
  get error(): unknown {
    return this.#error;
  }

  /** What is paused, if there is something. */
  get transport(): ReadTransport | null {
    return this.#transport;
  }

  /** Whether a read waits for bytes. */
  get isAwaited(): boolean {
    return this.#waiter !== null;
  }

  /** Adds bytes, whose memory is the stream's from now on. */
  feed(data: Uint8Array): void {
    if (this.#ended) {
      throw new InvalidStateError("Cannot feed a stream reader: feedEof() was called");
    }
    if (data.length === 0) return;
    const { buffer } = this;
    if (isAlone(data) && buffer.adopts(data.length, this.#wanted)) buffer.adopt(data);
    else buffer.append(data, this.#wanted);
    this.#noteFed();
  }

  /** As {@linkcode feed} with the first `count` bytes of memory that is used again. */
  feedCopy(memory: Uint8Array, count: number): void {
    const { buffer } = this;
    const waiter = this.#waiter;
    if (waiter instanceof ReadInto && buffer.size === 0) {
      const filled = waiter.fill(memory.subarray(0, count));
      this.#filling = this.#mayUndoFill = true;
      this.#wake();
      if (filled < count) this.feed(copyOf(memory, filled, count));
    } else if (buffer.adopts(count, this.#wanted)) this.feed(copyOf(memory, 0, count));
    else {
      buffer.append(memory.subarray(0, count), this.#wanted);
      this.#noteFed();
    }
  }

  /** Nothing more will come. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }

  /** Every read throws `error` from now on. */
  fail(error: unknown): void {
    this.#error = error;
    this.#wake();
  }

  /** Sets what is paused while too much is unread. */
  setTransport(transport: ReadTransport): void {
    this.#transport = transport;
    this.#paused = false;
    this.#pauseIfFull();
  }

  /** Throws what every read throws. */
  check(): void {
    if (this.#error !== null) throw this.#error;
    if (this.#filling) throw anotherReads();
  }

  /** The read that was given its bytes has said so. */
  endFill(): void {
    this.#filling = false;
  }

  /** The read that was given `bytes` is cancelled. */
  undoFill(bytes: Uint8Array): void {
    this.#filling = false;
    if (this.#mayUndoFill) this.buffer.prepend(bytes);
  }

  /** Takes unread bytes. */
  take(count: number): Uint8Array {
    const bytes = this.buffer.take(count);
    if (this.#paused) this.#resumeIfRoom();
    return bytes;
  }

  /** Takes what came before something else begins, such as TLS: no read gets any of it. */
  takeUnread(): Uint8Array {
    this.#mayUndoFill = false;
    return this.take(this.buffer.size);
  }

  /** As {@linkcode takeUnread}, unless a read waits. */
  takeBuffered(): Uint8Array {
    if (this.#waiter !== null || this.#filling) throw anotherReads();
    return this.takeUnread();
  }

  /** Takes unread bytes and copies them. */
  takeInto(target: Uint8Array): number {
    const count = this.buffer.takeInto(target);
    if (this.#paused) this.#resumeIfRoom();
    return count;
  }

  /** Drops unread bytes. */
  drop(count: number): void {
    this.buffer.drop(count);
    this.#resumeIfRoom();
  }

  /** `read` waits until bytes come and `wanted` are unread. Nothing is paused meanwhile. */
  wait(read: Read<unknown>, wanted: number): void {
    if (this.#waiter !== null) throw anotherReads();
    this.#waiter = read;
    this.#wanted = wanted;
    this.#resume();
  }

  /** `read` is cancelled. */
  leave(read: Read<unknown>): void {
    if (this.#waiter === read) {
      this.#waiter = null;
      this.#wanted = 1;
    }
    this.#pauseIfFull();
  }

  #noteFed(): void {
    if (this.#waiter !== null && this.buffer.size >= this.#wanted) this.#wake();
    this.#pauseIfFull();
  }

  #wake(): void {
    const waiter = this.#waiter;
    this.#waiter = null;
    this.#wanted = 1;
    waiter?.wake();
  }

  #pauseIfFull(): void {
    const isFull = this.buffer.size > 2 * this.#limit;
    if (!isFull || this.#waiter !== null || this.#paused || this.#ended) return;
    this.#paused = this.#transport !== null;
    this.#transport?.pauseReading();
  }

  #resumeIfRoom(): void {
    if (this.buffer.size <= this.#limit) this.#resume();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#transport?.resumeReading();
  }
}

function anotherReads(): InvalidStateError {
  return new InvalidStateError("Cannot read from a stream: another read waits for data");
}
