/**
 * The language of random programs: what the generator writes, and three interpreters run (on
 * CPython, on our coroutines, on our async functions). A program is plain JSON.
 *
 * Every spawn and every callback has a number of its own, and so a name in the trace. A
 * reference to a task that does not exist yet, or never will, makes its statement do nothing.
 *
 * @module
 */

/** What a program acts on, and what its main task does. */
export interface Program {
  /** How many bare futures there are. */
  futures: number;
  /** How many locks there are. */
  locks: number;
  /** The value of each semaphore. */
  semaphores: number[];
  /** The value of each bounded semaphore. */
  bounded: number[];
  /** How many events there are. */
  events: number;
  /** For each condition the lock it shares, or `null` for one of its own. */
  conditions: (number | null)[];
  /** The parties of each barrier. */
  barriers: number[];
  /** The queues. */
  queues: { kind: QueueKind; limit: number }[];
  /** How many numbers there are that conditions wait for. */
  variables: number;
  /** The actions of each done callback. */
  callbacks: Action[][];
  /** The main task. */
  body: Statement[];
}

/** In which order a queue gives its items. */
export type QueueKind = "fifo" | "lifo" | "priority";

/** A task or a bare future, by number. */
export type Ref = { task: number } | { future: number };

/** Something with `acquire` and `release`. */
export interface Guard {
  /** Which list it is in. */
  kind: "lock" | "semaphore" | "bounded" | "condition";
  /** Where in the list. */
  index: number;
}

/** A statement that does not wait; callbacks and timers have no others. */
export type Action =
  & { id: number }
  & (
    | { op: "log" }
    | { op: "set"; value: number }
    | { op: "raise"; message: string }
    | { op: "cancel"; of: Ref; message: string | null }
    | { op: "cancelSelf"; message: string | null }
    | { op: "uncancel"; task: number | null }
    | { op: "look"; of: Ref }
    | { op: "spawn"; task: number; eager: boolean; body: Statement[] }
    | { op: "groupSpawn"; group: number; task: number; body: Statement[] }
    | { op: "setResult"; future: number; value: number }
    | { op: "setException"; future: number; message: string }
    | { op: "addCallback" | "removeCallback"; of: Ref; callback: number }
    | { op: "callSoon"; body: Action[] }
    | { op: "callLater"; delay: number; body: Action[] }
    | { op: "cancelHandle"; handle: number }
    | { op: "reschedule"; scope: number; delay: number | null }
    | { op: "release" | "locked" } & Guard
    | { op: "notify"; index: number; count: number | null }
    | { op: "setEvent" | "clearEvent"; index: number }
    | { op: "putNowait"; index: number; value: number }
    | { op: "getNowait" | "taskDone" | "size" | "barrierState"; index: number }
    | { op: "shutdown"; index: number; immediate: boolean }
    | { op: "assign"; variable: number; value: number }
  );

/** A statement that may wait. A `soft` one swallows any error but a cancellation. */
export type WaitingStatement =
  & { id: number; soft?: boolean }
  & (
    | { op: "sleep"; delay: number }
    | { op: "await"; of: Expression }
    | { op: "return"; value: number }
    | { op: "raiseError" | "raiseCancelled"; message: string }
    | { op: "repeat"; times: number; body: Statement[] }
    | {
      op: "try";
      body: Statement[];
      catch: "all" | "cancelled" | "error" | null;
      handler: Statement[];
      rethrow: boolean;
      finally: Statement[];
    }
    | { op: "timeout"; delay: number | null; body: Statement[] }
    | { op: "timeoutAt"; when: number | null; body: Statement[] }
    | { op: "group"; body: Statement[] }
    | { op: "waitFor"; of: Expression; timeout: number | null }
    | { op: "gather"; of: Expression[]; returnExceptions: boolean }
    | { op: "shield"; of: Expression }
    | { op: "wait"; of: Ref[]; mode: "first" | "exception" | "all"; timeout: number | null }
    | { op: "asCompleted"; of: Expression[]; timeout: number | null }
    | { op: "acquire" } & Guard
    | { op: "with"; body: Statement[] } & Guard
    | {
      op: "waitEvent" | "waitCondition" | "get" | "join";
      index: number;
    }
    | { op: "waitBarrier" | "resetBarrier" | "abortBarrier"; index: number }
    | { op: "waitPredicate"; index: number; variable: number; value: number; cancels: boolean }
    | { op: "put"; index: number; value: number }
  );

/** One step of a task. */
export type Statement = Action | WaitingStatement;

/** What `gather` and the like are given. */
export type Expression =
  | { kind: "ref"; of: Ref }
  | { kind: "coroutine"; name: number; body: Statement[] }
  | { kind: "gather"; of: Expression[]; returnExceptions: boolean }
  | { kind: "shield"; of: Expression }
  | { kind: "waitFor"; of: Expression; timeout: number | null }
  | { kind: "timeout"; id: number; delay: number | null; body: Statement[] }
  | { kind: "group"; id: number; body: Statement[] };

/** What a program did: `time task event`, one line each. */
export type Trace = string[];
