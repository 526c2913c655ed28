/**
 * Who is running: the one slot of global state in the package.
 *
 * *Theory of operation.* Two carriers tell which loop, task and context current code belongs
 * to. While the loop runs a handle or a step of a coroutine, the `current` slot says so; it is
 * empty whenever the loop is not on the stack. An async function goes on in a microtask, where
 * the slot is empty; it finds its {@linkcode AsyncFrame} in an `AsyncLocalStorage`, which the engine
 * carries over each `await`. The slot is asked first: reading it costs nothing.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { CancelScope } from "../tasks/_cancel_scope.ts";
import type { CoroutineHost } from "../tasks/_consumer.ts";
import {
  createEngineContexts,
  type EngineContexts,
  findContextSwitch,
} from "./_deno_engine_context.ts";
import type { Context, ContextValues } from "./context.ts";
import { InvalidStateError } from "../errors/errors.ts";
import type { EventLoop } from "../event_loop.ts";
import type { Task } from "../tasks/task.ts";

/** What an async function carries across its awaits. */
export interface AsyncFrame {
  /** The loop of the task. */
  readonly loop: EventLoop | null;
  /** The task that the function is part of. */
  readonly task: Task<unknown> | null;
  /** What a cancellation of the function goes through. */
  readonly scope: CancelScope | null;
  /** The values of context variables. */
  readonly context: Context;
}

/** Carries the frame; {@linkcode currentFrame} reads it. */
export const asyncFrames: AsyncLocalStorage<AsyncFrame | undefined> = new AsyncLocalStorage();

/**
 * The contexts of foreign code: each callback, task and operation keeps that of who created it, as
 * asyncio keeps context variables.
 */
const contexts: EngineContexts<AsyncFrame> = createEngineContexts(asyncFrames, findContextSwitch());
/** Returns the frame of the current async function; `undefined` outside of any. */
export const currentFrame: EngineContexts<AsyncFrame>["frame"] = contexts.frame;
/** See {@linkcode EngineContexts.capturedFrame}. */
export const capturedFrame: EngineContexts<AsyncFrame>["capturedFrame"] = contexts.capturedFrame;
/** See {@linkcode EngineContexts.capture}. */
export const captureEngineContext: EngineContexts<AsyncFrame>["capture"] = contexts.capture;
/** See {@linkcode EngineContexts.runIn}. */
export const runInEngineContext: EngineContexts<AsyncFrame>["runIn"] = contexts.runIn;
/** See {@linkcode EngineContexts.isIn}. */
export const isInEngineContext: EngineContexts<AsyncFrame>["isIn"] = contexts.isIn;

/** What the loop is running right now. */
export const current: {
  /** The loop whose handle runs. */
  loop: EventLoop | null;
  /** The task whose step runs. */
  task: Task<unknown> | null;
  /** The context that the step runs in, or that the callback has asked for. */
  context: Context | null;
  /** The operation whose step runs, as a part of `task`. */
  operation: CoroutineHost | null;
  /** What a callback saw when it was scheduled. It gets a context only if it asks for one. */
  values: ContextValues | null;
  /** Whether the handle resumed an async function, which goes on in a microtask. */
  resumedAsyncFunction: boolean;
  /** The future that a `yield*` of it has yielded, on its way to who drives the coroutine. */
  yielded: object | null;
} = {
  loop: null,
  task: null,
  context: null,
  operation: null,
  values: null,
  resumedAsyncFunction: false,
  yielded: null,
};

/** Returns the loop that current code runs on, or `null`. */
export function runningLoop(): EventLoop | null {
  return current.loop ?? currentFrame()?.loop ?? null;
}

/** Returns the loop that current code runs on, which `action` needs. */
export function requireLoop(action: string): EventLoop {
  const loop = runningLoop();
  if (loop === null) throw new InvalidStateError(`Cannot ${action}: no event loop is running here`);
  return loop;
}

/** Returns the task that current code is part of, or `null`. */
export function runningTask(): Task<unknown> | null {
  return current.loop === null ? currentFrame()?.task ?? null : current.task;
}

/**
 * Loads a module of the package with `load`, a dynamic import, outside of all contexts: Deno makes
 * that of the first import the one of events which have none, such as requests to `Deno.serve`.
 */
export function loadOutside<M>(load: () => Promise<M>): Promise<M> {
  return runInEngineContext(null, load);
}

/** Calls `work` as part of no task, whatever called. */
export function outsideOfTasks<R>(work: () => R): R {
  return runInEngineContext(captureEngineContext(), work);
}
