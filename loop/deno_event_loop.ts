import { releaseOpenResources } from "../transports/open_resources.ts";
import { createConnection, type CreateConnectionOptions } from "../transports/create_connection.ts";
import { createServer, type CreateServerOptions } from "../transports/create_server.ts";
import { DenoNetwork } from "../transports/deno_network.ts";
import type { StreamProtocol } from "../transports/protocol.ts";
import type { Server } from "../transports/server.ts";
import type { Transport } from "../transports/transport.ts";
import { createDenoPlatform } from "./deno_platform.ts";
import { EventLoop } from "./event_loop.ts";
import type { Future } from "./future.ts";
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
    const platform = options.platform ?? createDenoPlatform(new DenoNetwork());
    const ready = platform.createReadyQueue?.();
    super({ clock: platform.clock, debug: options.debug ?? false, ready });
    this.platform = platform;
  }

  /**
   * Closes the loop, and at once what is still open on it: connections and listeners. Idempotent.
   *
   * @throws {InvalidStateError} If the loop is running.
   */
  override close(): void {
    super.close();
    releaseOpenResources(this);
  }

  /** Connects to a TCP server. See {@linkcode createConnection}. */
  createConnection<P extends StreamProtocol>(
    protocolFactory: () => P,
    options: CreateConnectionOptions,
  ): Future<[Transport, P]> {
    return createConnection(this, protocolFactory, options);
  }

  /** Listens for TCP connections. See {@linkcode createServer}. */
  createServer(
    protocolFactory: () => StreamProtocol,
    options?: CreateServerOptions,
  ): Future<Server> {
    return createServer(this, protocolFactory, options);
  }
}
