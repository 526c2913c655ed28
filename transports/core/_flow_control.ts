import { checkOptions } from "../../loop/values/check_options.ts";
import { WRITE_BUFFER_LIMITS } from "../_options.ts";
import type { WriteBufferLimits } from "../transport.ts";

/** The high mark where none is given, in bytes. */
const HIGH = 64 * 1024;
/** How many times the low mark fits into the high one. */
const RATIO = 4;

/** The marks of a write buffer, and whether its writer was told to pause. */
export class FlowControl {
  /** Above it the writer pauses, in bytes. */
  high: number = HIGH;
  /** At it or below, a writer that has paused resumes, in bytes. */
  low: number = HIGH / RATIO;
  /** Whether the writer was told to pause. */
  paused = false;

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
    this.high = newHigh;
    this.low = newLow;
  }
}
