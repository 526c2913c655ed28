import { formatAddress } from "../loop/values/format_address.ts";
import type { FaultRule, Packet } from "./fault_rule.ts";
import type { LinkConditions } from "./link_conditions.ts";
import type { SeededRandom } from "./seeded_random.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** A lane of packets that may not overtake each other. */
export interface Lane {
  /** When the last of them arrives, in seconds. */
  last: number;
}

/** What becomes of one packet. */
export interface Fate {
  /** Where it must not overtake; `null` for a datagram. */
  readonly lane: Lane | null;
  /** It arrives. */
  arrived(): void;
  /** It is lost. */
  lost(): void;
}

/** What the wire asks about the network. */
export interface WireSettings {
  /** Returns what the link between two hosts is like. */
  conditions(from: string, to: string): LinkConditions;
  /** Adds a line to the trace; `null` when there is none. */
  readonly note: ((event: string) => void) | null;
  /** Whether the trace tells bytes apart. TLS has others in every run: its keys are not drawn here. */
  readonly tellsBytes: boolean;
}

/** Carries packets between hosts, or loses them, as the conditions and the faults say. */
export class Wire {
  /** Time. */
  readonly clock: VirtualClock;
  /** Faults, in the order in which they were added. */
  readonly rules: Set<FaultRule> = new Set();
  /** Directions, `from>to`, that carry nothing. */
  readonly cut: Set<string> = new Set();
  /** Directions that keep packets until they are released. */
  readonly held: Map<string, (() => void)[]> = new Map();
  readonly #random: SeededRandom;
  readonly #settings: WireSettings;
  /** When the last byte of each direction has left its sender, where there is a bandwidth. */
  readonly #busyUntil: Map<string, number> = new Map();
  /** Until when hosts stand still that were paused. */
  readonly #pausedUntil: Map<string, number> = new Map();

  constructor(clock: VirtualClock, random: SeededRandom, settings: WireSettings) {
    this.clock = clock;
    this.#random = random;
    this.#settings = settings;
  }

  /** Returns what the link between two hosts is like. */
  conditions(from: string, to: string): LinkConditions {
    return this.#settings.conditions(from, to);
  }

  /** Sends `packet`. */
  send(packet: Packet, fate: Fate): void {
    const held = this.held.size === 0
      ? undefined
      : this.held.get(directionOf(packet.from, packet.to));
    if (held !== undefined) {
      this.#note(packet, "held");
      held.push(() => this.send(packet, fate));
      return;
    }
    const conditions = this.conditions(packet.from, packet.to);
    const delay = this.#judge(packet, conditions);
    if (delay === null) {
      this.#note(packet, "lost");
      return fate.lost();
    }
    this.#note(packet, "sent");
    this.#deliver(fate, packet.to, this.#leave(packet, conditions) + delay);
    if (fate.lane === null && this.#random.chance(conditions.duplicate)) {
      this.#deliver(fate, packet.to, this.clock.now() + this.#delay(conditions));
    }
  }

  /** Where to cut a write of `size` bytes in two; `null` for nowhere. */
  cutWrite(from: string, to: string, size: number): number | null {
    const { fragment } = this.conditions(from, to);
    if (fragment === 0 || size < 2 || !this.#random.chance(fragment)) return null;
    return 1 + this.#random.below(size - 1);
  }

  /** Returns how long `packet` travels, or `null` if it is lost. */
  #judge(packet: Packet, conditions: LinkConditions): number | null {
    if (this.cut.size > 0 && this.cut.has(directionOf(packet.from, packet.to))) return null;
    for (const rule of this.rules) {
      const verdict = rule(packet);
      if (verdict === "drop") return null;
      if (verdict !== "pass") return verdict.after;
    }
    if (this.#random.chance(conditions.loss)) return null;
    const delay = this.#delay(conditions);
    const overtaken = packet.kind === "datagram" && this.#random.chance(conditions.reorder);
    return overtaken ? delay + (conditions.latency + conditions.jitter) * 2 : delay;
  }

  #delay({ latency, jitter }: LinkConditions): number {
    return jitter > 0 ? latency + jitter * this.#random.next() : latency;
  }

  /** Returns when the last byte of `packet` has left its host. */
  #leave(packet: Packet, { bandwidth }: LinkConditions): number {
    const now = this.clock.now();
    if (bandwidth === Infinity) return now;
    const direction = directionOf(packet.from, packet.to);
    const start = Math.max(now, this.#busyUntil.get(direction) ?? 0);
    const end = start + packet.bytes.length / bandwidth;
    this.#busyUntil.set(direction, end);
    return end;
  }

  #deliver(fate: Fate, to: string, when: number): void {
    const { lane } = fate;
    let arrival = when;
    if (lane !== null) lane.last = arrival = Math.max(arrival, lane.last);
    this.clock.schedule(arrival, () => this.#arrive(fate, to));
  }

  /** Nothing runs on `host` until `time`: what comes waits. */
  pause(host: string, time: number): void {
    this.#pausedUntil.set(host, Math.max(time, this.#pausedUntil.get(host) ?? 0));
  }

  #arrive(fate: Fate, to: string): void {
    const until = this.#pausedUntil.size === 0 ? undefined : this.#pausedUntil.get(to);
    if (until !== undefined && until > this.clock.now()) {
      this.clock.schedule(until, () => this.#arrive(fate, to));
    } else fate.arrived();
  }

  #note({ kind, source, destination, bytes }: Packet, what: string): void {
    const { note, tellsBytes } = this.#settings;
    if (note === null) return;
    // The same bytes have the same number.
    const number = tellsBytes ? ` #${hashBytes(bytes).toString(16)}` : "";
    const size = bytes.length === 0 ? "" : ` ${bytes.length}${number}`;
    note(
      `${what} ${kind}${size} ${formatAddress(source)} > ${formatAddress(destination)}`,
    );
  }
}

/** A hash of `bytes` (FNV-1a), 32 bits. */
function hashBytes(bytes: Uint8Array): number {
  let value = 0x811c9dc5;
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193);
  return value >>> 0;
}

/** Names one direction of a link. */
export function directionOf(from: string, to: string): string {
  return `${from}>${to}`;
}

/** A host as the wire knows it. */
export interface Stack {
  /** Its name. */
  readonly name: string;
  /** Counts its crashes. */
  readonly life: number;
  /** Whether it is on. */
  readonly isUp: boolean;
}
