import type { EventLoop } from "../event_loop.ts";
import type { Future } from "./future.ts";

/** Returns a future that has failed with `error`. */
export function failedFuture<T>(loop: EventLoop, error: unknown): Future<T> {
  const future = loop.createFuture<T>();
  future.setException(error);
  return future;
}
