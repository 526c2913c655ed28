/**
 * The seam between the loop and the world.
 *
 * *Theory of operation.* Everything the package needs of its host is one of the small
 * interfaces below. Deno is one implementation (`deno_*.ts`), the simulator a second one. Code
 * above the seam never reads a clock, draws a random number or opens a socket by another way,
 * and so the same program runs on both. All times are seconds.
 *
 * @module
 */
import type { EventLoop } from "../event_loop.ts";
import type { Network } from "./network_platform.ts";
import type { Pipes } from "./pipe_platform.ts";
import type { Processes } from "./process_platform.ts";
import type { ReadyQueue } from "../scheduling/ready_queue.ts";
import type { Tls } from "./tls_platform.ts";
import type { WorkerProcesses, Workers } from "./worker_platform.ts";

export type {
  WorkerLink,
  WorkerPermissions,
  WorkerPort,
  WorkerProcesses,
  WorkerProcessOptions,
  Workers,
  WorkerSink,
  WorkerThreadOptions,
} from "./worker_platform.ts";

export type {
  Acceptor,
  AddressFamily,
  AdoptListenerOptions,
  ByteChannel,
  ByteSink,
  ConnectTcpOptions,
  DatagramChannel,
  DatagramConn,
  DatagramSink,
  FileSender,
  HostAddress,
  Listener,
  ListenTcpOptions,
  ListenUnixOptions,
  Network,
  OpenDatagramsOptions,
  SocketAddress,
} from "./network_platform.ts";

export type {
  Tls,
  TlsCertificate,
  TlsContext,
  TlsEngine,
  TlsEngineEvents,
  TlsIdentity,
  TlsInfo,
  TlsOptions,
  TlsVersion,
} from "./tls_platform.ts";

export type { Pipes, ReadableHandle, WritableHandle } from "./pipe_platform.ts";

export type {
  ChildProcess,
  Processes,
  ProcessSink,
  Program,
  SpawnOptions,
  StdioTarget,
} from "./process_platform.ts";

/**
 * Monotonic time, and the way back into the loop from an idle host.
 *
 * @category Platform
 */
export interface Clock {
  /** Returns the current time in seconds; it never goes back. */
  now(): number;
  /** Calls `wake` once the host has handled what is pending: I/O, timers and signals. */
  soon(wake: () => void): void;
  /**
   * Creates the alarm of one loop, and holds the process alive until the alarm is closed.
   *
   * @param ring Called when the time of the alarm has come, or a little before.
   * @param idle Stops the loop with a `DeadlockError`. Called by a clock which knows that nothing
   * can ever wake the loop.
   * @param deadline Returns when the loop wants to be woken as things are now: a callback may
   * have cancelled the timer that the alarm was set for. Without it the alarm stays as it was set.
   */
  createAlarm(ring: () => void, idle: () => void, deadline?: () => number): ClockAlarm;
  /**
   * Calls `beat` every so many seconds, later where code runs without a pause, and holds no process
   * alive for it. Returns what ends that. A clock that stands still while code runs has no beat.
   */
  startBeat?(seconds: number, beat: () => void): () => void;
}

/**
 * The one host timer of a running loop.
 *
 * @category Platform
 */
export interface ClockAlarm {
  /**
   * The loop is about to wait: it wants to be woken at `deadline`, in the clock's seconds.
   * `Infinity` waits for an event only. Replaces the deadline set before.
   */
  set(deadline: number): void;
  /** The loop has stopped. */
  close(): void;
}

/**
 * What looks for events that the host does not report by itself: descriptors that are ready.
 *
 * The driver asks it before it waits, at the end of a turn, and now and then while it is busy.
 *
 * @category Platform
 */
export interface Poller {
  /**
   * Adds one entry to the loop that handles what is ready. Never waits.
   *
   * @returns Whether there is something.
   */
  poll(): boolean;
  /** The loop is about to wait: from now on the poller enters it by itself. */
  idle(): void;
  /** The loop has stopped: nothing may hold the process alive for it. */
  rest(): void;
}

/**
 * Tells when a descriptor can be read or written without waiting.
 *
 * @category Platform
 */
export interface Readiness {
  /**
   * Calls `ready` from the loop whenever `descriptor` can be read, or written, until the returned
   * function is called. Of each kind there is one at a time.
   */
  watch(
    loop: EventLoop,
    descriptor: number,
    kind: "read" | "write",
    ready: () => void,
  ): () => void;
  /** Throws unless the loop may send to `address`, as far as that is not the host's to decide. */
  checkAddress?(
    address: { readonly hostname: string; readonly port: number } | { readonly path: string },
    verb: string,
  ): void;
}

/**
 * Everything the package needs of its host.
 *
 * @category Platform
 */
export interface Platform {
  /** Time. */
  readonly clock: Clock;
  /** Chance. */
  readonly random: Random;
  /** Signals of the process. */
  readonly signals: Signals;
  /** Connections, listeners, datagrams and names. */
  readonly network: Network;
  /** Pipes that exist already. */
  readonly pipes: Pipes;
  /** Other programs. */
  readonly processes: Processes;
  /** @ignore Creates what decides the order of a loop's callbacks, where that is not the usual one. */
  createReadyQueue?(): ReadyQueue;
  /** Threads that run JavaScript. */
  readonly workers: Workers;
  /** Processes that run JavaScript. */
  readonly workerProcesses: WorkerProcesses;
  /** The readiness of descriptors, where the host can tell it. */
  readonly readiness?: Readiness;
  /** What secures connections, where the host has something other than Deno's own TLS. */
  readonly tls?: Tls;
}

/**
 * Chance.
 *
 * @category Platform
 */
export interface Random {
  /** Returns a number from 0 up to, but not, 1. */
  next(): number;
}

/**
 * Signals sent to the process.
 *
 * @category Platform
 */
export interface Signals {
  /** Calls `callback` for each `signal` received, until the returned function is called. */
  listen(signal: Deno.Signal, callback: () => void): () => void;
}
