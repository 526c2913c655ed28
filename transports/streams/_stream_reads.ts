/**
 * The reads of a stream: what each of them waits for, and what it takes.
 *
 * *Theory of operation.* A read tries at once. If what it wants is not there, it tells the reader
 * how many unread bytes make a new attempt worth while, and is woken when bytes come and there are
 * as many, or when the stream has ended or failed. It takes bytes only in the attempt that finishes it, so one that
 * is cancelled has taken none.
 *
 * @module
 */
import * as inside from "../../loop/inside.ts";
import {
  type CancelledError,
  IncompleteReadError,
  LimitOverrunError,
} from "../../loop/errors/errors.ts";
import { Operation } from "../../loop/tasks/operation.ts";
import { type Match, NEWLINE, type Separators } from "./_separators.ts";
import type { StreamState } from "./_stream_state.ts";
import { inWords } from "../../loop/values/in_words.ts";

/** What an attempt returns when it has finished the read. */
const DONE = 0;
/** What an attempt returns when the read goes on with whatever comes. */
const ANY = 1;

/** A read of a stream. A subclass starts it at the end of its constructor, by `resumed()`. */
export abstract class Read<T> extends Operation<T> {
  declare protected readonly stream: StreamState;

  constructor(stream: StreamState) {
    super(stream.options);
    this.stream = stream;
  }

  /**
   * Finishes the read, if what it wants is there.
   *
   * @returns `DONE`, or how many bytes must be unread at the next attempt, at least `ANY`.
   */
  protected abstract attempt(): number;

  /** What the read is called. */
  protected abstract get action(): string;

  override [inside.inWords](): string {
    const { size } = this.stream.buffer;
    const unread = size === 0 ? "" : ` (${size} bytes unread)`;
    return `${this.action} from ${inWords(this.stream.source)}${unread}`;
  }

  protected override resumed(): void {
    try {
      this.stream.check();
      const wanted = this.attempt();
      if (wanted === DONE) return;
      this.suspend();
      this.stream.wait(this, wanted);
    } catch (error) {
      this.fail(error);
    }
  }

  protected override interrupted(error: CancelledError): void {
    this.stream.leave(this);
    this.fail(error);
  }
}

/** Takes what is there, up to `count` bytes. */
export class ReadSome extends Read<Uint8Array> {
  readonly #count: number;

  constructor(stream: StreamState, count: number) {
    super(stream);
    this.#count = count;
    this.resumed();
  }

  protected override get action(): string {
    return "read";
  }

