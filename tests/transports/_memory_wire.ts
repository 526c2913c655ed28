import * as inside from "../../loop/inside.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { ByteChannel, ByteSink } from "../../loop/platform/platform.ts";

/** One end of a connection in memory, whose chunks and end a test decides. */
export class MemoryWire implements ByteChannel {
  readonly #loop: EventLoop;
  #sink: ByteSink | null = null;
  #isReading = false;
  #isScheduled = false;
  #isOver = false;
  /** What has come and was not read; `null` at its end. */
  #arrived: (Uint8Array | null)[] = [];
  /** What happens to what this end sends: by default, the other end gets it. */
  transmit: (bytes: Uint8Array | null) => void = () => {};
  /** Whether it takes no bytes, as one whose other end does not read. See {@linkcode release}. */
  isFull = false;
  #unsent: Uint8Array | null = null;

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** Connects two ends. Each read of either takes at most `chunkSize` bytes. */
  static pair(loop: EventLoop, chunkSize?: number): [MemoryWire, MemoryWire] {
    const left = new MemoryWire(loop);
    const right = new MemoryWire(loop);
    left.transmit = (bytes) => right.arrive(bytes, chunkSize);
    right.transmit = (bytes) => left.arrive(bytes, chunkSize);
    return [left, right];
  }

  /** Whether nobody listens any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Lets `bytes` come from the other end, or with `null` its end. */
  arrive(bytes: Uint8Array | null, chunkSize?: number): void {
    if (bytes === null) this.#arrived.push(null);
    else {
      const size = Math.min(chunkSize ?? Infinity, bytes.length);
      for (let start = 0; start < bytes.length; start += size) {
        this.#arrived.push(bytes.slice(start, start + size));
      }
    }
    this.#schedule();
  }

  /** Breaks this end, as a reset does. */
  fail(error: Error): void {
    this.#loop[inside.enqueue]({ [inside.run]: () => this.#sink?.failed(error) });
  }

  attach(sink: ByteSink): void {
    this.#sink = sink;
  }

  write(bytes: Uint8Array): number {
    if (this.isFull) {
      this.#unsent = bytes;
      return 0;
    }
    if (!this.#isOver) this.transmit(bytes.slice());
    return bytes.length;
  }

  /** Takes bytes again, also those of the write in flight. */
  release(): void {
    this.isFull = false;
    const bytes = this.#unsent;
    this.#unsent = null;
    if (bytes === null || this.#isOver) return;
    this.transmit(bytes.slice());
    this.#loop[inside.enqueue]({
      [inside.run]: () => this.#isOver || this.#sink?.sent(bytes.length),
    });
  }

  resume(): void {
    this.#isReading = true;
    this.#schedule();
  }

  pause(): void {
    this.#isReading = false;
  }

  closeWrite(): void {
    this.transmit(null);
  }

  close(): void {
    this.abort();
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.transmit(null);
    this.#loop[inside.enqueue]({ [inside.run]: () => this.#sink?.closed() });
  }

  getExtraInfo(): unknown {
    return undefined;
  }

  [inside.run](): void {
    this.#isScheduled = false;
    if (!this.#isReading || this.#isOver) return;
    const bytes = this.#arrived.shift();
    if (bytes === undefined) return;
    if (bytes === null) this.#sink?.ended();
    else this.#sink?.received(bytes, bytes.length);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || !this.#isReading || this.#arrived.length === 0) return;
    this.#isScheduled = true;
    this.#loop[inside.enqueue](this);
  }
}
