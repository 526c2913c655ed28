import type { EventLoop } from "../loop/event_loop.ts";
import type { Future } from "../loop/tasks/future.ts";
import type { PlatformLoop } from "../loop/platform/platform_loop.ts";
import { startOperation } from "../loop/tasks/start_operation.ts";
import type { Coroutine } from "../loop/tasks/task.ts";
import { wait } from "../loop/structure/wait.ts";
import { openResources } from "../transports/core/open_resources.ts";
import { ProcessTransport } from "./_process_transport.ts";

/** Seconds to wait for processes that were killed. One may hang in the system for longer. */
const PATIENCE = 1;

/**
 * Kills the processes that are left on `loop`, and waits for their ends.
 *
 * @returns `null` if there are none.
 */
export function endProcesses(loop: PlatformLoop): Future<void> | null {
  const left = [...openResources(loop)].filter((resource) => resource instanceof ProcessTransport);
  return left.length === 0 ? null : startOperation(loop, destroyed(loop, left));
}

/** Kills the processes, waits for their ends and pipes, and names those that do not come to it. */
export function* destroyed(
  loop: EventLoop,
  transports: readonly ProcessTransport[],
): Coroutine<void> {
  for (const transport of transports) transport.destroy();
  const ends = transports.map((each) => each.waitFor("ended"));
  yield* wait(ends, { timeout: PATIENCE });
  for (const transport of transports) {
    if (transport.isEnded()) continue;
    if (transport.getReturncode() !== null) transport.dropPipes();
    else {
      const message =
        `Process ${transport.getPid()} was killed and has not ended within ${PATIENCE} s`;
      loop.callExceptionHandler({ message, transport });
    }
  }
}
