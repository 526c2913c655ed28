import * as inside from "../inside.ts";
import { describeWaits } from "./_describe_waits.ts";
import { DeadlockError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";

/** Returns the error of a loop that nothing can wake; it says who waits for what. */
export function createDeadlockError(loop: EventLoop): DeadlockError {
  const state = describeWaits([...loop[inside.tasks]]) || "it has no task and no timer";
  return new DeadlockError(`Cannot go on as nothing can wake the event loop: ${state}`);
}
