import type { EventLoop } from "../../loop/event_loop.ts";
import * as inside from "../../loop/inside.ts";
import { Step } from "../../loop/scheduling/step.ts";

/**
 * Calls `callback` from an entry of `loop` after some `seconds`, or a few milliseconds later: unlike
 * with `callLater()` nothing is busy with being in time. Returns what cancels it.
 */
export function callRoughly(loop: EventLoop, seconds: number, callback: () => void): () => void {
  let isCancelled = false;
  // Other entries may come between the timer and this one.
  const step = new Step(() => isCancelled || callback());
  const timer = setTimeout(() => loop[inside.enter](step), seconds * 1000);
  return () => {
    isCancelled = true;
    clearTimeout(timer);
  };
}
