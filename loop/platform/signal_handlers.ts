import * as inside from "../inside.ts";
import { describe } from "../values/_describe.ts";
import { checkPlain } from "../values/_function_kind.ts";
import { isNotCapable } from "../errors/deno_not_capable.ts";
import { InvalidStateError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import { type Callback, Handle } from "../scheduling/handle.ts";
import type { Signals } from "./platform.ts";
import type { PlatformLoop } from "./platform_loop.ts";

/** What a loop does on a signal. */
interface SignalHandler {
  /** Runs for each signal that comes. */
  handle: Handle;
  /** Stops listening. */
  readonly unlisten: () => void;
}

/** Signals that the system, or the engine, keeps for itself. */
const UNCATCHABLE: readonly string[] = ["SIGFPE", "SIGILL", "SIGKILL", "SIGSEGV", "SIGSTOP"];

const handlersOf: WeakMap<EventLoop, Map<Deno.Signal, SignalHandler>> = new WeakMap();

/**
 * Calls `callback(...args)` on `loop` for each `signal` that the process receives, in place of what
 * was set before. As `loop.add_signal_handler()`.
 *
 * Signals of one kind that come at once may be one call. A handler holds nothing alive. While there
 * is one for a signal, it comes in place of what `run()` does on it.
 *
 * @param loop The loop that the callback runs on.
 * @param signal Which signal.
 * @param callback What to call; no coroutine and no async function.
 * @param args Its arguments.
 * @throws {TypeError} If `callback` is no such function, or the system has no such signal.
 * @throws {InvalidStateError} If the signal cannot be caught, or the loop is closed.
 * @throws {Deno.errors.NotCapable} If the permissions of the loop leave it out.
 */
export function addSignalHandler<A extends unknown[]>(
  loop: PlatformLoop,
  signal: Deno.Signal,
  callback: (...args: A) => unknown,
  args: A,
): void {
  loop[inside.checkCallback](callback, "add");
  checkPlain(callback, "add a callback");
  const handle = new Handle(loop, callback as Callback, args);
  const handlers = handlersOf.get(loop) ?? new Map<Deno.Signal, SignalHandler>();
  handlersOf.set(loop, handlers);
  const present = handlers.get(signal);
  if (present !== undefined) present.handle = handle;
  else handlers.set(signal, listen(loop, signal, handle));
}

/**
 * Undoes {@linkcode addSignalHandler}: the signal does again what it did before. As
 * `loop.remove_signal_handler()`.
 *
 * @returns Whether there was a handler.
 */
export function removeSignalHandler(loop: EventLoop, signal: Deno.Signal): boolean {
  const handlers = handlersOf.get(loop);
  handlers?.get(signal)?.unlisten();
  return handlers?.delete(signal) ?? false;
}

/** Removes all handlers of `loop`, which is closed. */
export function removeSignalHandlers(loop: EventLoop): void {
  for (const { unlisten } of handlersOf.get(loop)?.values() ?? []) unlisten();
  handlersOf.delete(loop);
}

/** Whether `loop` has a handler for `signal`. */
export function hasSignalHandler(loop: EventLoop, signal: Deno.Signal): boolean {
  return handlersOf.get(loop)?.has(signal) ?? false;
}

function listen(loop: PlatformLoop, signal: Deno.Signal, handle: Handle): SignalHandler {
  const { signals } = loop.platform;
  const handler: SignalHandler = {
    handle,
    unlisten: listenToSignal(signals, signal, () => loop[inside.enter](handler.handle)),
  };
  return handler;
}

/**
 * Calls `callback` for each `signal` until the function that it returns is called.
 *
 * @throws {TypeError} If the system has no such signal.
 * @throws {InvalidStateError} If the signal cannot be caught.
 */
export function listenToSignal(
  signals: Signals,
  signal: Deno.Signal,
  callback: () => void,
): () => void {
  if (UNCATCHABLE.includes(signal)) {
    throw new InvalidStateError(`Cannot handle signal "${signal}": it cannot be caught`);
  }
  if (typeof signal !== "string") {
    throw new TypeError(
      `Cannot handle signal ${describe(signal)}: expected a name, such as "SIGTERM"`,
    );
  }
  try {
    return signals.listen(signal, callback);
  } catch (cause) {
    if (isNotCapable(cause)) throw cause;
    throw new TypeError(`Cannot handle signal "${signal}": the system does not have it`, { cause });
  }
}
