import { checkOptions } from "../../loop/values/check_options.ts";
import { WRITE_BUFFER_LIMITS } from "../_options.ts";
import type { WriteBufferLimits } from "../transport.ts";

/** The high mark where none is given, in bytes. */
const HIGH = 64 * 1024;
/** How many times the low mark fits into the high one. */
const RATIO = 4;

/**
 * The marks of a write buffer, and whether its writer was told to pause: above the high mark it is,
 * at the low mark or below it is told to resume.
 */
export class FlowControl {
  #high = HIGH;
  #low = HIGH / RATIO;
  #paused = false;

  /** Whether the writer was told to pause. */
  get paused(): boolean {
    return this.#paused;
  }

  /** The marks, in bytes. */
  get limits(): [low: number, high: number] {
    return [this.#low, this.#high];
  }

  /** Pauses the writer if that is due with `unsent` bytes. Whether it is to be told. */
  pause(unsent: number): boolean {
    if (this.#paused || unsent <= this.#high) return false;
    return this.#paused = true;
  }

  /** Whether the writer is to be resumed with `unsent` bytes. */
  mayResume(unsent: number): boolean {
    return this.#paused && unsent <= this.#low;
  }

  /** Resumes the writer if that is due with `unsent` bytes. Whether it is to be told. */
  resume(unsent: number): boolean {
    if (!this.mayResume(unsent)) return false;
    this.#paused = false;
    return true;
  }

  /** Sets the marks. */
  setLimits(limits: WriteBufferLimits): void {
    checkOptions("set write buffer limits", limits, WRITE_BUFFER_LIMITS);
    const { high, low } = limits;
    const newHigh = high ?? (low === undefined ? HIGH : low * RATIO);
    const newLow = low ?? Math.floor(newHigh / RATIO);
    if (!(newHigh >= newLow && newLow >= 0)) {
      throw new RangeError(
        `Cannot set write buffer limits as high must be >= low must be >= 0: ` +
          `high is ${newHigh} and low is ${newLow}`,
      );
    }
    this.#high = newHigh;
    this.#low = newLow;
  }
}
