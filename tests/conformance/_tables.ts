import type { Action, Guard, WaitingStatement } from "./program.ts";

/** The name of a statement that does not wait. */
export type ActionName = Action["op"];
/** The name of a statement that may wait. */
export type WaitingName = WaitingStatement["op"];
/** The name of any statement. */
export type Name = ActionName | WaitingName;
/** How often each statement comes. */
export type Weights = Partial<Record<Name, number>>;

/** How often each statement comes, before the theme. */
export const COMMON: Weights = {
  log: 1,
  set: 0.3,
  cancel: 2.5,
  cancelSelf: 0.4,
  uncancel: 0.6,
  look: 0.7,
  spawn: 2,
  setResult: 0.6,
  setException: 0.4,
  addCallback: 0.7,
  removeCallback: 0.2,
  callSoon: 0.5,
  callLater: 0.7,
  cancelHandle: 0.4,
  sleep: 4,
  await: 2,
  return: 0.25,
  raiseError: 0.5,
  raiseCancelled: 0.12,
  repeat: 0.4,
  try: 2.5,
};

/** What comes more often, by theme. Every theme but `mixed` stays with few kinds of statement. */
export const THEMES: Record<string, Weights> = {
  plain: { spawn: 2, cancel: 2, uncancel: 1, await: 2 },
  timers: { callSoon: 3, callLater: 4, cancelHandle: 2, addCallback: 2, removeCallback: 1, set: 1 },
  timeout: { timeout: 6, timeoutAt: 1.5, waitFor: 4, reschedule: 2, uncancel: 1.5 },
  group: { group: 6, groupSpawn: 6, raiseError: 1.5, timeout: 1.5, uncancel: 1, waitFor: 1 },
  gather: { gather: 6, shield: 2, await: 2, raiseError: 1 },
  wait: { wait: 5, asCompleted: 3, shield: 2, waitFor: 1 },
  lock: { acquire: 3, with: 6, release: 3, locked: 1, timeout: 0.7, waitFor: 1 },
  condition: {
    with: 7,
    waitCondition: 6,
    waitPredicate: 3,
    notify: 5,
    assign: 2,
    acquire: 1,
    release: 1,
    timeout: 0.7,
  },
  semaphore: { acquire: 6, with: 3, release: 7, locked: 1, timeout: 0.7 },
  event: { waitEvent: 6, setEvent: 4, clearEvent: 3, timeout: 0.7 },
  barrier: { waitBarrier: 8, resetBarrier: 1, abortBarrier: 0.4, barrierState: 1 },
  queue: {
    put: 6,
    get: 6,
    putNowait: 2,
    getNowait: 1.5,
    taskDone: 2,
    join: 1.5,
    shutdown: 0.5,
    size: 1,
    timeout: 0.7,
  },
};

/** Which guards the statements `acquire`, `with`, `release` and `locked` take, by theme. */
export const GUARDS: Record<string, readonly Guard["kind"][]> = {
  lock: ["lock"],
  condition: ["condition", "condition", "condition", "lock"],
  semaphore: ["semaphore", "semaphore", "bounded"],
};

/** What callbacks and timers do. */
export const IN_CALLBACKS: Weights = {
  log: 1,
  set: 0.4,
  raise: 0.5,
  cancel: 4,
  uncancel: 0.5,
  look: 0.7,
  spawn: 0.7,
  setResult: 1.5,
  setException: 0.7,
  addCallback: 0.7,
  removeCallback: 0.3,
  callSoon: 0.4,
  callLater: 0.4,
  cancelHandle: 0.4,
};

/** What callbacks do of a theme. */
export const THEME_IN_CALLBACKS: ReadonlySet<string> = new Set([
  "groupSpawn",
  "reschedule",
  "release",
  "locked",
  "notify",
  "setEvent",
  "clearEvent",
  "putNowait",
  "getNowait",
  "taskDone",
  "shutdown",
  "size",
  "assign",
]);

/** Statements that nest others. They are left out where the nesting is deep. */
export const NESTING: readonly Name[] = [
  "spawn",
  "groupSpawn",
  "repeat",
  "try",
  "timeout",
  "timeoutAt",
  "group",
  "with",
];

/** What tasks may stand in line for. */
export type Line =
  | "lock"
  | "semaphore"
  | "get"
  | "put"
  | "condition"
  | "event"
  | "barrier"
  | "gather"
  | "group";

/** What tasks stand in line for; what needs many tries to go wrong comes more often. */
export const LINES: readonly Line[] = [
  "lock",
  "semaphore",
  "get",
  "put",
  "condition",
  "event",
  "barrier",
  "gather",
  "group",
  "group",
];

/** Seconds: few values, so that much happens at the same time. */
export const MOMENTS: readonly number[] = [0, 0, 0, 1, 1, 1, 2, 2, 3, 0.5, 1.5, 5];
/** For programs in which nearly all happens in the first instant. */
export const EARLY_MOMENTS: readonly number[] = [0, 0, 0, 0, 0, 0, 1, 1];
/** How deep statements nest. */
export const MAX_DEPTH = 4;
