import * as inside from "./inside.ts";
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
import { DenoProcesses } from "../subprocess/deno_processes.ts";
import { endProcesses } from "../subprocess/end_processes.ts";
import {
  subprocessExec,
  type SubprocessExecOptions,
  type SubprocessOptions,
  subprocessShell,
} from "../subprocess/subprocess_exec.ts";
import type { SubprocessProtocolLike } from "../subprocess/subprocess_protocol.ts";
import type { SubprocessTransport } from "../subprocess/subprocess_transport.ts";
import { addOpenResources, releaseOpenResources } from "../transports/core/open_resources.ts";
import {
  connectReadPipe,
  connectWritePipe,
  type ReadablePipe,
  type WritablePipe,
} from "../transports/endpoints/connect_pipe.ts";
import {
  connectAcceptedSocket,
  type ConnectAcceptedSocketOptions,
} from "../transports/endpoints/connect_accepted_socket.ts";
import {
  createConnection,
  type CreateConnectionOptions,
} from "../transports/endpoints/create_connection.ts";
import {
  createDatagramEndpoint,
  type CreateDatagramEndpointOptions,
} from "../transports/endpoints/create_datagram_endpoint.ts";
import { createServer, type CreateServerOptions } from "../transports/endpoints/create_server.ts";
import {
  createUnixConnection,
  type CreateUnixConnectionOptions,
} from "../transports/endpoints/create_unix_connection.ts";
import {
  createUnixServer,
  type CreateUnixServerOptions,
} from "../transports/endpoints/create_unix_server.ts";
import { DenoNetwork } from "../transports/deno/deno_network.ts";
import { DenoPipes } from "../transports/deno/deno_pipes.ts";
import {
  type AddrInfo,
  getaddrinfo,
  type GetaddrinfoOptions,
} from "../transports/names/getaddrinfo.ts";
import {
  type AnySocketAddress,
  type NonBlockingSocket,
  sockAccept,
  sockConnect,
  sockRecv,
  sockRecvfrom,
  sockRecvfromInto,
  sockRecvInto,
  sockSendall,
  sockSendfile,
  sockSendto,
} from "../transports/endpoints/sock_operations.ts";
import {
  type Descriptor,
  stopWatching,
  watchDescriptor,
} from "../transports/endpoints/watch_descriptor.ts";
import { getnameinfo, type NameInfoFlag } from "../transports/names/getnameinfo.ts";
import type { DatagramProtocolLike, ProtocolLike } from "../transports/protocol.ts";
import {
  type SendableFile,
  sendfile,
  type SendfileOptions,
} from "../transports/endpoints/sendfile.ts";
import type { Server } from "../transports/endpoints/server.ts";
import { startTls, type StartTlsOptions } from "../transports/endpoints/start_tls.ts";
import type {
  DatagramTransport,
  ReadTransport,
  Transport,
  WriteTransport,
} from "../transports/transport.ts";
import { checkOptions, FLAG, OBJECT, type OptionTable } from "./values/check_options.ts";
import { createDenoPlatform } from "./platform/deno_platform.ts";
import { checkDenoVersion } from "./platform/deno_version.ts";
import { EventLoop } from "./event_loop.ts";
import type { Future } from "./tasks/future.ts";
import type { LoopPermissions } from "./permissions/loop_permissions.ts";
import type { Platform, SocketAddress } from "./platform/platform.ts";
import type { PlatformLoop } from "./platform/platform_loop.ts";
import { RestrictedPlatform } from "./permissions/restricted_platform.ts";
import {
  addSignalHandler,
  removeSignalHandler,
  removeSignalHandlers,
} from "./platform/signal_handlers.ts";
import { addUsedPools } from "../executor/used_pools.ts";
import { ResourceFigures } from "./inspection/resource_figures.ts";
import type { LoopSnapshot } from "./inspection/snapshot.ts";

/**
 * Settings of a {@linkcode DenoEventLoop}.
 *
 * @category Running
 */
export interface DenoEventLoopOptions {
  /** Records origins and reports slow callbacks. Off by default. */
  debug?: boolean | undefined;
  /** @ignore What the loop stands on. Defaults to Deno; the simulator gives its own. */
  platform?: Platform | undefined;
  /**
   * What the loop may do, where that is less than the process may. What it leaves out is denied:
   * refused with `NotCapable` before any system call. Everything by default.
   *
   * @example A loop that reaches the local host and starts nothing
   * ```ts
   * import { assertRejects } from "@std/assert";
   * import { DenoEventLoop, Protocol, run } from "@gyre/asyncio";
   *
   * const loop = new DenoEventLoop({ permissions: { net: ["127.0.0.1"], run: false } });
   * await run(async () => {
   *   await assertRejects(
   *     async () => await loop.createConnection(() => new Protocol(), { hostname: "10.0.0.1", port: 80 }),
   *     Deno.errors.NotCapable,
   *   );
   * }, { loopFactory: () => loop });
   * ```
   */
  permissions?: LoopPermissions | undefined;
}

