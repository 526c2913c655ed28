import { type AsyncLocalStorage, AsyncResource } from "node:async_hooks";

/**
 * What the engine carries over each `await` and foreign callback: the values of every
 * `AsyncLocalStorage`, of OpenTelemetry's spans, and our own frame.
 */
export type EngineContext = object;

/** How the package keeps what foreign code has put into the context of the engine. */
export interface EngineContexts<T> {
  /** Returns our own frame. */
  frame(): T | undefined;
  /** As {@linkcode frame}, right after {@linkcode capture}, where it costs nothing. */
  capturedFrame(): T | undefined;
  /** Returns the current context without our own frame; `null` if nothing foreign is in it. */
  capture(): EngineContext | null;
  /** Calls `work` in a captured context. */
  runIn<R>(context: EngineContext | null, work: () => R): R;
  /** Whether `context`, which was captured, is surely the current one. */
  isIn(context: EngineContext | null): boolean;
}

/** The two functions of V8 that {@linkcode AsyncLocalStorage} stands on. */
export interface ContextSwitch {
  /** Returns the current context: an object with a key for each storage, or `undefined`. */
  getAsyncContext(): object | undefined;
  /** Replaces it. */
  setAsyncContext(context: object | undefined): void;
}

/** Returns the functions of the engine, where Deno has them; it does not document them. */
export function findContextSwitch(): ContextSwitch | null {
  const { internal } = Deno as unknown as { internal?: symbol };
  const holder = internal === undefined ? undefined : Reflect.get(Deno, internal);
  const core = (holder as { core?: Partial<ContextSwitch> } | undefined)?.core;
  if (typeof core?.getAsyncContext !== "function") return null;
  return typeof core.setAsyncContext === "function" ? core as ContextSwitch : null;
}

/** Returns the way to keep contexts: by the functions of the engine, which cost little, or else Node's. */
export function createEngineContexts<T>(
  asyncFrames: AsyncLocalStorage<T | undefined>,
  engine: ContextSwitch | null,
): EngineContexts<T> {
  const key = engine === null ? null : keyOf(asyncFrames, engine);
  return engine === null || key === null ? byNode(asyncFrames) : byEngine(asyncFrames, engine, key);
}

/** Returns under which key `asyncFrames` is in a context; `null` if a context does not look as expected. */
function keyOf<T>(
  asyncFrames: AsyncLocalStorage<T | undefined>,
  engine: ContextSwitch,
): string | null {
  const { getAsyncContext, setAsyncContext } = engine;
  const outer = getAsyncContext();
  try {
    setAsyncContext(undefined);
    const keys = Object.keys(asyncFrames.run(undefined, getAsyncContext) ?? {});
    return keys.length === 1 && asyncFrames.getStore() === undefined ? keys[0] as string : null;
  } finally {
    setAsyncContext(outer);
  }
}

function byEngine<T>(
  asyncFrames: AsyncLocalStorage<T | undefined>,
  engine: ContextSwitch,
  key: string,
): EngineContexts<T> {
  const { getAsyncContext, setAsyncContext } = engine;
  /** The context that was looked at last, and what is in it: contexts are replaced, never changed. */
  let last: object | undefined;
  let lastFrame: T | undefined;
  let lastCaptured: EngineContext | null = null;
  /** What came of those that have something foreign. */
  const captured: WeakMap<object, EngineContext> = new WeakMap();

  function runIn<R>(context: EngineContext | null, work: () => R): R {
    const outer = getAsyncContext();
    setAsyncContext(context ?? undefined);
    try {
      return work();
    } finally {
      setAsyncContext(outer);
    }
  }

  /** Looks at `context`, which is the current one. */
  function lookAt(context: object | undefined): void {
    let clean: EngineContext | null = null;
    for (const each in context) {
      if (each === key) continue;
      clean = captured.get(context) ?? asyncFrames.run(undefined, getAsyncContext) as object;
      captured.set(context, clean);
      captured.set(clean, clean);
      break;
    }
    last = context;
    lastFrame = asyncFrames.getStore();
    lastCaptured = clean;
  }

  return {
    frame() {
      const context = getAsyncContext();
      if (context !== last) lookAt(context);
      return lastFrame;
    },
    capturedFrame: () => lastFrame,
    capture() {
      const context = getAsyncContext();
      if (context !== last) lookAt(context);
      return lastCaptured;
    },
    runIn,
    isIn: (context) => getAsyncContext() === (context ?? undefined),
  };
}

/** Node's own way: it cannot tell whether there is anything foreign, and costs microseconds. */
function byNode<T>(asyncFrames: AsyncLocalStorage<T | undefined>): EngineContexts<T> {
  return {
    frame: () => asyncFrames.getStore(),
    capturedFrame: () => asyncFrames.getStore(),
    capture: () => new AsyncResource("gyre"),
    runIn: (context, work) =>
      context === null
        ? asyncFrames.run(undefined, work)
        : (context as AsyncResource).runInAsyncScope(() => asyncFrames.run(undefined, work)),
    isIn: () => false,
  };
}
