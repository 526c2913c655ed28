/**
 * One direction of a simulated connection.
 *
 * *Theory of operation.* Segments arrive in the order in which they were sent. One that is lost
 * is sent again, in ever longer intervals as TCP does, and those behind it wait. After the last
 * attempt the connection has timed out.
 *
 * Between a writer and its reader there is room for so many bytes. What the reader has taken
 * makes room again when the news of it has travelled back. The news itself is never lost, and
 * costs no event unless the writer waits for it.
 *
 * @module
 */
import type { Appointment } from "./_agenda.ts";
import type { Lane, Stack, Wire } from "./_wire.ts";
import type { Packet } from "./fault_rule.ts";

/** What becomes of a segment where it has arrived: nobody may be there, or not know it. */
export type Reception = "taken" | "absent" | "refused";

/** What a segment is. */
export type SegmentKind = Exclude<Packet["kind"], "datagram">;

/** Who is at the ends of a link. */
export interface LinkEnds {
  /** The host that sends, and its life at the time. */
  readonly from: Stack;
  /** The host that receives. */
  readonly to: Stack;
  /** The address that it sends from. */
  readonly source: Deno.NetAddr;
  /** The address that it sends to. */
  readonly destination: Deno.NetAddr;
  /** Takes what has arrived. */
  receive(kind: SegmentKind, bytes: Uint8Array): Reception;
  /** The receiver knows no such connection, and the news has arrived at the sender. */
  refused(): void;
  /** The last attempt has failed. */
  timedOut(): void;
}

/** A piece of the stream. */
interface Segment {
  readonly sequence: number;
  readonly kind: SegmentKind;
  readonly bytes: Uint8Array;
}

/** Seconds until the first repetition; each later interval is twice the one before. */
const FIRST_RETRY = { connect: 1, other: 0.2 };
/** The longest interval in seconds. */
const LONGEST_RETRY = 120;
/** How often something is repeated: 127 seconds for a connect, 15 minutes for the rest. */
const MOST_RETRIES = { connect: 6, other: 15 };

const NO_BYTES = new Uint8Array(0);

/** Sends segments in order. */
export class StreamLink {
  readonly #wire: Wire;
  readonly #ends: LinkEnds;
  /** The life of the sending host that the link belongs to. */
  readonly #life: number;
  readonly #lane: Lane = { last: 0 };
  #sequence = 0;
  /** Segments that wait for a repetition, in their order. */
  #waiting: Segment[] = [];
  #retry: Appointment | null = null;
  #retries = 0;
  #isClosed = false;
  /** Bytes between the writer and what the reader has taken. */
  #outstanding = 0;
  /** What the reader has taken, and when the writer learns of it. */
  readonly #returns: { at: number; count: number }[] = [];
  #onRoom: (() => void) | null = null;
  #roomAt: Appointment | null = null;

  constructor(wire: Wire, ends: LinkEnds) {
    this.#wire = wire;
    this.#ends = ends;
    this.#life = ends.from.life;
  }

