import { createDenoPlatform } from "./deno_platform.ts";
import { EventLoop } from "./event_loop.ts";
import type { Platform } from "./platform.ts";
import type { PlatformLoop } from "./platform_loop.ts";

/** Settings of a {@linkcode DenoEventLoop}. */
export interface DenoEventLoopOptions {
  /** Records origins and reports slow callbacks. Off by default. */
  debug?: boolean;
  /** What the loop stands on. Defaults to Deno; the simulator gives its own. */
  platform?: Platform;
}

/**
 * An event loop with everything: connections, processes, executors and signals. As asyncio's
 * default event loop.
 *
 * This class is the composition root: its methods are one line each, calling the functions of
 * the other folders.
 */
export class DenoEventLoop extends EventLoop implements PlatformLoop {
  /** @internal What the loop needs of its host. */
  readonly platform: Platform;

  /** Creates a loop that is not running. */
  constructor(options: DenoEventLoopOptions = {}) {
    const platform = options.platform ?? createDenoPlatform();
    super({ clock: platform.clock, debug: options.debug ?? false });
    this.platform = platform;
  }
}