  protected override attempt(): number {
    const { stream } = this;
    const size = stream.buffer.size;
    if (size === 0 && this.#count > 0 && !stream.ended) return ANY;
    this.finish(stream.take(Math.min(size, this.#count)));
    return DONE;
  }
}

/** Takes what is there, up to the room in the memory of the caller. */
export class ReadInto extends Read<number> {
  readonly #target: Uint8Array;
  /** How many bytes were put into the target before this read went on to say so. */
  #filled = 0;

  constructor(stream: StreamState, target: Uint8Array) {
    super(stream);
    this.#target = target;
    this.resumed();
  }

  /** Takes the first of `bytes`, with nothing unread before them. Returns how many. */
  fill(bytes: Uint8Array): number {
    const target = this.#target;
    const count = Math.min(bytes.length, target.length);
    target.set(count === bytes.length ? bytes : bytes.subarray(0, count));
    return this.#filled = count;
  }

  protected override get action(): string {
    return "readInto";
  }

  protected override resumed(): void {
    if (this.#filled === 0) return super.resumed();
    this.stream.endFill();
    this.finish(this.#filled);
  }

  protected override interrupted(error: CancelledError): void {
    if (this.#filled > 0) this.stream.undoFill(this.#target.slice(0, this.#filled));
    super.interrupted(error);
  }

  protected override attempt(): number {
    const { stream } = this;
    if (stream.buffer.size === 0 && this.#target.length > 0 && !stream.ended) {
      return ANY;
    }
    this.finish(stream.takeInto(this.#target));
    return DONE;
  }
}

/** Takes everything up to the end of the stream. */
export class ReadAll extends Read<Uint8Array> {
  constructor(stream: StreamState) {
    super(stream);
    this.resumed();
  }

  protected override get action(): string {
    return "read to the end";
  }

  protected override attempt(): number {
    const { stream } = this;
    if (!stream.ended) return Infinity;
    this.finish(stream.take(stream.buffer.size));
    return DONE;
  }
}

/** Takes exactly `count` bytes. */
export class ReadExactly extends Read<Uint8Array> {
  readonly #count: number;

  constructor(stream: StreamState, count: number) {
    super(stream);
    this.#count = count;
    this.resumed();
  }

  protected override get action(): string {
    return "readExactly";
  }

  protected override attempt(): number {
    const { stream } = this;
    const count = this.#count;
    const size = stream.buffer.size;
    if (size >= count) this.finish(stream.take(count));
    else if (stream.ended) throw new IncompleteReadError(stream.take(size), count);
    else return count;
    return DONE;
  }
}

/** Takes everything up to a separator, and the separator. */
abstract class ReadPiece<T> extends Read<T> {
  declare private readonly _separators: Separators;
  /** Up to where in the stream no separator begins. */
  declare private _searched: number;

  constructor(stream: StreamState, separators: Separators) {
    super(stream);
    this._separators = separators;
    this._searched = 0;
  }

  /** The piece is there. */
  protected abstract found(piece: Uint8Array): void;

  /** The stream has ended before the separator. */
  protected abstract endedWith(partial: Uint8Array): void;

  /** The piece is longer than the limit. */
  protected abstract overran(error: LimitOverrunError, match: Match | null): void;

  protected override attempt(): number {
    const { stream } = this;
    const buffer = stream.buffer;
    // Another read may have taken bytes since the last attempt.
    const offset = Math.max(0, this._searched - buffer.taken);
    const match = this._separators.find(buffer, offset);
    const before = match?.start ?? this._separators.unsearched(buffer.size);
    if (before > stream.limit) this.overran(overrun(stream.limit, before), match);
    else if (match !== null) this.found(stream.take(match.end));
    else if (stream.ended) this.endedWith(stream.take(buffer.size));
    else {
      this._searched = buffer.taken + before;
      return ANY;
    }
    return DONE;
  }
}

/** Takes everything up to a separator, which must come. */
export class ReadUntil extends ReadPiece<Uint8Array> {
  constructor(stream: StreamState, separators: Separators) {
    super(stream, separators);
    this.resumed();
  }

  protected override get action(): string {
    return "readUntil";
  }

  protected override found(piece: Uint8Array): void {
    this.finish(piece);
  }

  protected override endedWith(partial: Uint8Array): void {
    this.fail(new IncompleteReadError(partial, null));
  }

  protected override overran(error: LimitOverrunError): void {
    this.fail(error);
  }
}

/** Takes a line. The last one may lack its end; a line that is too long is dropped. */
abstract class LineRead<T> extends ReadPiece<T> {
  constructor(stream: StreamState) {
    super(stream, NEWLINE);
    this.resumed();
  }

  protected override get action(): string {
    return "readLine";
  }

  protected override endedWith(partial: Uint8Array): void {
    this.found(partial);
  }

  protected override overran(error: LimitOverrunError, match: Match | null): void {
    this.stream.drop(match?.end ?? this.stream.buffer.size);
    this.fail(error);
  }
}

/** Takes a line; an empty one is the end of the stream. */
export class ReadLine extends LineRead<Uint8Array> {
  protected override found(piece: Uint8Array): void {
    this.finish(piece);
  }
}

/** Takes a line as one step of an iteration. */
export class NextLine extends LineRead<IteratorResult<Uint8Array, undefined>> {
  protected override found(piece: Uint8Array): void {
    if (piece.length > 0) this.finish({ done: false, value: piece });
    else this.finish({ done: true, value: undefined });
  }
}

function overrun(limit: number, consumed: number): LimitOverrunError {
  return new LimitOverrunError(
    `Cannot read up to the separator: it is not within the limit of ${limit} bytes`,
    consumed,
  );
}
