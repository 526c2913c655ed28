/**
 * The one state machine of connections: TCP, TLS, Unix sockets, pipes and simulated links.
 *
 * *Theory of operation.* A transport is the sink of a byte channel and calls a protocol. It is
 *
 * - `opening` from its creation to `connectionMade()`, which is an entry of the loop;
 * - `open` while it reads and writes;
 * - `flushing` after `close()`, while bytes are buffered: it reads no more, and sends them;
 * - `closing` once the channel was told to close;
 * - `closed` when the channel has reported so, and `connectionLost()` is called;
 * - `leaving` instead while TLS is about to get its channel: it sends what is buffered;
 * - `left` while TLS has the channel and shakes hands;
 * - `moved` once another transport has taken its place, which then gets all calls of the channel.
 *
 * Any error skips to `closing`. The two directions have a state of their own below that: reading
 * can be paused, ended by the peer, or taken by TLS; writing can be ended by `writeEof()`, lent to
 * `sendfile()`, taken by TLS, or lost. What is written while it flushes is sent as well.
 *
 * A byte counts as buffered until the channel has reported it sent. One write is with the
 * channel; later ones wait in a queue, and go out joined. When all has gone out, a protocol that
 * was paused is resumed first, for it may have more to say; then the transport goes on.
 *
 * @module
 */
import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import { assertMove, type Moves } from "../../loop/errors/assert.ts";
import { type Context, copyContext, enterContext } from "../../loop/scheduling/context.ts";
import { errorOf } from "../../loop/errors/error_of.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import { lineOf, showAsText } from "../../loop/values/describe.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import {
  captureEngineContext,
  isInEngineContext,
  runInEngineContext,
} from "../../loop/platform/platform_loop.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { ByteChannel, ByteSink, FileSender } from "../../loop/platform/platform.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { CopyingProtocol } from "./_copying_protocol.ts";
import { checkProtocol, followMethod } from "./create_protocol.ts";
import { FlowControl } from "./_flow_control.ts";
import { type OpenResource, openResources } from "./open_resources.ts";
import { aloneIn, copyOf, ReadBuffer } from "./_read_buffer.ts";
import { remedyForBytes } from "./_remedy_for_bytes.ts";
import { join, SendQueue } from "./_send_queue.ts";
import { memoryChanged } from "./_memory_changed.ts";
import { SinkInContext } from "./_sink_in_context.ts";
import type { ProtocolLike } from "../protocol.ts";
import type { ExtraInfo, Transport, WriteBufferLimits } from "../transport.ts";
import type { ResourceFigures } from "../../loop/inspection/resource_figures.ts";
import { addressOf, kindOfTransport } from "./peer_of.ts";

/** Where a transport stands; see above. */
type State =
  | "opening"
  | "open"
  | "flushing"
  | "closing"
  | "closed"
  | "leaving"
  | "left"
  | "moved";

/** Every legal move. Anything else is our bug, and asserts. */
const MOVES: Moves<State> = {
  opening: ["open", "flushing", "closing", "leaving"],
  open: ["flushing", "closing", "leaving"],
  flushing: ["closing"],
  closing: ["closed"],
  closed: [],
  leaving: ["flushing", "closing", "left"],
  left: ["closed", "moved"],
  moved: [],
};

/** The receiving direction. In `paused` and `taken`, what the host had read already is held. */
type Reading = "on" | "paused" | "taken" | "ended";

/**
 * The sending direction: `lent` is for `sendfile()` alone, and `taken` for TLS; `ending` sends what
 * is buffered, then the end; `lost` drops writes.
 */
type Writing = "open" | "lent" | "taken" | "ending" | "ended" | "lost";

/** Why a transport whose writing stands like that takes no writes. */
const REFUSALS: Readonly<Record<Exclude<Writing, "open" | "lost">, string>> = {
  lent: "a file is being sent",
  taken: "TLS has taken its connection",
  ending: "writeEof() was called",
  ended: "writeEof() was called",
};

/** What came while reading was paused: bytes, or the end of the stream. */
export type Unread = { buffer: Uint8Array; count: number; isOwned: boolean } | "end";

/** Writes after the loss of the connection that pass without a warning. */
const SILENT_LOST_WRITES = 4;

