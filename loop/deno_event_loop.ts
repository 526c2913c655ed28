import { closeCallbackPorts } from "../executor/callback_port.ts";
import {
  abandonDefaultExecutor,
  runInExecutor,
  setDefaultExecutor,
  shutdownDefaultExecutor,
  type ShutdownDefaultExecutorOptions,
} from "../executor/default_executor.ts";
import { denoWorkerProcesses } from "../executor/deno_worker_processes.ts";
import { denoWorkers } from "../executor/deno_workers.ts";
import type { Executor, JobFunction } from "../executor/executor.ts";
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
    const platform = options.platform ?? createDenoPlatform({
      network: new DenoNetwork(),
      workers: denoWorkers,
      workerProcesses: denoWorkerProcesses,
    });
    const ready = platform.createReadyQueue?.();
    super({ clock: platform.clock, debug: options.debug ?? false, ready });
    this.platform = platform;
  }

  /**
   * Closes the loop, and at once what is still open on it: connections, listeners, the default
   * executor and callback ports. Idempotent.
   *
   * @throws {InvalidStateError} If the loop is running.
   */
  override close(): void {
    super.close();
    releaseOpenResources(this);
    abandonDefaultExecutor(this);
    closeCallbackPorts(this);
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

  /**
   * Runs `fn(...args)` in `executor`, or with `null` on a thread of the default executor. As
   * `loop.run_in_executor()`.
   *
   * The job starts at once, awaited or not. Cancelling its future takes it out of the queue, or
   * detaches it from a thread that runs it, or kills the process that does.
   *
   * @param fn A function that stands alone, a `moduleFunction()` or a `createJob()`.
   * @param args Its arguments, which are copied.
   * @throws {TypeError} If `fn` or an argument cannot be sent.
   * @throws {InvalidStateError} If the loop is closed or the executor was shut down.
   */
  runInExecutor<A extends unknown[], R>(
    executor: Executor | null,
    fn: JobFunction<A, R>,
    ...args: A
  ): Future<Awaited<R>> {
    return runInExecutor(this, executor, fn, args);
  }

  /**
   * Sets the executor of jobs that name none. The one before is not shut down. As
   * `loop.set_default_executor()`.
   */
  setDefaultExecutor(executor: Executor): void {
    setDefaultExecutor(this, executor);
  }

  /**
   * Takes no more jobs in the default executor, and waits for those that it has. As
   * `loop.shutdown_default_executor()`.
   *
   * @param options `timeout` seconds later its workers are ended by force.
   */
  shutdownDefaultExecutor(options: ShutdownDefaultExecutorOptions = {}): Future<void> {
    return shutdownDefaultExecutor(this, options);
  }
}