  /** How many bytes may be written now. */
  get room(): number {
    this.#takeReturns();
    return Math.max(0, this.#conditions().bufferSize - this.#outstanding);
  }

  /** Sends a segment. `bytes` belong to the link. */
  send(kind: SegmentKind, bytes: Uint8Array = NO_BYTES): void {
    this.#outstanding += bytes.length;
    const { from, to } = this.#ends;
    const cut = this.#wire.cutWrite(from.name, to.name, bytes.length);
    if (cut === null) return this.#push(kind, bytes);
    this.#push(kind, bytes.subarray(0, cut));
    this.#push(kind, bytes.subarray(cut));
  }

  /** Calls `callback` once there is room again. */
  whenRoom(callback: () => void): void {
    this.#onRoom = callback;
    this.#awaitRoom();
  }

  /** The reader has taken `count` bytes. */
  taken(count: number): void {
    const at = this.#wire.clock.now() + this.#conditions().latency;
    const last = this.#returns.at(-1);
    if (last?.at === at) last.count += count;
    else this.#returns.push({ at, count });
    if (this.#returns.length > 64) this.#takeReturns();
    this.#awaitRoom();
  }

  /** Sends nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#waiting = [];
    this.#retry?.cancel();
    this.#roomAt?.cancel();
    this.#retry = this.#roomAt = this.#onRoom = null;
  }

  #conditions() {
    return this.#wire.conditions(this.#ends.from.name, this.#ends.to.name);
  }

  #push(kind: SegmentKind, bytes: Uint8Array): void {
    const segment = { sequence: this.#sequence++, kind, bytes };
    if (this.#retry === null) this.#transmit(segment);
    else this.#waiting.push(segment);
  }

  #transmit(segment: Segment): void {
    if (this.#isDead()) return;
    const { from, to, source, destination } = this.#ends;
    const { kind, bytes } = segment;
    const packet = { from: from.name, to: to.name, kind, source, destination, bytes };
    this.#wire.send(packet, {
      lane: this.#lane,
      arrived: () => this.#arrive(segment),
      lost: () => this.#repeat(segment),
    });
  }

  #arrive(segment: Segment): void {
    // What was sent before a repetition began keeps its place behind it.
    const first = this.#waiting[0];
    if (first !== undefined && first.sequence < segment.sequence) return this.#repeat(segment);
    const { to } = this.#ends;
    const reception = to.isUp ? this.#ends.receive(segment.kind, segment.bytes) : "absent";
    if (reception === "absent") return this.#repeat(segment);
    this.#retries = 0;
    if (reception === "refused") this.#answerRefusal();
  }

  /** Tells the sender that there is no such connection. The news may be lost. */
  #answerRefusal(): void {
    const { from, to, source, destination } = this.#ends;
    this.#wire.send({
      from: to.name,
      to: from.name,
      kind: "reset",
      source: destination,
      destination: source,
      bytes: NO_BYTES,
    }, {
      lane: null,
      arrived: () => this.#isDead() || this.#ends.refused(),
      lost: () => {},
    });
  }

  /** Sends `segment` again later, and what follows it. */
  #repeat(segment: Segment): void {
    if (this.#isDead()) return;
    this.#waiting.push(segment);
    this.#waiting.sort((a, b) => a.sequence - b.sequence);
    if (this.#retry !== null) return;
    const pace = segment.kind === "connect" ? "connect" : "other";
    const isLast = this.#retries === MOST_RETRIES[pace];
    const interval = Math.min(FIRST_RETRY[pace] * 2 ** this.#retries++, LONGEST_RETRY);
    const { clock } = this.#wire;
    this.#retry = clock.schedule(clock.now() + interval, () => {
      if (isLast) this.#giveUp();
      else this.#repeatNow();
    });
  }

  #giveUp(): void {
    if (this.#isDead()) return;
    this.close();
    this.#ends.timedOut();
  }

  #repeatNow(): void {
    this.#retry = null;
    const segments = this.#waiting;
    this.#waiting = [];
    for (const segment of segments) {
      if (this.#retry === null) this.#transmit(segment);
      else this.#waiting.push(segment);
    }
  }

  #isDead(): boolean {
    return this.#isClosed || !this.#ends.from.isUp || this.#ends.from.life !== this.#life;
  }

  #takeReturns(): void {
    const now = this.#wire.clock.now();
    let past = 0;
    for (const { at, count } of this.#returns) {
      if (at > now) break;
      this.#outstanding -= count;
      past += 1;
    }
    this.#returns.splice(0, past);
  }

  #awaitRoom(): void {
    const next = this.#returns[0];
    if (this.#onRoom === null || this.#roomAt !== null || next === undefined) return;
    this.#roomAt = this.#wire.clock.schedule(next.at, () => {
      this.#roomAt = null;
      const onRoom = this.#onRoom;
      this.#onRoom = null;
      if (!this.#isDead()) onRoom?.();
    });
  }
}
