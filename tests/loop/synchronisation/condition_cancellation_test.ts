// Conditions, events and barriers under a cancellation at every point.
import { assert, assertEquals } from "@std/assert";
import {
  Barrier,
  Condition,
  type Coroutine,
  createTask,
  Event,
  sleep,
  type Task,
} from "../../../loop/mod.ts";
import { type Scenario, settle, testEveryPoint } from "../_cancellation_points.ts";

/** What the tasks at a condition share. */
interface Tokens {
  /** Made and not used yet. */
  free: number;
  used: number;
}

function* useToken(condition: Condition, tokens: Tokens): Coroutine<void> {
  using _held = yield* condition.acquire();
  while (tokens.free === 0) {
    yield* condition.wait();
    assert(condition.locked());
  }
  tokens.free -= 1;
  tokens.used += 1;
}

async function useTokenAsync(condition: Condition, tokens: Tokens): Promise<void> {
  using _held = await condition.acquire();
  while (tokens.free === 0) {
    await condition.wait();
    assert(condition.locked());
  }
  tokens.free -= 1;
  tokens.used += 1;
}

function* makeTokens(condition: Condition, tokens: Tokens, count: number): Coroutine<void> {
  for (; count > 0; count -= 1) {
    using _held = yield* condition.acquire();
    tokens.free += 1;
    condition.notify();
    yield* sleep(0);
  }
}

/** Three that wait for a token each, and one that makes two. */
const tokenUsers: Scenario = {
  name: "Condition loses no notification",
  victims: 3,
  start(kind) {
    const condition = new Condition();
    const tokens = { free: 0, used: 0 };
    const body = kind === "coroutine" ? useToken : useTokenAsync;
    const users = Array.from({ length: 3 }, () => createTask(() => body(condition, tokens)));
    const maker = createTask(makeTokens(condition, tokens, 2));
    return {
      tasks: [...users, maker],
      *check() {
        const waiting = users.filter((task) => !task.done()).length;
        assert(waiting === 0 || tokens.free === 0, "a token is free, and who waits was not woken");
        assertEquals(tokens.free + tokens.used, 2);
        assertEquals(condition.locked(), false);
        yield* makeTokens(condition, tokens, waiting);
        yield* settle();
      },
    };
  },
};

/** Three that wait for an event, which is set and cleared at once. */
const eventWaiters: Scenario = {
  name: "Event wakes all who wait",
  victims: 3,
  start(kind) {
    const event = new Event();
    const tasks = Array.from({ length: 3 }, () =>
      createTask(
        kind === "coroutine"
          ? function* () {
            yield* event.wait();
          }
          : async () => void await event.wait(),
      ));
    const setter = createTask(function* () {
      for (let count = 0; count < 4; count += 1) yield* sleep(0);
      event.set();
      event.clear();
    });
    return { tasks: [...tasks, setter], *check() {} };
  },
};

/** Six that come to a barrier of two; who is left over is let go by a newcomer. */
const barrierParties: Scenario = {
  name: "Barrier lets every pair through",
  victims: 3,
  start(kind) {
    const barrier = new Barrier(2);
    const tasks = Array.from({ length: 5 }, () =>
      createTask(
        kind === "coroutine"
          ? function* () {
            return yield* barrier.wait();
          }
          : async () => await barrier.wait(),
      ));
    return {
      tasks,
      *check() {
        const waiting = tasks.filter((task) => !task.done()).length;
        assertEquals(waiting, barrier.waiting);
        assert(waiting < 2, "a pair waits");
        if (waiting === 1) yield* barrier.wait();
        yield* settle();
        assertEquals([barrier.waiting, barrier.broken], [0, false]);
      },
    };
  },
};

/** Four at a barrier of four that is reset meanwhile. */
const barrierReset: Scenario = {
  name: "Barrier.reset() lets nobody hang",
  victims: 3,
  start(kind) {
    const barrier = new Barrier(4);
    const tasks: Task<unknown>[] = Array.from({ length: 3 }, () =>
      createTask(
        kind === "coroutine"
          ? function* () {
            return yield* barrier.wait();
          }
          : async () => await barrier.wait(),
      ));
    tasks.push(createTask(function* () {
      for (let count = 0; count < 4; count += 1) yield* sleep(0);
      yield* barrier.reset();
    }));
    return {
      tasks,
      *check() {
        assertEquals([barrier.waiting, barrier.broken], [0, false]);
        const again = Array.from({ length: 4 }, () => createTask(() => barrier.wait()));
        for (const task of again) yield* task;
      },
    };
  },
};

testEveryPoint(tokenUsers);
testEveryPoint(eventWaiters);
testEveryPoint(barrierParties);
testEveryPoint(barrierReset);
