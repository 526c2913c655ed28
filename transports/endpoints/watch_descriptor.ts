import { checkLoopOpen } from "../../loop/errors/loop_closed.ts";
import * as inside from "../../loop/inside.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import { type Callback, Handle } from "../../loop/scheduling/handle.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import type { Readiness } from "../../loop/platform/platform.ts";

/**
 * A descriptor of the system's: its number, or what has one, such as a `Socket`.
 *
 * @category Native backend
 */
export type Descriptor = number | {
  /** The number. */
  readonly fd: number;
};

type Kind = "read" | "write";

/** A callback that is called when a descriptor is ready. */
interface Watched {
  readonly handle: Handle;
  readonly stop: () => void;
}

/** Callbacks by loop, and by kind and descriptor. */
const watchedBy: WeakMap<EventLoop, Map<string, Watched>> = new WeakMap();

/** Calls `callback(...args)` whenever `descriptor` is ready, in place of what was set before. */
export function watchDescriptor(
  loop: PlatformLoop,
  descriptor: Descriptor,
  kind: Kind,
  callback: (...args: never[]) => unknown,
  args: readonly unknown[],
): void {
  const number = numberOf(descriptor);
  const readiness = readinessOf(loop, `watch descriptor ${number}`);
  loop[inside.checkCallback](callback, "add");
  stopWatching(loop, descriptor, kind);
  const handle = new Handle(loop, callback as Callback, args);
  const stop = readiness.watch(loop, number, kind, () => handle[inside.run]());
  const watched = watchedBy.get(loop) ?? new Map<string, Watched>();
  watchedBy.set(loop, watched);
  watched.set(`${kind} ${number}`, { handle, stop });
}

/** Undoes {@linkcode watchDescriptor}; says whether there was something to undo. */
export function stopWatching(loop: PlatformLoop, descriptor: Descriptor, kind: Kind): boolean {
  const number = numberOf(descriptor);
  readinessOf(loop, `watch descriptor ${number}`);
  const key = `${kind} ${number}`;
  const watched = watchedBy.get(loop)?.get(key);
  if (watched === undefined) return false;
  watchedBy.get(loop)?.delete(key);
  watched.handle.cancel();
  watched.stop();
  return true;
}

/** Returns what tells the readiness of descriptors; throws if the backend has no such thing. */
export function readinessOf(loop: PlatformLoop, action: string): Readiness {
  checkLoopOpen(loop, action);
  const { readiness } = loop.platform;
  if (readiness !== undefined) return readiness;
  throw new InvalidStateError(
    `Cannot ${action}: Deno tells no readiness; the loops of "@gyre/asyncio/native" do`,
  );
}

function numberOf(descriptor: Descriptor): number {
  const number: unknown = typeof descriptor === "object" ? descriptor?.fd : descriptor;
  if (typeof number === "number" && Number.isInteger(number) && number >= 0) return number;
  throw new TypeError(
    `Cannot watch a descriptor: expected its number or what has one as fd, got ${String(number)}`,
  );
}
