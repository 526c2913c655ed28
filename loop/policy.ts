import { runningLoop } from "./scheduling/_current.ts";
import { describe } from "./values/_describe.ts";
import { DenoEventLoop } from "./deno_event_loop.ts";
import { isMainIsolate } from "./platform/deno_isolate.ts";
import { InvalidStateError } from "./errors/errors.ts";
import { EventLoop, runningEventLoop } from "./event_loop.ts";

/**
 * Decides which loop is the current one, and how loops are made. As `AbstractEventLoopPolicy`.
 *
 * @category Policies
 */
export interface EventLoopPolicy {
  /** Returns the loop of the current context; throws if there is none and none may be made. */
  getEventLoop(): EventLoop;
  /** Sets the loop of the current context; `null` for none. */
  setEventLoop(loop: EventLoop | null): void;
  /** Creates a loop, without setting it. */
  newEventLoop(): EventLoop;
}

/**
 * The policy that is used unless another is set: one loop for the isolate.
 *
 * In the main isolate, `getEventLoop()` creates it once when none was set. In a worker it
 * throws, as in a thread of asyncio's.
 *
 * @category Policies
 *
 * @example A policy that makes loops in debug mode
 * ```ts
 * import { assert } from "@std/assert";
 * import {
 *   DefaultEventLoopPolicy,
 *   DenoEventLoop,
 *   newEventLoop,
 *   setEventLoopPolicy,
 * } from "@gyre/asyncio";
 *
 * class DebugPolicy extends DefaultEventLoopPolicy {
 *   override newEventLoop() {
 *     return new DenoEventLoop({ debug: true });
 *   }
 * }
 * setEventLoopPolicy(new DebugPolicy());
 * const loop = newEventLoop();
 * assert(loop.getDebug());
 * loop.close();
 * setEventLoopPolicy(null);
 * ```
 */
export class DefaultEventLoopPolicy implements EventLoopPolicy {
  #loop: EventLoop | null = null;
  #wasSet = false;

  /**
   * Returns the loop that was set, or creates it once in the main isolate.
   *
   * @throws {InvalidStateError} In a worker if none was set, and after `setEventLoop(null)`.
   */
  getEventLoop(): EventLoop {
    if (this.#loop === null && !this.#wasSet && isMainIsolate()) {
      this.setEventLoop(checkLoop(this.newEventLoop(), "get the event loop"));
    }
    if (this.#loop === null) {
      throw new InvalidStateError("Cannot get the event loop: none is set in this isolate");
    }
    return this.#loop;
  }

  /** Sets the loop that {@linkcode getEventLoop} returns; `null` for none. */
  setEventLoop(loop: EventLoop | null): void {
    if (loop !== null && !(loop instanceof EventLoop)) {
      throw new TypeError(
        `Cannot set the event loop: expected an EventLoop or null, got ${describe(loop)}`,
      );
    }
    this.#wasSet = true;
    this.#loop = loop;
  }

  /** Creates a {@linkcode DenoEventLoop}. */
  newEventLoop(): DenoEventLoop {
    return new DenoEventLoop();
  }
}

/**
 * Creates a policy.
 *
 * @category Policies
 */
export type EventLoopPolicyFactory = () => EventLoopPolicy;

/** Policies by name. */
const registered: Map<string, EventLoopPolicyFactory> = new Map();
/** The policy in force; `null` until it is first asked for. */
let current: EventLoopPolicy | null = null;

registered.set("default", () => new DefaultEventLoopPolicy());

/**
 * Registers a policy under a name, for {@linkcode setEventLoopPolicy}.
 *
 * @param name The name; registering it again replaces the factory.
 * @param factory Creates the policy when it is set.
 * @throws {TypeError} If `name` is empty or `factory` is no function.
 * @category Policies
 */
export function registerEventLoopPolicy(name: string, factory: EventLoopPolicyFactory): void {
  if (typeof name !== "string" || name === "") {
    throw new TypeError(`Cannot register an event loop policy: its name is ${describe(name)}`);
  }
  if (typeof factory !== "function") {
    throw new TypeError(
      `Cannot register event loop policy "${name}": expected a function, got ${describe(factory)}`,
    );
  }
  registered.set(name, factory);
}

