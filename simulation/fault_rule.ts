/**
 * What travels over a simulated link.
 *
 * @category Simulation
 */
export interface Packet {
  /** The name of the host that sends it. */
  readonly from: string;
  /** The name of the host that it goes to. */
  readonly to: string;
  /**
   * What it is: the opening of a connection, the answer to that, bytes of a stream, the end of
   * one, the news that a connection does not exist, or a datagram.
   */
  readonly kind: "connect" | "accept" | "data" | "end" | "reset" | "datagram";
  /** The address and port that it comes from. */
  readonly source: Deno.NetAddr;
  /** The address and port that it goes to. */
  readonly destination: Deno.NetAddr;
  /** What it carries; empty for packets that only control. Not to be changed. */
  readonly bytes: Uint8Array;
}

/**
 * What becomes of a packet.
 *
 * - `"pass"`: what the conditions of the link say.
 * - `{ after }`: it arrives that many seconds later.
 * - `"drop"`: it is lost. What belongs to a connection is sent again, as TCP does, in ever longer
 *   intervals.
 *
 * @category Simulation
 */
export type Verdict = "pass" | "drop" | { readonly after: number };

/**
 * A fault: decides about each packet. The first rule that does not say `"pass"` decides.
 *
 * @category Simulation
 */
export type FaultRule = (packet: Packet) => Verdict;
