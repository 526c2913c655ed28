import * as inside from "../loop/inside.ts";
import { checkOptions } from "../loop/values/check_options.ts";
import { type EventLoop, runningEventLoop } from "../loop/event_loop.ts";
import { CALLBACK_PORT } from "./_options.ts";

/**
 * Settings of {@linkcode createCallbackPort}.
 *
 * @category Executors
 */
export interface CallbackPortOptions {
  /** The loop that calls back. Defaults to the running loop. */
  loop?: EventLoop | undefined;
}

/** The open ports of each loop. */
const openPorts: WeakMap<EventLoop, Set<CallbackPort>> = new WeakMap();

/**
 * A way back into a loop from a worker; made by {@linkcode createCallbackPort}.
 *
 * @category Executors
 */
export class CallbackPort implements Disposable {
  /** What to transfer to the worker. */
  readonly port: MessagePort;
  readonly #own: MessagePort;
  readonly #loop: EventLoop;

  /** Most callers want {@linkcode createCallbackPort}. */
  constructor(loop: EventLoop, callback: (...args: never[]) => unknown) {
    const { port1, port2 } = new MessageChannel();
    this.port = port2;
    this.#own = port1;
    this.#loop = loop;
    port1.onmessage = ({ data }) => this.#call(callback, data);
    const ports = openPorts.get(loop) ?? new Set();
    openPorts.set(loop, ports.add(this));
  }

  /** Takes no more calls. Idempotent; closing the loop does it too. */
  close(): void {
    this.#own.close();
    this.port.close();
    openPorts.get(this.#loop)?.delete(this);
  }

  /** Closes the port at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  #call(callback: (...args: never[]) => unknown, data: unknown): void {
    if (this.#loop.isClosed()) return this.close();
    const args = Array.isArray(data) ? data : [data];
    this.#loop.callSoonThreadsafe(callback as (...args: unknown[]) => unknown, ...args);
  }
}

/**
 * Hands out `loop.callSoonThreadsafe(callback, …)` to another thread: a `MessagePort` that is
 * transferred to a worker. Each `port.postMessage([…arguments])` there schedules
 * `callback(…arguments)` here, in order, and wakes an idle loop.
 *
 * An open port keeps the process alive; close it, or the loop.
 *
 * @param callback What the loop calls, with the context variables of this call.
 * @param options Additional options.
 * @returns The port, and the way to close it.
 * @throws {TypeError} If `callback` is no function, or a generator function, which needs a task.
 * @throws {InvalidStateError} If no loop is running here and none is given, or it is closed.
 *
 * @category Executors
 *
 * @example A worker that calls back
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createCallbackPort, createJob, run, toThread } from "@gyre/asyncio";
 *
 * const seen: string[] = [];
 * await run(async () => {
 *   using calls = createCallbackPort((text: string) => seen.push(text));
 *   const job = createJob((port: MessagePort) => {
 *     port.postMessage(["hello"]);
 *     port.close();
 *   }, { transfer: [calls.port] });
 *   await toThread(job, calls.port);
 *   while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
 * });
 * assertEquals(seen, ["hello"]);
 * ```
 */
export function createCallbackPort<A extends unknown[]>(
  callback: (...args: A) => unknown,
  options: CallbackPortOptions = {},
): CallbackPort {
  checkOptions("create a callback port", options, CALLBACK_PORT);
  const loop = options.loop ?? runningEventLoop();
  loop[inside.checkCallback](callback, "hand out");
  return new CallbackPort(loop, callback);
}

/** Closes the ports of `loop`, which is closed. */
export function closeCallbackPorts(loop: EventLoop): void {
  for (const port of [...openPorts.get(loop) ?? []]) port.close();
}
