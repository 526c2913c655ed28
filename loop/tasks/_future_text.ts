import * as inside from "../inside.ts";
import { cite, describe, describeThrown, lineOf } from "../values/_describe.ts";
import type { Future, FutureState } from "./future.ts";
import type { Task } from "./task.ts";

/** Futures that a text lists at most. */
const MOST_LISTED = 3;

/**
 * Says what `future` is, where it stands in `state`, what it waits for or what it gave.
 *
 * @param inner `value`, if it is a future.
 */
export function futureText(
  future: Future<unknown>,
  state: FutureState,
  value: unknown,
  inner: Future<unknown> | null,
): string {
  const { name, cancelling } = partsOf(future);
  const origin = future.getLoop()[inside.originOf](future)?.split("\n", 1)[0]?.trim();
  return lineOf(future, cancelling ? "cancelling" : state, {
    name,
    awaiting: state === "pending" ? listText(future[inside.awaited]()) : undefined,
    result: state === "finished" ? valueText(value, inner) : undefined,
    exception: state === "failed" ? cite(describeThrown(value)) : undefined,
    created: origin,
  });
}

/** A future in the text of another: without what it waits for, which may be the other. */
function briefText(future: Future<unknown>): string {
  const { name, cancelling } = partsOf(future);
  const state = cancelling
    ? "cancelling"
    : future.cancelled()
    ? "cancelled"
    : future.done()
    ? "done"
    : "pending";
  return lineOf(future, state, { name });
}

function listText(futures: readonly Future<unknown>[]): string {
  const texts = futures.slice(0, MOST_LISTED).map(briefText);
  if (futures.length > MOST_LISTED) texts.push(`${futures.length - MOST_LISTED} more`);
  return texts.length > 1 ? `[${texts.join(", ")}]` : texts.join();
}

function valueText(value: unknown, inner: Future<unknown> | null): string {
  return inner === null ? cite(describe(value)) : briefText(inner);
}

/** The name of a task, and whether it has yet to end by a cancellation. */
function partsOf(future: Future<unknown>): { name: string | undefined; cancelling: boolean } {
  const { getName, cancelling } = future as Partial<Pick<Task<unknown>, "getName" | "cancelling">>;
  return {
    name: getName === undefined ? undefined : JSON.stringify(getName.call(future)),
    cancelling: cancelling !== undefined && !future.done() && cancelling.call(future) > 0,
  };
}