/** This file alone may import the interface, so the table is here. */
const OPTIONS: OptionTable<DenoEventLoopOptions> = {
  debug: FLAG,
  platform: OBJECT,
  permissions: OBJECT,
};

/** Creates the platform that loops stand on where none is given: Deno's own APIs. */
export function createHostPlatform(): Platform {
  return createDenoPlatform({
    network: new DenoNetwork(),
    pipes: new DenoPipes(),
    processes: new DenoProcesses(),
    workers: denoWorkers,
    workerProcesses: denoWorkerProcesses,
  });
}

/**
 * An event loop with everything: connections, processes, executors and signals. As asyncio's
 * default event loop.
 *
 * This class is the composition root: its methods are one line each, calling the functions of
 * the other folders.
 *
 * @category Running
 */
export class DenoEventLoop extends EventLoop implements PlatformLoop {
  /** @ignore What the loop needs of its host. */
  readonly platform: Platform;

  /**
   * Creates a loop that is not running.
   *
   * @throws {TypeError} If `permissions` list what is no host.
   */
  constructor(options: DenoEventLoopOptions = {}) {
    checkDenoVersion();
    checkOptions("create an event loop", options, OPTIONS);
    const host = options.platform ?? createHostPlatform();
    const { permissions } = options;
    const platform = permissions === undefined ? host : new RestrictedPlatform(host, permissions);
    const ready = platform.createReadyQueue?.();
    super({ clock: platform.clock, debug: options.debug ?? false, ready });
    this.platform = platform;
  }

  /** As {@linkcode EventLoop.snapshot}, with connections, servers, processes and executors. */
  override snapshot(): LoopSnapshot {
    const figures = new ResourceFigures(this);
    addOpenResources(this, figures);
    addUsedPools(this, figures);
    const { transports, servers, processes, executors } = figures;
    return { ...super.snapshot(), transports, servers, processes, executors };
  }

  /**
   * Closes the loop, and at once what is still open on it: connections, listeners, the default
   * executor and callback ports. Child processes are killed, signal handlers removed. Idempotent.
   *
   * @throws {InvalidStateError} If the loop is running.
   */
  override close(): void {
    super.close();
    try {
      releaseOpenResources(this);
    } finally {
      removeSignalHandlers(this);
      abandonDefaultExecutor(this);
      closeCallbackPorts(this);
    }
  }

  /**
   * Connects to a TCP server. See {@linkcode createConnection}.
   *
   * @permissions allow-net=<hostname>:<port>
   */
  createConnection<P extends ProtocolLike, A extends Deno.Addr = Deno.NetAddr>(
    protocolFactory: () => P,
    options: CreateConnectionOptions<A>,
  ): Future<[Transport<A>, P]> {
    return createConnection(this, protocolFactory, options);
  }

  /**
   * Listens for TCP connections. See {@linkcode createServer}.
   *
   * @permissions allow-net=<hostname>:<port>
   */
  createServer<A extends Deno.Addr = Deno.NetAddr>(
    protocolFactory: () => ProtocolLike,
    options?: CreateServerOptions<A>,
  ): Future<Server<A>> {
    return createServer(this, protocolFactory, options);
  }

  /** Puts a protocol on a connection accepted elsewhere. See {@linkcode connectAcceptedSocket}. */
  connectAcceptedSocket<P extends ProtocolLike, A extends Deno.Addr>(
    protocolFactory: () => P,
    options: ConnectAcceptedSocketOptions<A>,
  ): Future<[Transport<A>, P]> {
    return connectAcceptedSocket(this, protocolFactory, options);
  }

  /** Secures a connection that is open. See {@linkcode startTls}. */
  startTls<A extends Deno.Addr = Deno.Addr>(
    transport: Transport<A>,
    protocol: ProtocolLike,
    options: StartTlsOptions,
  ): Future<Transport<A>> {
    return startTls(this, transport, protocol, options);
  }

  /** Sends a file over a connection. See {@linkcode sendfile}. */
  sendfile(
    transport: WriteTransport,
    file: SendableFile,
    options?: SendfileOptions,
  ): Future<number> {
    return sendfile(this, transport, file, options);
  }

