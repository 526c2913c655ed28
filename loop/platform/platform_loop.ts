import { runningLoop } from "../scheduling/_current.ts";
import { InvalidStateError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Platform } from "./platform.ts";

export type { EngineContext } from "../scheduling/_deno_engine_context.ts";
export {
  captureEngineContext,
  isInEngineContext,
  loadOutside,
  outsideOfTasks,
  runInEngineContext,
  runningLoop,
} from "../scheduling/_current.ts";

/**
 * An event loop that reaches the world, through its platform.
 *
 * @category Platform
 */
export interface PlatformLoop extends EventLoop {
  /** @ignore What the loop needs of its host. */
  readonly platform: Platform;
}

/**
 * Returns the running loop for `action`, which needs a platform.
 *
 * @throws {InvalidStateError} If no loop is running here, or it only schedules.
 */
export function runningPlatformLoop(action: string): PlatformLoop {
  const loop = runningLoop();
  if (loop === null) throw new InvalidStateError(`Cannot ${action}: no event loop is running here`);
  if (!("platform" in loop)) {
    throw new InvalidStateError(`Cannot ${action}: the running event loop only schedules`);
  }
  return loop as PlatformLoop;
}
