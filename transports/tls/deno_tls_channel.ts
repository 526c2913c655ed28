/**
 * TLS over any byte channel: TCP, a Unix socket, a simulated link.
 *
 * *Theory of operation.* The channel is the sink of another one, the wire. What the wire receives
 * goes into an engine, and what comes out of the engine goes to the wire, which has one write in
 * flight; the rest waits in a queue. The channel is
 *
 * - `handshaking` until the engine says that the peer is who it must be;
 * - `open` while data goes both ways;
 * - `closing` after `close()`: the peer is told, and what it sends is dropped until it confirms;
 * - `closed` when the wire is, or was told to be.
 *
 * The engine may tell several things for one read of the wire. They wait in a queue while the sink
 * does not read. It is short: then the wire does not read either.
 *
 * The two directions end together, as in asyncio. A peer that goes without saying goodbye has ended
 * the stream, as in asyncio too; but if it goes inside of a record, that is an error.
 *
 * @module
 */
import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";
import { assertMove, type Moves } from "../../loop/errors/assert.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type {
  ByteChannel,
  ByteSink,
  TlsContext,
  TlsEngine,
  TlsEngineEvents,
} from "../../loop/platform/platform.ts";
import type { TimerHandle } from "../../loop/scheduling/timer_handle.ts";
import { nodeProcess } from "./_deno_node_tls.ts";
import {
  explainTlsError,
  tlsClosed,
  tlsForeign,
  tlsTimeout,
  tlsUnexpectedEnd,
} from "./_deno_tls_error.ts";
import { ReadBuffer } from "../core/_read_buffer.ts";
import { isTlsRecord, TlsRecords } from "./_tls_records.ts";
import { type OpenResource, openResources } from "../core/open_resources.ts";
import type { TlsInfo, TlsTimeouts } from "./tls_options.ts";

/** Where the channel stands; see above. */
type State = "handshaking" | "open" | "closing" | "closed";

/** Every legal move. Anything else is our bug, and asserts. */
const MOVES: Moves<State> = {
  handshaking: ["open", "closed"],
  open: ["closing", "closed"],
  closing: ["closed"],
  closed: [],
};

/** What the engine has told and the sink was not told yet. */
type Report = Uint8Array | Error | "end";

/** Records on their way out, and how many bytes of the write in flight have gone out with them. */
interface OutgoingRecords {
  readonly records: Uint8Array;
  readonly payload: number;
}

/** Seconds, as in asyncio. */
const HANDSHAKE_TIMEOUT = 60;
const SHUTDOWN_TIMEOUT = 30;

/** What the engine makes of a read should fit into the caches of the processor. */
const LARGEST_READ = 64 * 1024;

/** How much of a write is encrypted before any of it has gone out. */
const BATCH_SIZE = 4 * 48 * 1024;

const HANDSHAKE = "secure a connection";
const TRAFFIC = "go on with a secured connection";

/** A byte channel over another one, with TLS between. */
export class DenoTlsChannel implements ByteChannel, ByteSink, OpenResource {
  /** There is no half close. */
  readonly endsWhole = true;
  /** The engine copies what it is fed. */
  readonly lends = false;
  /** Finished when the handshake is done. Fails if it does. */
  readonly secured: Future<void>;
  readonly #loop: EventLoop;
  readonly #wire: ByteChannel;
  readonly #engine: TlsEngine;
  readonly #shutdownTimeout: number;
  #timer: TimerHandle | null = null;
  #sink: ByteSink | null = null;
  #state: State = "handshaking";
  #info: TlsInfo | null = null;

  /** What a wire reads into that has no memory of its own. */
  readonly #readBuffer = new ReadBuffer(LARGEST_READ);
  #lent: Uint8Array | null = null;
  readonly #records = new TlsRecords();
  /** Whether what the peer has sent begins like TLS. */
  #isTls = false;
  #reports: Report[] = [];
  /** Whether the sink reads. */
  #isReading = false;
  /** Whether the engine is being fed: what it tells is reported when that is over. */
  #isFeeding = false;
  /** Whether the peer has ended its side, and whether the engine has given what ends this one. */
  #isPeerDone = false;
  #isEndTold = false;

  #outgoing: OutgoingRecords[] = [];
  /** What the wire has still to send of the first of them. */
  #inFlight = 0;
  /** What is still to be encrypted of the write in flight. */
  #rest: Uint8Array | null = null;
  #isWriting = false;
  #isEncrypting = false;
  #sentWithinWrite = 0;