/**
 * Returns the names of the registered policies, in the order of registration.
 *
 * @category Policies
 */
export function eventLoopPolicyNames(): string[] {
  return [...registered.keys()];
}

/**
 * Returns the policy in force. As `asyncio.get_event_loop_policy()`.
 *
 * @category Policies
 */
export function getEventLoopPolicy(): EventLoopPolicy {
  return current ??= new DefaultEventLoopPolicy();
}

/**
 * Sets the policy. As `asyncio.set_event_loop_policy()`.
 *
 * @param policy A policy, the name of a registered one, or `null` for the default.
 * @throws {RangeError} If no policy is registered under the name.
 * @throws {TypeError} If it is none of them, or what is registered gives no policy; the one before
 * stays in force.
 * @category Policies
 */
export function setEventLoopPolicy(policy: EventLoopPolicy | string | null): void {
  if (policy === null) current = null;
  else if (typeof policy === "string") current = createPolicy(policy);
  else if (isPolicy(policy)) current = policy;
  else {
    throw new TypeError(
      `Cannot set the event loop policy: expected a policy, a name or null, got ${
        describe(policy)
      }`,
    );
  }
}

/**
 * Returns the loop that current code runs on. As `asyncio.get_running_loop()`.
 *
 * That is the loop whose callback or coroutine is running, or else the loop of the current
 * async-function task. It is a {@linkcode DenoEventLoop} unless you run a bare
 * {@linkcode EventLoop} of your own.
 *
 * @throws {InvalidStateError} If there is none.
 * @category Running
 */
export function getRunningLoop(): DenoEventLoop {
  return runningEventLoop() as DenoEventLoop;
}

/**
 * Returns the running loop, or else the loop of the policy. As `asyncio.get_event_loop()`; it
 * never returns `null`.
 *
 * @throws {InvalidStateError} If no loop is running, none is set and the policy makes none.
 * @throws {TypeError} If the policy gives no loop.
 * @category Running
 */
export function getEventLoop(): DenoEventLoop {
  const loop = runningLoop();
  if (loop !== null) return loop as DenoEventLoop;
  return checkLoop(getEventLoopPolicy().getEventLoop(), "get the event loop");
}

/**
 * Sets the loop of the policy; `null` for none. As `asyncio.set_event_loop()`.
 *
 * @category Running
 */
export function setEventLoop(loop: EventLoop | null): void {
  getEventLoopPolicy().setEventLoop(loop);
}

/**
 * Creates a loop as the policy does, without setting it. As `asyncio.new_event_loop()`.
 *
 * @throws {TypeError} If the policy gives no loop.
 * @category Running
 */
export function newEventLoop(): DenoEventLoop {
  return checkLoop(getEventLoopPolicy().newEventLoop(), "create an event loop");
}

function createPolicy(name: string): EventLoopPolicy {
  const factory = registered.get(name);
  if (factory === undefined) {
    throw new RangeError(
      `Cannot set event loop policy "${name}": only ${[...registered.keys()].join(", ")} exist`,
    );
  }
  const policy: unknown = factory();
  if (isPolicy(policy)) return policy;
  throw new TypeError(
    `Cannot set event loop policy "${name}": its factory gave ${describe(policy)}`,
  );
}

/** Returns what the policy gave, if it is a loop. */
function checkLoop(loop: unknown, action: string): DenoEventLoop {
  if (loop instanceof EventLoop) return loop as DenoEventLoop;
  throw new TypeError(`Cannot ${action}: the policy gave ${describe(loop)}`);
}

function isPolicy(value: unknown): value is EventLoopPolicy {
  const policy = value as EventLoopPolicy | undefined;
  return typeof policy?.getEventLoop === "function" && typeof policy.setEventLoop === "function" &&
    typeof policy.newEventLoop === "function";
}
