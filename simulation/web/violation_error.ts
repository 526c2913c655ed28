/**
 * What a test has claimed by `always()`, `eventually()` or `sometimes()` does not hold.
 *
 * @category Simulation
 */
export class ViolationError extends Error {
  /** The name of the class. */
  override readonly name = "ViolationError";
  /** What was claimed. */
  readonly claim: string;

  /** Creates the error for what was claimed. */
  constructor(claim: string, state: string, options?: ErrorOptions) {
    super(`Cannot go on: ${claim}: ${state}`, options);
    this.claim = claim;
  }
}
