import { CancelledError, TimeoutError } from "../../loop/mod.ts";

/** Awaits `promise` in an async function and gives what it throws. Fails if it throws nothing. */
export async function rejectionOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("Expected an error, got none");
}

/** The two kinds of bodies that a task can have. */
export type Kind = "coroutine" | "async function";
/** Both kinds, for tests that hold for either. */
export const KINDS: readonly Kind[] = ["coroutine", "async function"];

/** An error in a few letters, for tables: `cancelled`, `timeout`, its message, or a list. */
export function brief(error: unknown): string {
  if (error instanceof CancelledError) return "cancelled";
  if (error instanceof TimeoutError) return "timeout";
  if (error instanceof AggregateError) return `[${error.errors.map(brief).join(" ")}]`;
  return (error as Error).message;
}

/** How a part of a program behaves by itself, and what it does when it is cancelled. */
export interface Part {
  /** Seconds until it ends by itself. */
  at: number;
  /** How it ends by itself. */
  does: "returns" | "throws";
  /** What it does when it is cancelled before. */
  whenCancelled: "ends" | "swallows" | "throws";
}