  /** Starts a handshake on `wire`, which belongs to the channel from now on. */
  constructor(loop: EventLoop, wire: ByteChannel, context: TlsContext, timeouts: TlsTimeouts = {}) {
    this.#loop = loop;
    this.#wire = wire;
    this.#shutdownTimeout = timeouts.tlsShutdownTimeout ?? SHUTDOWN_TIMEOUT;
    this.secured = loop.createFuture();
    openResources(loop).add(this);
    wire.attach(this);
    const seconds = timeouts.tlsHandshakeTimeout ?? HANDSHAKE_TIMEOUT;
    this.#timer = loop.callLater(seconds, () => this.#failNow(tlsTimeout(HANDSHAKE, seconds)));
    this.#engine = context.start(this.#events);
    wire.resume();
  }

  attach(sink: ByteSink): void {
    this.#sink = sink;
    openResources(this.#loop).delete(this);
  }

  getExtraInfo(name: string): unknown {
    return name === "tls" ? this.#info : this.#wire.getExtraInfo(name);
  }

  write(bytes: Uint8Array): number {
    this.#isWriting = true;
    this.#sentWithinWrite = 0;
    if (bytes.length > BATCH_SIZE) {
      this.#rest = new Uint8Array(bytes.subarray(BATCH_SIZE));
      this.#encrypt(bytes.subarray(0, BATCH_SIZE));
      this.#send();
    } else this.#encrypt(bytes);
    this.#isWriting = false;
    return this.#sentWithinWrite;
  }

  resume(): void {
    this.#isReading = true;
    if (this.#reports.length > 0) this.#loop[inside.enqueue](this);
    else this.#wire.resume();
  }

  pause(): void {
    this.#isReading = false;
    this.#wire.pause();
  }

  /** Tells the peer that nothing more comes. Transports close instead. */
  closeWrite(): void {
    this.#engine.end(() => {});
  }

  close(): void {
    // The loop was closed, which has aborted it.
    if (this.#state === "closed") return;
    this.#move("closing");
    this.#isReading = false;
    this.#reports = [];
    this.#timer = this.#loop.callLater(this.#shutdownTimeout, () => this.abort());
    this.#engine.end(() => {
      this.#isEndTold = true;
      this.#closeWhenSent();
    });
    if (!this.#isPeerDone) this.#wire.resume();
  }

  abort(): void {
    if (this.#state === "closed") return;
    this.#end();
    this.#wire.abort();
    if (this.secured.done()) return;
    this.secured.setException(tlsClosed(HANDSHAKE));
    // Who aborts it need not wait for it as well.
    this.secured.exception();
  }

  /** @internal */
  [inside.release](): void {
    this.abort();
  }

  /** @internal Reports what had to wait. */
  [inside.run](): void {
    this.#report();
    if (this.#isReading) this.#wire.resume();
  }

  /** @internal */
  buffer(): Uint8Array {
    return this.#lent = this.#readBuffer.take();
  }

  /** @internal */
  received(buffer: Uint8Array, count: number): void {
    if (this.#state === "closed") return;
    if (buffer === this.#lent) this.#readBuffer.adapt(count);
    if (!this.#isTls) {
      this.#isTls = isTlsRecord(buffer);
      if (!this.#isTls) return this.#failNow(tlsForeign(HANDSHAKE));
    }
    this.#records.follow(buffer, count);
    this.#isFeeding = true;
    this.#engine.feed(buffer, count);
    this.#isFeeding = false;
    this.#report();
  }

  /** @internal */
  ended(): void {
    if (this.#isPeerDone) return;
    this.#isPeerDone = true;
    if (this.#state === "handshaking") this.#endHandshake();
    else if (this.#state === "closing") this.#closeWhenSent();
    else {
      const isTorn = this.#records.isInside;
      this.#reports.push(isTorn ? tlsUnexpectedEnd(TRAFFIC, "in the middle of a record") : "end");
      this.#report();
    }
  }

  /** @internal */
  failed(error: Error): void {
    if (this.#state === "closing") this.abort();
    else this.#failNow(error);
  }

  /** @internal */
  sent(count: number): void {
    this.#inFlight -= count;
    if (this.#inFlight > 0 || this.#state === "closed") return;
    this.#recordsSent();
    this.#send();
  }

  /** @internal */
  closed(): void {
    if (this.#state !== "closed") this.#end();
    this.#sink?.closed();
  }

  readonly #events: TlsEngineEvents = {
    secured: (info) => {
      this.#info = info;
      this.#enter(() => this.#secure());
    },
    encrypted: (records, payload) => {
      if (this.#state === "closed") return true;
      if (this.#outgoing.length === 0) {
        const sent = records.length > 0 ? this.#wire.write(records) : 0;
        if (sent === records.length) {
          this.#payloadSent(payload);
          return true;
        }
        this.#inFlight = records.length - sent;
      }
      this.#outgoing.push({ records, payload });
      return false;
    },
    decrypted: (buffer, count, isOwned) => {
      if (!isOwned && this.#reports.length === 0 && this.#isReading && this.#sink !== null) {
        // The engine has nothing under way then.
        this.#sink.received(buffer, count);
      } else if (this.#state !== "closing") {
        this.#take(isOwned ? buffer.subarray(0, count) : buffer.slice(0, count));
      }
    },
    ended: () => {
      if (this.#isPeerDone) return;
      this.#isPeerDone = true;
      this.#take("end");
    },
    failed: (error) => {
      const action = this.#info === null ? HANDSHAKE : TRAFFIC;
      if (this.#state === "closing") this.#enter(() => this.abort());
      else this.#take(explainTlsError(action, error));
    },
  };

  /** Does `step` in an entry of the loop: this one, if the engine is being fed. */
  #enter(step: () => void): void {
    if (this.#isFeeding) step();
    else this.#loop[inside.enter](new Step(step));
  }

  #secure(): void {
    if (this.#state !== "handshaking") return;
    this.#move("open");
    this.#timer?.cancel();
    this.#wire.pause();
    if (!this.secured.done()) this.secured.setResult();
  }

  #take(report: Report): void {
    if (this.#state === "closed") return;
    if (this.#state === "closing") {
      if (report === "end") this.#closeWhenSent();
      return;
    }
    if (this.#state === "handshaking" && report === "end") return this.#endHandshake();
    this.#reports.push(report);
    if (!this.#isFeeding) this.#loop[inside.enter](new Step(() => this.#report()));
  }

  /** Reports what the engine has told, as far as the sink takes it. */
  #report(): void {
    if (this.#state === "handshaking") return this.#failHandshake();
    const sink = this.#sink;
    while (this.#isReading && sink !== null) {
      const report = this.#reports.shift();
      if (report === undefined) return;
      if (report === "end") sink.ended();
      else if (report instanceof Error) sink.failed(report);
      else sink.received(report, report.length, true);
    }
  }

  #failHandshake(): void {
    const error = this.#reports.find((report) => report instanceof Error);
    if (error !== undefined) this.#failNow(error);
  }

  /** The peer has gone. If it has said why, the engine tells that a tick later than it is fed. */
  #endHandshake(): void {
    const error = tlsUnexpectedEnd(HANDSHAKE, "before the end of the handshake");
    nodeProcess().nextTick(() => this.#state === "handshaking" && this.#take(error));
  }

  #failNow(error: Error): void {
    if (this.#state === "handshaking") {
      if (!this.secured.done()) this.secured.setException(error);
      this.abort();
    } else if (this.#sink === null) this.#reports.push(error);
    else this.#sink.failed(error);
  }

  /** Hands records to the wire, until it has some that it does not send at once. */
  #send(): void {
    while (this.#inFlight === 0) {
      const next = this.#outgoing[0];
      if (next === undefined) {
        if (!this.#encryptMore()) return;
        continue;
      }
      const { records } = next;
      this.#inFlight = records.length;
      if (records.length > 0) this.#inFlight -= this.#wire.write(records);
      if (this.#inFlight === 0) this.#recordsSent();
    }
  }

  #recordsSent(): void {
    this.#payloadSent(this.#outgoing.shift()?.payload ?? 0);
  }

  #payloadSent(payload: number): void {
    if (this.#isWriting) this.#sentWithinWrite += payload;
    else if (payload > 0 && this.#state !== "closing") this.#sink?.sent(payload);
    this.#closeWhenSent();
  }

  /** Goes on with the write in flight, once all that was encrypted of it is on its way. */
  #encryptMore(): boolean {
    const rest = this.#rest;
    if (rest === null || this.#isEncrypting) return false;
    this.#rest = rest.length > BATCH_SIZE ? rest.subarray(BATCH_SIZE) : null;
    this.#encrypt(rest.subarray(0, BATCH_SIZE));
    return true;
  }

  #encrypt(bytes: Uint8Array): void {
    // What has gone out may have the sink write more.
    const outer = this.#isEncrypting;
    this.#isEncrypting = true;
    this.#engine.encrypt(bytes);
    this.#isEncrypting = outer;
  }

  #closeWhenSent(): void {
    if (this.#state !== "closing" || !this.#isPeerDone || !this.#isEndTold) return;
    if (this.#outgoing.length > 0) return;
    this.#end();
    this.#wire.close();
  }

  #move(state: State): void {
    assertMove("a TLS channel", MOVES, this.#state, state);
    this.#state = state;
  }

  #end(): void {
    this.#move("closed");
    this.#timer?.cancel();
    this.#outgoing = [];
    this.#reports = [];
    this.#rest = null;
    openResources(this.#loop).delete(this);
    this.#engine.destroy();
  }
}
