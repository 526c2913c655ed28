/**
 * The part of the seam that executors stand on: threads and processes which run JavaScript.
 *
 * *Theory of operation.* A worker is started from a source text: a function expression whose one
 * parameter is a {@linkcode WorkerPort}. Nothing is read from a file, so no permission is needed
 * to start one, wherever the package came from. A worker never holds the process alive; who waits
 * for one does.
 *
 * @module
 */

/**
 * What the source text of a worker is called with, inside the worker.
 *
 * @category Platform
 */
export interface WorkerPort {
  /** Sends `message` to the loop's side. */
  post(message: unknown, transfer?: Transferable[]): void;
  /** Calls `callback` for each message from the loop's side. */
  receive(callback: (message: unknown) => void): void;
  /** Calls `work`, to which belongs what comes of it later: the timers that it sets, its promises. */
  runAs(id: number, work: () => void): void;
  /**
   * Calls `callback` for each error that nothing in the worker catches, with the number of the work
   * that it belongs to; `null` where that is unknown.
   */
  onStray(callback: (error: unknown, id: number | null) => void): void;
}

/**
 * The loop's side of a worker.
 *
 * @category Platform
 */
export interface WorkerLink {
  /**
   * Sends `message` as a structured clone. Messages keep their order.
   *
   * @throws {Error} If it cannot be cloned; nothing was sent then.
   */
  post(message: unknown, transfer?: Transferable[]): void;
  /** Ends the worker at once, whatever it does. Idempotent. */
  terminate(): void;
}

/**
 * Who receives what a worker sends.
 *
 * @category Platform
 */
export interface WorkerSink {
  /** A message came. */
  received(message: unknown): void;
  /** What came was no message. */
  garbled(error: unknown): void;
  /**
   * The worker is gone. Last call, exactly once.
   *
   * @param reason How it ended, as the end of a sentence: `exited with code 3`.
   * @param error What ended it, if it was an error.
   */
  ended(reason: string, error: unknown): void;
}

/**
 * Settings of a worker thread.
 *
 * @category Platform
 */
export interface WorkerThreadOptions {
  /** The name of the thread, for debuggers. */
  name: string;
  /** Mebibytes of JavaScript heap after which the thread is ended. */
  heapLimitMb: number;
}

/**
 * Settings of a worker process.
 *
 * @category Platform
 */
export interface WorkerProcessOptions {
  /** What the process may do. */
  permissions: WorkerPermissions;
  /** Mebibytes of JavaScript heap after which the process is ended. */
  heapLimitMb: number;
  /** A module whose `deno.json` applies; it is loaded with the process. */
  program?: string | undefined;
}

/**
 * What a worker may do. `true` is everything of a kind, a list only its members, written as in
 * Deno's `--allow-…` flags. What is left out is denied.
 *
 * @category Executors
 */
export interface WorkerPermissions {
  /** Environment variables. */
  env?: boolean | string[] | undefined;
  /** Dynamic libraries. */
  ffi?: boolean | (string | URL)[] | undefined;
  /** Hosts that code may be imported from. */
  import?: boolean | string[] | undefined;
  /** Hosts, as `hostname` or `hostname:port`. */
  net?: boolean | string[] | undefined;
  /** Files and folders that may be read. */
  read?: boolean | (string | URL)[] | undefined;
  /** Programs. */
  run?: boolean | string[] | undefined;
  /** Facts about the system. */
  sys?: boolean | string[] | undefined;
  /** Files and folders that may be written. */
  write?: boolean | (string | URL)[] | undefined;
}

/**
 * Threads that run JavaScript.
 *
 * @category Platform
 */
export interface Workers {
  /** How many threads run at the same time. */
  readonly hardwareConcurrency: number;
  /** Returns the error for starting a thread, where the loop may not; else `null`. */
  refusal?(): Error | null;
  /** Starts a thread from `source`. Messages may be posted at once. */
  start(source: string, options: WorkerThreadOptions, sink: WorkerSink): WorkerLink;
  /** Returns the class of the host's own errors that is called `name`, if there is one. */
  errorClass(name: string): (abstract new (message?: string) => Error) | null;
}

/**
 * Processes that run JavaScript.
 *
 * @category Platform
 */
export interface WorkerProcesses {
  /** Returns the error for a process with `permissions`, where the loop may not; else `null`. */
  refusal?(permissions: WorkerPermissions): Error | null;
  /**
   * Starts a process from `source`. Messages may be posted at once; nothing can be transferred.
   *
   * @throws {Error} If the process cannot be started, with the host's own error.
   */
  start(source: string, options: WorkerProcessOptions, sink: WorkerSink): WorkerLink;
}