  /**
   * Connects to a Unix socket. See {@linkcode createUnixConnection}.
   *
   * @permissions allow-read=<path>, allow-write=<path> and allow-net=unix:<path>
   */
  createUnixConnection<P extends ProtocolLike>(
    protocolFactory: () => P,
    options: CreateUnixConnectionOptions,
  ): Future<[Transport<Deno.UnixAddr>, P]> {
    return createUnixConnection(this, protocolFactory, options);
  }

  /**
   * Listens on a Unix socket. See {@linkcode createUnixServer}.
   *
   * @permissions allow-read=<path>, allow-write=<path> and allow-net=unix:<path>
   */
  createUnixServer(
    protocolFactory: () => ProtocolLike,
    options: CreateUnixServerOptions,
  ): Future<Server<Deno.UnixAddr>> {
    return createUnixServer(this, protocolFactory, options);
  }

  /**
   * Opens an endpoint for datagrams. See {@linkcode createDatagramEndpoint}.
   *
   * @permissions allow-net=<local> and allow-net=<remote>
   */
  createDatagramEndpoint<P extends DatagramProtocolLike>(
    protocolFactory: () => P,
    options: CreateDatagramEndpointOptions,
  ): Future<[DatagramTransport, P]> {
    return createDatagramEndpoint(this, protocolFactory, options);
  }

  /**
   * Resolves a host name and a service to addresses. See {@linkcode getaddrinfo}.
   *
   * @permissions allow-net=<hostname>
   */
  getaddrinfo(
    hostname: string | null,
    port: number | string | null,
    options?: GetaddrinfoOptions,
  ): Future<AddrInfo[]> {
    return getaddrinfo(this, hostname, port, options);
  }

