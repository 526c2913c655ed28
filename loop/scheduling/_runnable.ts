import type * as inside from "../inside.ts";
/** An entry of the ready queue: a handle, a task's step, or an operation's step. */
export interface Runnable {
  /** Does the work of one turn. Throws nothing: errors go to where they belong. */
  [inside.run](): void;
}
