import * as inside from "../loop/inside.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import type { ResourceFigures } from "../loop/inspection/resource_figures.ts";

/** A pool, as a snapshot sees it. */
interface Pool {
  [inside.figures](figures: ResourceFigures): void;
}

/** The pools that jobs of each loop have used, as long as somebody has them. */
const pools: WeakMap<EventLoop, Set<WeakRef<Pool>>> = new WeakMap();
/** Which loop has a pool listed last: a pool is mostly used by one. */
const lastLoops: WeakMap<Pool, WeakRef<EventLoop>> = new WeakMap();

/** A job of `loop` uses `pool`. */
export function notePool(loop: EventLoop, pool: Pool): void {
  if (lastLoops.get(pool)?.deref() === loop) return;
  lastLoops.set(pool, new WeakRef(loop));
  const used = pools.get(loop) ?? new Set();
  for (const reference of used) if (reference.deref() === pool) return;
  pools.set(loop, used.add(new WeakRef(pool)));
}

/** Adds the pools of `loop` to a snapshot; those that are gone are forgotten. */
export function addUsedPools(loop: EventLoop, figures: ResourceFigures): void {
  const used = pools.get(loop);
  for (const reference of used ?? []) {
    const pool = reference.deref();
    if (pool === undefined) used?.delete(reference);
    else pool[inside.figures](figures);
  }
}