  /**
   * Finds the names of a host and a service. See {@linkcode getnameinfo}.
   *
   * @permissions allow-net=<address>
   */
  getnameinfo(
    address: SocketAddress,
    flags?: readonly NameInfoFlag[],
  ): Future<[host: string, service: string]> {
    return getnameinfo(this, address, flags);
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
   *
   * @throws {TypeError} If it has no `submit()` or no `shutdown()`.
   * @throws {InvalidStateError} If the default executor was shut down, or the loop is closed.
   */
  setDefaultExecutor(executor: Executor): void {
    setDefaultExecutor(this, executor);
  }

  /**
   * Takes no more jobs in the default executor, and waits for those that it has; a second call
   * waits for the same. As `loop.shutdown_default_executor()`.
   *
   * @param options `timeout` seconds later its workers are ended by force.
   */
  shutdownDefaultExecutor(options: ShutdownDefaultExecutorOptions = {}): Future<void> {
    return shutdownDefaultExecutor(this, options);
  }

  /** Reads a pipe with a protocol. See {@linkcode connectReadPipe}. */
  connectReadPipe<P extends ProtocolLike>(
    protocolFactory: () => P,
    pipe: ReadablePipe,
  ): Future<[ReadTransport, P]> {
    return connectReadPipe(this, protocolFactory, pipe);
  }

  /** Writes to a pipe with a protocol. See {@linkcode connectWritePipe}. */
  connectWritePipe<P extends ProtocolLike>(
    protocolFactory: () => P,
    pipe: WritablePipe,
  ): Future<[WriteTransport, P]> {
    return connectWritePipe(this, protocolFactory, pipe);
  }

  /**
   * Starts a program, with pipes to all three standard streams. See {@linkcode subprocessExec}.
   *
   * @permissions allow-run=<command>
   */
  subprocessExec<P extends SubprocessProtocolLike>(
    protocolFactory: () => P,
    command: string,
    options?: SubprocessExecOptions,
  ): Future<[SubprocessTransport, P]> {
    return subprocessExec(this, protocolFactory, command, options);
  }

  /**
   * Starts a command line in the shell. See {@linkcode subprocessShell}.
   *
   * @permissions allow-run=/bin/sh
   */
  subprocessShell<P extends SubprocessProtocolLike>(
    protocolFactory: () => P,
    commandLine: string,
    options?: SubprocessOptions,
  ): Future<[SubprocessTransport, P]> {
    return subprocessShell(this, protocolFactory, commandLine, options);
  }

  /** @ignore Kills the processes that are left, and waits for their ends; `null` if none is. */
  [inside.endProcesses](): Future<void> | null {
    return endProcesses(this);
  }

  /**
   * Calls `callback(...args)` whenever `descriptor` can be read, or is broken, in place of what was set
   * before. As `loop.add_reader()`. On the native backend alone, as all that follows up to
   * {@linkcode sockSendfile}; a loop with `permissions` takes descriptors only with all of `read` or
   * `write`.
   *
   * @throws {InvalidStateError} If the loop is not one of `@gyre/asyncio/native`, is closed, or a
   * transport uses the descriptor.
   */
  addReader<A extends unknown[]>(
    descriptor: Descriptor,
    callback: (...args: A) => unknown,
    ...args: A
  ): void {
    watchDescriptor(this, descriptor, "read", callback, args);
  }

  /** Undoes {@linkcode addReader}; says whether there was a callback. As `loop.remove_reader()`. */
  removeReader(descriptor: Descriptor): boolean {
    return stopWatching(this, descriptor, "read");
  }

  /** As {@linkcode addReader}, for when `descriptor` can be written to. As `loop.add_writer()`. */
  addWriter<A extends unknown[]>(
    descriptor: Descriptor,
    callback: (...args: A) => unknown,
    ...args: A
  ): void {
    watchDescriptor(this, descriptor, "write", callback, args);
  }

  /** Undoes {@linkcode addWriter}; says whether there was a callback. As `loop.remove_writer()`. */
  removeWriter(descriptor: Descriptor): boolean {
    return stopWatching(this, descriptor, "write");
  }

  /** Waits for a connection at a socket that listens. As `loop.sock_accept()`. */
  sockAccept<S extends NonBlockingSocket>(sock: S): Future<[socket: S, address: Deno.Addr]> {
    return sockAccept(this, sock);
  }

  /**
   * Connects a socket. As `loop.sock_connect()`.
   *
   * @permissions allow-net=<hostname>:<port>
   */
  sockConnect(sock: NonBlockingSocket, address: AnySocketAddress): Future<void> {
    return sockConnect(this, sock, address);
  }

  /** Receives up to `size` bytes, none at the end of the stream. As `loop.sock_recv()`. */
  sockRecv(sock: NonBlockingSocket, size: number): Future<Uint8Array> {
    return sockRecv(this, sock, size);
  }

  /** Receives into `memory`; gives how much, 0 at the end. As `loop.sock_recv_into()`. */
  sockRecvInto(sock: NonBlockingSocket, memory: Uint8Array): Future<number> {
    return sockRecvInto(this, sock, memory);
  }

  /** Receives a datagram of up to `size` bytes; what is longer is cut. As `loop.sock_recvfrom()`. */
  sockRecvfrom(
    sock: NonBlockingSocket,
    size: number,
  ): Future<[bytes: Uint8Array, address: Deno.Addr]> {
    return sockRecvfrom(this, sock, size);
  }

  /** Receives a datagram into `memory`. As `loop.sock_recvfrom_into()`. */
  sockRecvfromInto(
    sock: NonBlockingSocket,
    memory: Uint8Array,
  ): Future<[count: number, address: Deno.Addr]> {
    return sockRecvfromInto(this, sock, memory);
  }

  /** Sends all of `bytes`. As `loop.sock_sendall()`. */
  sockSendall(sock: NonBlockingSocket, bytes: Uint8Array): Future<void> {
    return sockSendall(this, sock, bytes);
  }

  /**
   * Sends a datagram; gives how many bytes. As `loop.sock_sendto()`.
   *
   * @permissions allow-net=<hostname>:<port>
   */
  sockSendto(
    sock: NonBlockingSocket,
    bytes: Uint8Array,
    address: AnySocketAddress,
  ): Future<number> {
    return sockSendto(this, sock, bytes, address);
  }

  /** Sends a file; gives how many bytes, after which the file stands. As `loop.sock_sendfile()`. */
  sockSendfile(
    sock: NonBlockingSocket,
    file: SendableFile,
    options: SendfileOptions = {},
  ): Future<number> {
    return sockSendfile(this, sock, file, options);
  }

  /**
   * Calls `callback(...args)` for each `signal` that the process receives, in place of what was set
   * before. As `loop.add_signal_handler()`.
   *
   * Signals of one kind that come at once may be one call. A handler holds nothing alive. While
   * there is one for a signal, it comes in place of what `run()` does on it.
   *
   * @param callback What to call; no coroutine and no async function.
   * @throws {TypeError} If `callback` is no such function, or the system has no such signal.
   * @throws {InvalidStateError} If the signal cannot be caught, or the loop is closed.
   */
  addSignalHandler<A extends unknown[]>(
    signal: Deno.Signal,
    callback: (...args: A) => unknown,
    ...args: A
  ): void {
    addSignalHandler(this, signal, callback, args);
  }

  /**
   * Undoes {@linkcode addSignalHandler}: the signal does again what it did before. As
   * `loop.remove_signal_handler()`.
   *
   * @returns Whether there was a handler.
   */
  removeSignalHandler(signal: Deno.Signal): boolean {
    return removeSignalHandler(this, signal);
  }
}
