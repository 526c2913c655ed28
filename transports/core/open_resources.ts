import * as inside from "../../loop/inside.ts";
import type { EventLoop } from "../../loop/event_loop.ts";
import type { ResourceFigures } from "../../loop/inspection/resource_figures.ts";

/** Something that holds a socket, and can let go of it at once. */
export interface OpenResource {
  /** Closes without calling user code. The loop is closed. */
  [inside.release](): void;
  /** Adds what a snapshot tells of it. */
  [inside.figures]?(figures: ResourceFigures): void;
}

const resources: WeakMap<EventLoop, Set<OpenResource>> = new WeakMap();

/** Returns what is open on `loop`. Who opens adds itself, and leaves when it is closed. */
export function openResources(loop: EventLoop): Set<OpenResource> {
  let set = resources.get(loop);
  if (set === undefined) resources.set(loop, set = new Set());
  return set;
}

/** Closes what is still open on `loop`, which was closed. */
export function releaseOpenResources(loop: EventLoop): void {
  const set = resources.get(loop);
  if (set === undefined) return;
  // In reverse order: what was opened later stands on what was opened before.
  for (const resource of [...set].reverse()) resource[inside.release]();
  set.clear();
}

/** Adds what is open on `loop` to a snapshot. */
export function addOpenResources(loop: EventLoop, figures: ResourceFigures): void {
  for (const resource of resources.get(loop) ?? []) resource[inside.figures]?.(figures);
}