/** Who keeps count of transports. */
export interface TransportOwner {
  /** The server that has accepted the connections. */
  readonly server: object;
  /** `transport` exists. */
  attached(transport: StreamTransport): void;
  /** `transport` is closed, and its protocol was told. */
  detached(transport: StreamTransport): void;
}

/** Settings of a {@linkcode StreamTransport}. */
export interface StreamTransportOptions {
  /** Finished once `connectionMade` was called. */
  opened?: Future<void> | undefined;
  /** The server that has accepted the connection. */
  owner?: TransportOwner | undefined;
  /**
   * What the channel does; both by default. A pipe has one direction, and is closed when that ends:
   * by the peer, whatever `eofReceived` returns, or by `writeEof`.
   */
  direction?: "both" | "read" | "write" | undefined;
  /** Whether the protocol knows of the connection already, and `connectionMade` is not called. */
  isMade?: boolean | undefined;
}

/**
 * Puts something on a channel that was a transport's, with what that has received and not passed
 * on.
 */
export type TakeOver<C extends ByteChannel> = (channel: ByteChannel, held: Unread | null) => C;

/** A transport that waits to be left. */
interface Leaving {
  readonly takeOver: TakeOver<ByteChannel>;
  readonly left: Future<ByteChannel>;
}

/** A transport over a byte channel. Created by `createConnection()`, servers and their like. */
export class StreamTransport<A extends Deno.Addr = Deno.Addr>
  implements Transport<A>, ByteSink, OpenResource {
  readonly #loop: EventLoop;
  readonly #channel: ByteChannel;
  readonly #opened: Future<void> | null;
  /** @ignore */
  readonly [inside.owner]: TransportOwner | undefined;
  readonly #direction: "both" | "read" | "write";
  readonly #isMade: boolean;
  /** The context variables that callbacks see, captured here. */
  readonly #context: Context = copyContext();
  /** The foreign context that they see, and whether it is another one than that of the loop. */
  readonly #creator = captureEngineContext();
  #isForeign = false;
  #protocol: ProtocolLike;
  #state: State = "opening";
  #error: Error | null = null;
  /** Who waits for the channel; and who has it, until another transport does. */
  #leaving: Leaving | null = null;
  #successor: ByteChannel | null = null;
  /** Whether the program has closed the connection while that had it. */
  #isGivenUp = false;
  /** Who waits until all that was written went out, or something else has happened. */
  #emptied: Future<void> | null = null;

  #reading: Reading = "on";
  #held: Unread | null = null;
  readonly #readBuffer = new ReadBuffer();
  /** The memory that a buffered protocol has lent for the next read, and which protocol. */
  #lent: Uint8Array | null = null;
  #lender: ProtocolLike | null = null;
  /** Whether bytes were copied into lent memory, where no channel keeps them from writes in flight. */
  #isFeeding = false;

  #writing: Writing = "open";
  readonly #flow = new FlowControl();
  readonly #queue = new SendQueue();
  /** Bytes that have come, and that were written; since when it is there. */
  #bytesIn = 0;
  #bytesOut = 0;
  readonly #since: number;
  /** Bytes with the channel, and all that have not gone out. */
  #inFlight = 0;
  #unsent = 0;
  /** How many bytes had come and gone when {@linkcode inside.isSilent} was called last. */
  #movedBefore = 0;
  #lostWrites = 0;

  /** Starts on `channel`, which belongs to the transport from now on. */
  constructor(
    loop: EventLoop,
    channel: ByteChannel,
    protocol: ProtocolLike,
    options: StreamTransportOptions = {},
  ) {
    this.#loop = loop;
    this.#since = loop.time();
    this.#channel = channel;
    this.#protocol = protocol;
    this.#opened = options.opened ?? null;
    this[inside.owner] = options.owner;
    this.#isMade = options.isMade ?? false;
    this.#direction = options.direction ?? "both";
    if (this.#direction === "write") this.#reading = "ended";
    channel.attach(this);
    openResources(loop).add(this);
    this[inside.owner]?.attached(this);
    loop[inside.enqueue](this);
  }

  getExtraInfo<N extends keyof ExtraInfo<A>, F = undefined>(
    name: N,
    fallback?: F,
  ): ExtraInfo<A>[N] | F;
  getExtraInfo(name: string, fallback?: unknown): unknown;
  getExtraInfo(name: string, fallback?: unknown): unknown {
    return this.#channel.getExtraInfo(name) ?? fallback;
  }

  static {
    showAsText(this);
  }

  /** Says where it stands, as `repr()`: `<StreamTransport open reading=paused unsent=5>`. */
  toString(): string {
    return lineOf(this, this.#state, {
      reading: this.#reading === "on" ? "" : this.#reading,
      writing: this.#writing === "open" ? "" : this.#writing,
      unsent: this.#unsent,
    });
  }

  /** @ignore */
  [inside.inWords](): string {
    if (this.#direction !== "both") return `pipe to ${this.#direction}`;
    const peer = addressOf(this, "peername");
    if (peer !== null) {
      return `connection ${this[inside.owner] === undefined ? "to" : "from"} ${peer}`;
    }
    const local = addressOf(this, "sockname");
    return local === null ? "connection" : `connection at ${local}`;
  }

  /** @ignore */
  [inside.figures](figures: ResourceFigures): void {
    const server = this[inside.owner]?.server;
    figures.transports.push({
      id: figures.idOf(this),
      what: this[inside.inWords](),
      kind: this.#direction === "both" ? kindOfTransport(this) : "pipe",
      peer: addressOf(this, "peername"),
      local: addressOf(this, "sockname"),
      state: this.#state,
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      buffered: this.#unsent,
      readingPaused: this.#reading === "paused",
      writingPaused: this.#flow.paused,
      age: figures.now - this.#since,
      server: server === undefined ? null : figures.idOf(server),
    });
  }

  getProtocol(): ProtocolLike {
    return this.#protocol;
  }

  setProtocol(protocol: ProtocolLike): void {
    checkProtocol(protocol);
    this.#protocol = protocol;
  }

  isClosing(): boolean {
    return this.#state !== "opening" && this.#state !== "open";
  }

  close(): void {
    if (this.#state === "left") return this.abort();
    if (this.isClosing() && this.#state !== "leaving") return;
    this.#leaveNothing();
    if (this.#writing === "taken") this.#writing = "lost";
    this.#endReading();
    this.#move("flushing");
    this.#wakeEmptied();
    this.#flushIfEmpty();
  }

  abort(): void {
    if (this.#state !== "left") return this.#lose(null);
    // The handshake fails with that, and `startTls()` ends the connection.
    this.#isGivenUp = true;
    this.#successor?.abort();
  }

  isReading(): boolean {
    return this.#reading === "on";
  }

  pauseReading(): void {
    if (this.#reading !== "on") return;
    this.#reading = "paused";
    this.#channel.pause();
  }

  resumeReading(): void {
    if (this.#reading !== "paused") return;
    this.#reading = "on";
    if (this.#held === null) this.#channel.resume();
    else this.#loop[inside.enqueue](this.#step(() => this.#deliverHeld()));
  }

  write(data: Uint8Array): void {
    checkBytes(data);
    if (this.#writing !== "open") return this.#refuseWrite();
    if (data.length === 0) return checkMemory(data);
    this.#send(data);
    this.#pauseIfHigh();
  }

  writelines(chunks: Iterable<Uint8Array>): void {
    const list = [...chunks];
    let size = 0;
    for (const chunk of list) {
      checkBytes(chunk);
      if (chunk.length === 0) checkMemory(chunk);
      size += chunk.length;
    }
    this.write(list.length === 1 ? list[0] as Uint8Array : join(list, size));
  }

  writeEof(): void {
    if (!this.canWriteEof()) {
      throw new InvalidStateError("Cannot end one side of a connection: TLS ends both or none");
    }
    const writing = this.#writing;
    if (writing === "lent" || writing === "taken") {
      throw new InvalidStateError(`Cannot end one side of a connection: ${REFUSALS[writing]}`);
    }
    if (this.isClosing() || writing !== "open") return;
    if (this.#direction === "write") return this.close();
    this.#writing = "ending";
    this.#flushIfEmpty();
  }

  canWriteEof(): boolean {
    return this.#channel.endsWhole !== true;
  }

  getWriteBufferSize(): number {
    return this.#unsent;
  }

  getWriteBufferLimits(): [low: number, high: number] {
    return this.#flow.limits;
  }

  setWriteBufferLimits(limits: WriteBufferLimits = {}): void {
    this.#flow.setLimits(limits);
    this.#pauseIfHigh();
  }

  /** @ignore Whether something that was written was dropped. */
  get [inside.hasDropped](): boolean {
    return this.#lostWrites > 0;
  }

  /** @ignore Whether no byte came or went since this was called before. */
  [inside.isSilent](): boolean {
    const before = this.#movedBefore;
    this.#movedBefore = this.#bytesIn + this.#bytesOut - this.#unsent;
    return this.#movedBefore === before;
  }

  /** @ignore The first entry of the transport: makes the connection. */
  [inside.run](): void {
    if (isInEngineContext(this.#creator)) return this.#make();
    this.#isForeign = true;
    if (this.#successor === null) this.#channel.attach(new SinkInContext(this.#creator, this));
    runInEngineContext(this.#creator, () => this.#make());
  }

  #make(): void {
    if (this.#state === "opening") this.#move("open");
    enterContext(this.#context);
    try {
      if (!this.#isMade) this.#follow(this.#protocol.connectionMade?.(this), "connectionMade");
    } catch (error) {
      this.#report(error, "Exception in protocol.connectionMade()");
    }
    if (this.#reading === "on") this.#channel.resume();
    if (this.#opened?.done() === false) this.#opened.setResult();
  }

  /** @ignore */
  [inside.release](): void {
    this.#endReading();
    this.#channel.abort();
  }

  /** @ignore Only a buffered protocol of a user's wants what is read in memory of its own. */
  get lends(): boolean {
    const protocol = this.#protocol;
    return protocol.getBuffer !== undefined && !(protocol instanceof CopyingProtocol);
  }

  /** @ignore */
  buffer(): Uint8Array | null {
    const protocol = this.#protocol;
    try {
      if (protocol.getBuffer === undefined) return this.#readBuffer.take();
      enterContext(this.#context);
      this.#lender = protocol;
      return this.#lent = checkLent(protocol.getBuffer(-1));
    } catch (error) {
      this.#fail(error, "getBuffer");
      return null;
    }
  }

  /** @ignore */
  received(buffer: Uint8Array, count: number, isOwned = false): void {
    this.#bytesIn += count;
    if (this.#reading === "on") this.#deliver(buffer, count, isOwned);
    else if (this.#reading !== "ended") this.#held = { buffer, count, isOwned };
  }

  /** @ignore */
  ended(): void {
    if (this.#reading === "on") this.#deliverEnd();
    else if (this.#reading !== "ended") this.#held = "end";
  }

  /** @ignore */
  failed(error: Error): void {
    this.#lose(error);
  }

  /** @ignore */
  sent(count: number): void {
    this.#unsent -= count;
    this.#inFlight -= count;
    while (this.#inFlight === 0 && !this.#queue.empty) {
      const bytes = this.#queue.take();
      if (bytes === null) {
        return this.#loop[inside.enter](new Step(() => this.#lose(memoryChanged())));
      }
      this.#sendNow(bytes);
    }
    if (!this.#flow.paused) this.#flushIfEmpty();
    else if (this.#flow.mayResume(this.#unsent)) {
      this.#loop[inside.enter](this.#step(() => this.#resumeWriting()));
    }
  }

  /** @ignore */
  closed(): void {
    this.#move("closed");
    openResources(this.#loop).delete(this);
    enterContext(this.#context);
    try {
      this.#follow(this.#protocol.connectionLost?.(this.#error), "connectionLost");
    } catch (error) {
      this.#report(error, "Exception in protocol.connectionLost()");
    }
    this[inside.owner]?.detached(this);
  }

  /**
   * @ignore Gives the channel away once all that was written went out. {@linkcode inside.endLeaving} must
   * follow, whatever comes of it.
   *
   * @returns What has taken over.
   * @throws {InvalidStateError} If it is not open in both directions, or somebody sends a file.
   */
  [inside.leave]<C extends ByteChannel>(takeOver: TakeOver<C>): Future<C> {
    const state = this.#leavingRefusal();
    if (state !== null) throw new InvalidStateError(`Cannot start TLS on a transport: ${state}`);
    const left = this.#loop.createFuture<C>();
    this.pauseReading();
    this.#reading = "taken";
    this.#writing = "taken";
    this.#leaving = { takeOver, left: left as Future<ByteChannel> };
    this.#move("leaving");
    if (this.#unsent === 0 && !this.#flow.paused) this.#giveAway();
    return left;
  }

  /** @ignore Throws if the program has closed the connection while something else had it. */
  [inside.checkLeft](): void {
    if (this.#isGivenUp) throw connectionLost();
  }

  /** @ignore Another transport has taken over; or, if `error` is given, none could. */
  [inside.endLeaving](error?: Error | null): void {
    if (error === undefined) {
      this.#move("moved");
      openResources(this.#loop).delete(this);
      this[inside.owner]?.detached(this);
    } else if (this.#state === "left") {
      this.#writing = "lost";
      this.#error = this.#isGivenUp ? null : error;
      this.#successor?.abort();
      this.#loop[inside.enqueue](this.#step(() => this.closed()));
    } else if (this.#state === "leaving") this.#lose(error);
  }

  /**
   * @ignore Lets nobody write but with {@linkcode inside.writeLent}, until {@linkcode inside.endLending}.
   *
   * @throws {InvalidStateError} If it is closing, or somebody else has ended or borrowed it.
   */
  [inside.lend](): void {
    const writing = this.#writing;
    if (writing !== "open" && writing !== "lost") {
      throw new InvalidStateError(`Cannot send a file: ${REFUSALS[writing]}`);
    }
    if (this.isClosing()) {
      throw new InvalidStateError("Cannot send a file: the transport is closing");
    }
    this.#writing = "lent";
  }

  /** @ignore Sends what was borrowed the transport for; the protocol is not paused for it. */
  [inside.writeLent](bytes: Uint8Array): void {
    if (bytes.length > 0) this.#send(bytes);
  }

  /** @ignore Returns what has the host send `file` for who has borrowed it; `null` if it cannot. */
  [inside.sendFile](file: unknown): FileSender | null {
    return this.#channel.sendFile?.(file) ?? null;
  }

  /** @ignore Waits until all that was written went out, or the transport is closing. */
  *[inside.emptied](): Coroutine<void> {
    while (!this.isClosing() && (this.#unsent > 0 || this.#flow.paused)) {
      this.#emptied = this.#loop.createFuture();
      yield* this.#emptied;
    }
  }

  /** @ignore Waits until `pending` is done, or the transport is closing. */
  *[inside.whileOpen](pending: Future<unknown>): Coroutine<void> {
    pending.addDoneCallback(() => this.#wakeEmptied());
    while (!this.isClosing() && !pending.done()) {
      this.#emptied = this.#loop.createFuture();
      yield* this.#emptied;
    }
  }

  /** @ignore Everybody may write again. */
  [inside.endLending](): void {
    if (this.#writing !== "lent") return;
    this.#writing = "open";
    this.#pauseIfHigh();
  }

  /** An entry of the loop that calls the protocol. */
  #step(work: () => void): Step {
    return new Step(this.#isForeign ? () => runInEngineContext(this.#creator, work) : work);
  }

  #move(state: State): void {
    assertMove("a transport", MOVES, this.#state, state);
    this.#state = state;
  }

  #deliver(buffer: Uint8Array, count: number, isOwned: boolean): void {
    enterContext(this.#context);
    const protocol = this.#protocol;
    try {
      if (buffer === this.#lent && protocol === this.#lender) this.#callBufferUpdated(count);
      else if (protocol.getBuffer !== undefined) this.#pass(protocol, buffer, count);
      else {
        const data = isOwned ? aloneIn(buffer, count) : copyOf(buffer, 0, count);
        if (buffer !== this.#lent) this.#readBuffer.adapt(count);
        const result: unknown = protocol.dataReceived?.(data);
        if (result !== undefined) this.#followOrFail(result, "dataReceived");
      }
    } catch (error) {
      this.#fail(error, "dataReceived");
    }
  }

  /** Hands bytes to a buffered protocol that has not lent the memory that they are in. */
  #pass(protocol: ProtocolLike, buffer: Uint8Array, count: number): void {
    if (protocol instanceof CopyingProtocol) protocol.copyFrom(buffer, count);
    else this.#feed(buffer.subarray(0, count));
  }

  /** Copies bytes that were read for the protocol before into the memory of a buffered one. */
  #feed(bytes: Uint8Array): void {
    let left = bytes;
    this.#isFeeding = true;
    while (left.length > 0 && this.#reading !== "ended") {
      const buffer = this.buffer();
      if (buffer === null) return;
      const count = Math.min(left.length, buffer.length);
      buffer.set(left.subarray(0, count));
      left = left.subarray(count);
      this.#callBufferUpdated(count);
    }
  }

  #callBufferUpdated(count: number): void {
    try {
      const result: unknown = this.#protocol.bufferUpdated?.(count);
      if (result !== undefined) this.#followOrFail(result, "bufferUpdated");
    } catch (error) {
      this.#fail(error, "bufferUpdated");
    }
  }

  #deliverEnd(): void {
    this.#reading = "ended";
    enterContext(this.#context);
    try {
      const keepsOpen = this.#protocol.eofReceived?.();
      const isOver = this.#direction === "read" || this.#channel.endsWhole === true;
      if (keepsOpen !== true || isOver) this.close();
      this.#followOrFail(keepsOpen, "eofReceived");
    } catch (error) {
      this.#fail(error, "eofReceived");
    }
  }

  /** Goes on after a pause in which something came. */
  #deliverHeld(): void {
    const held = this.#held;
    if (held === null || this.#reading !== "on") return;
    this.#held = null;
    if (held === "end") return this.#deliverEnd();
    this.#deliver(held.buffer, held.count, held.isOwned);
    if (this.isReading()) this.#channel.resume();
  }

  #endReading(): void {
    if (this.#reading === "on") this.#channel.pause();
    this.#reading = "ended";
    this.#held = null;
  }

  #refuseWrite(): void {
    const writing = this.#writing;
    if (writing !== "open" && writing !== "lost") {
      throw new InvalidStateError(`Cannot write to a transport: ${REFUSALS[writing]}`);
    }
    if (++this.#lostWrites > SILENT_LOST_WRITES) {
      console.warn(`Dropping write ${this.#lostWrites} to a transport: the connection is lost`);
    }
  }

  #send(bytes: Uint8Array): void {
    this.#bytesOut += bytes.length;
    if (this.#unsent === 0) {
      this.#unsent = bytes.length;
      this.#sendNow(this.#isFeeding ? this.#keep(bytes) : bytes);
    } else {
      this.#queue.push(this.#keep(bytes));
      this.#unsent += bytes.length;
    }
  }

  /** Copies what is in the memory that the next read may go into. */
  #keep(bytes: Uint8Array): Uint8Array {
    // Not by `slice()`, which makes no copy of a `Buffer`.
    return bytes.buffer === this.#lent?.buffer ? new Uint8Array(bytes) : bytes;
  }

  #sendNow(bytes: Uint8Array): void {
    const sent = this.#channel.write(bytes);
    this.#inFlight = bytes.length - sent;
    this.#unsent -= sent;
  }

  #pauseIfHigh(): void {
    if (!this.#flow.pause(this.#unsent)) return;
    try {
      this.#follow(this.#protocol.pauseWriting?.(), "pauseWriting");
    } catch (error) {
      this.#report(error, "Exception in protocol.pauseWriting()");
    }
  }

  #resumeWriting(): void {
    if (this.#state === "closed" || !this.#flow.resume(this.#unsent)) return;
    enterContext(this.#context);
    try {
      this.#follow(this.#protocol.resumeWriting?.(), "resumeWriting");
    } catch (error) {
      this.#report(error, "Exception in protocol.resumeWriting()");
    }
    this.#flushIfEmpty();
  }

  /** Goes on once all that was written went out, and the protocol was resumed and knows that. */
  #flushIfEmpty(): void {
    if (this.#unsent > 0 || this.#flow.paused) return;
    if (this.#state === "flushing") this.#closeChannel();
    else if (this.#state === "leaving") {
      this.#loop[inside.enter](new Step(() => this.#giveAway()));
    } else if (this.#writing === "ending") {
      this.#writing = "ended";
      this.#channel.closeWrite();
    } else if (this.#emptied !== null) {
      this.#loop[inside.enter](new Step(() => this.#wakeEmptied()));
    }
  }

  #closeChannel(): void {
    this.#loseWriting();
    this.#move("closing");
    this.#channel.close();
  }

  #giveAway(): void {
    const leaving = this.#leaving;
    if (this.#state !== "leaving" || leaving === null) return;
    this.#leaving = null;
    this.#move("left");
    const { takeOver, left } = leaving;
    try {
      this.#successor = takeOver(this.#channel, this.#held);
      if (!left.done()) left.setResult(this.#successor);
    } catch (error) {
      this.#channel.abort();
      if (!left.done()) left.setException(error as Error);
    }
    this.#held = null;
  }

  /** Why the channel cannot be given away, or `null` if it can. */
  #leavingRefusal(): string | null {
    const writing = this.#writing;
    if (writing === "lent" || writing === "taken") return REFUSALS[writing];
    const isOpen = this.#state === "opening" || this.#state === "open";
    const isWhole = this.#direction === "both" && writing === "open" && this.#reading !== "ended";
    return isOpen && isWhole ? null : "it is not open both ways";
  }

  /** Nobody gets the channel. */
  #leaveNothing(): void {
    const left = this.#leaving?.left;
    this.#leaving = null;
    if (left?.done() === false) left.setException(this.#error ?? connectionLost());
  }

  #wakeEmptied(): void {
    const emptied = this.#emptied;
    this.#emptied = null;
    if (emptied?.done() === false) emptied.setResult();
  }

  #loseWriting(): void {
    if (this.#writing !== "ending" && this.#writing !== "ended") this.#writing = "lost";
  }

  /** Reports what a method of the protocol throws later, as it would have been if thrown at once. */
  #follow(result: unknown, method: string): void {
    if (result === undefined) return;
    followMethod(result, (error) => this.#report(error, `Exception in protocol.${method}()`));
  }

  /** As {@linkcode #follow} for a method without which the connection cannot go on. */
  #followOrFail(result: unknown, method: string): void {
    followMethod(result, (error) => {
      this.#loop[inside.enter](new Step(() => this.#fail(error, method)));
    });
  }

  /** A method of the protocol has thrown: the connection cannot go on. */
  #fail(thrown: unknown, method: string): void {
    this.#report(thrown, `Fatal error: protocol.${method}() call failed`);
    this.#lose(errorOf(thrown, "go on with a connection: its protocol threw"));
  }

  #lose(error: Error | null): void {
    if (!MOVES[this.#state].includes("closing")) return;
    this.#error = error;
    this.#leaveNothing();
    this.#endReading();
    this.#loseWriting();
    this.#queue.clear();
    this.#inFlight = this.#unsent = 0;
    this.#move("closing");
    this.#wakeEmptied();
    this.#channel.abort();
  }

  #report(exception: unknown, message: string): void {
    const protocol = this.#protocol;
    this.#loop.callExceptionHandler({ message, exception, transport: this, protocol });
  }
}

function checkBytes(data: unknown): void {
  if (data instanceof Uint8Array) return;
  const kind = typeof data === "object" && data !== null
    ? Object.prototype.toString.call(data).slice("[object ".length, -1)
    : data === null
    ? "null"
    : typeof data;
  throw new TypeError(
    `Cannot write to a transport: expected a Uint8Array, got ${kind}${remedyForBytes(data)}`,
  );
}

/** Throws if `data` is empty because its memory was transferred, or is smaller than it was. */
function checkMemory(data: Uint8Array): void {
  try {
    data.at(0);
  } catch (cause) {
    throw new TypeError("Cannot write to a transport: the memory of the data is gone", { cause });
  }
}

function checkLent(buffer: Uint8Array): Uint8Array {
  if (buffer instanceof Uint8Array && buffer.length > 0) return buffer;
  followMethod(buffer, () => {});
  throw new TypeError("Cannot read into the buffer of a protocol: getBuffer() returned no room");
}

function connectionLost(): Error {
  return new InvalidStateError("Cannot start TLS on a transport: its connection is lost");
}
