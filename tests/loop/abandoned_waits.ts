/**
 * Ways to wait for a pending future and to give up, and what each leaves in memory.
 *
 * @module
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import {
  type Coroutine,
  createTask,
  type EventLoop,
  type Future,
  gather,
  shield,
  sleep,
  timeout,
  wait,
  waitFor,
} from "../../loop/mod.ts";
import { rejectionOf } from "./_outcome.ts";
import { TestLoop } from "./_test_loop.ts";

/** Waits for `pending`, and ends before that is done. */
export type AbandonedWait = (pending: Future<void>, loop: EventLoop) => Coroutine<void>;

/** Each ends its wait on `pending` before that is done. */
export const ABANDONED_WAITS: Readonly<Record<string, AbandonedWait>> = {
  *"a cancelled shield()"(pending) {
    shield(pending).cancel();
    yield* sleep(0);
  },
  *"a cancelled task at a shield() in a coroutine"(pending) {
    yield* cancelled(function* () {
      yield* shield(pending);
    });
  },
  *"a cancelled task at a shield() in an async function"(pending) {
    yield* cancelled(async () => await shield(pending));
  },
  *"a wait() whose time is up"(pending) {
    yield* wait([pending], { timeout: 0 });
  },
  *"a cancelled wait()"(pending) {
    yield* cancelled(function* () {
      yield* wait([pending]);
    });
  },
  *"a wait() for the first of two"(pending, loop) {
    const done = loop.createFuture<void>();
    done.setResult();
    yield* wait([pending, done], { returnWhen: "firstCompleted" });
  },
  *"a waitFor() of a shield() whose time is up"(pending) {
    yield* rejected(waitFor(shield(pending), 0.001));
  },
  *"a timeout() around an await of a shield() in an async function"(pending) {
    yield* createTask(async () =>
      void await rejectionOf(timeout(0.001, async () => await shield(pending)))
    );
  },
  *"a cancelled gather() of a shield()"(pending) {
    const gathering = gather([shield(pending)]);
    gathering.cancel();
    yield* rejected(gathering);
  },
  *"a done callback that is removed"(pending) {
    const callback = () => {};
    pending.addDoneCallback(callback);
    pending.removeDoneCallback(callback);
    yield* sleep(0);
  },
};

/** What a number of waits left behind. */
export interface Remains {
  /** Bytes of the heap. */
  bytes: number;
  /** Pending timers. */
  timers: number;
}

/** Waits `count` times in virtual time, and measures what is left of that. */
export async function measureRemains(way: AbandonedWait, count: number): Promise<Remains> {
  const loop = new TestLoop();
  const remains = await loop.runUntilComplete(measureSteps(way, count, loop));
  loop.close();
  return remains;
}

function* measureSteps(way: AbandonedWait, count: number, loop: EventLoop): Coroutine<Remains> {
  const pending = loop.createFuture<void>();
  // What is allocated once, by the program or by the compiler, does not count.
  for (let left = 2_000; left > 0; left -= 1) yield* way(pending, loop);
  const before = yield* usedMemory();
  for (let left = count; left > 0; left -= 1) yield* way(pending, loop);
  const bytes = (yield* usedMemory()) - before;
  pending.setResult();
  return { bytes, timers: loop.statistics().timers };
}

let collectGarbage: (() => void) | null = null;

/** Bytes of the heap that are reachable. */
function* usedMemory(): Coroutine<number> {
  // What an await of the engine still holds, it drops in its own time.
  yield* sleep(1);
  if (collectGarbage === null) {
    setFlagsFromString("--expose-gc");
    collectGarbage = runInNewContext("gc") as () => void;
  }
  collectGarbage();
  return Deno.memoryUsage().heapUsed;
}

/** Runs `body` in a task up to where it waits, and cancels it. */
function* cancelled(body: () => Coroutine<void> | Promise<void>): Coroutine<void> {
  const task = createTask(body);
  yield* sleep(0);
  task.cancel();
  yield* rejected(task);
}

function* rejected(future: Future<unknown>): Coroutine<void> {
  try {
    yield* future;
  } catch {
    return;
  }
  throw new Error("Expected an error, got none");
}
