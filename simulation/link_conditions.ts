/**
 * What the links of a simulated network are like. Times are seconds, probabilities 0 to 1.
 *
 * @category Simulation
 */
export interface LinkConditions {
  /** How long a packet travels; 0.0005 by default. */
  latency: number;
  /** How much longer it may travel, at random; 0.0001 by default. */
  jitter: number;
  /** Bytes for each second and direction; no limit by default. */
  bandwidth: number;
  /** The probability that a packet is lost. What belongs to a connection is sent again. */
  loss: number;
  /** The probability that a datagram arrives twice. */
  duplicate: number;
  /** The probability that a datagram is overtaken by later ones. */
  reorder: number;
  /** The probability that a write arrives in two pieces, at different times. */
  fragment: number;
  /** Bytes that the kernels of both sides hold between a writer and a slow reader; 128 KiB. */
  bufferSize: number;
}

/** The conditions of a network that was told nothing. */
export const DEFAULT_CONDITIONS: Readonly<LinkConditions> = {
  latency: 0.000_5,
  jitter: 0.000_1,
  bandwidth: Infinity,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  fragment: 0,
  bufferSize: 128 * 1024,
};
