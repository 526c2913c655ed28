// Where a cancellation meets each kind of wait on the loop alone: what CPython 3.13 does, as
// cancellation_table.py has recorded it, with coroutines and with async functions.
import {
  Condition,
  Event,
  type EventLoop,
  gather,
  Lock,
  Queue,
  Semaphore,
  shield,
  sleep,
  taskGroup,
  timeout,
  timeoutAt,
  wait,
  waitFor,
} from "../../loop/mod.ts";
import { bodyOf, type Row, runCell, testTable } from "./_cancellation_table.ts";
import type { Kind } from "./_outcome.ts";
import { runVirtual } from "./_test_loop.ts";

function rows(loop: EventLoop, kind: Kind): Record<string, () => Row> {
  const future = loop.createFuture<unknown>();
  const resolve = () => void (future.done() || future.setResult("value"));
  const inFuture = bodyOf(kind, function* () {
    return yield* future;
  }, async () => await future);
  const locked = (thing: Lock | Semaphore) => {
    void thing.acquire();
    const body = bodyOf(kind, function* () {
      yield* thing.acquire();
      thing.release();
      return null;
    }, async () => {
      await thing.acquire();
      thing.release();
      return null;
    });
    return { wait: body, trigger: () => thing.release() };
  };
  const queue = new Queue<string>();
  const full = new Queue<number>({ maxSize: 1 });
  const event = new Event();
  const condition = new Condition();
  return {
    "future": () => ({ wait: inFuture, trigger: resolve }),
    "timeout": () => ({ wait: () => timeout(3, inFuture), trigger: resolve }),
    "timeoutAt": () => ({ wait: () => timeoutAt(3, inFuture), trigger: resolve }),
    "waitFor": () => ({ wait: () => waitFor(future, 3), trigger: resolve }),
    "taskGroup": () => ({
      wait: bodyOf(kind, function* () {
        yield* taskGroup((group) => void group.createTask(inFuture));
        return null;
      }, async () => {
        await taskGroup((group) => void group.createTask(inFuture));
        return null;
      }),
      trigger: resolve,
    }),
    "taskGroup body": () => ({
      wait: () =>
        taskGroup((group) => {
          group.createTask(() => sleep(0));
          return inFuture();
        }),
      trigger: resolve,
    }),
    "gather": () => ({ wait: () => gather([future, () => sleep(1.5, "slept")]), trigger: resolve }),
    "gather returnExceptions": () => ({
      wait: bodyOf(kind, function* () {
        return (yield* gather([future, inFuture], { returnExceptions: true })).length;
      }, async () => (await gather([future, inFuture], { returnExceptions: true })).length),
      trigger: resolve,
    }),
    "shield": () => ({ wait: () => shield(future), trigger: resolve }),
    "wait": () => ({
      wait: bodyOf(kind, function* () {
        const { done, pending } = yield* wait([future]);
        return [done.size, pending.size];
      }, async () => {
        const { done, pending } = await wait([future]);
        return [done.size, pending.size];
      }),
      trigger: resolve,
    }),
    "lock": () => locked(new Lock()),
    "semaphore": () => locked(new Semaphore(1)),
    "condition": () => ({
      wait: bodyOf(kind, function* () {
        yield* condition.acquire();
        try {
          yield* condition.wait();
        } finally {
          condition.release();
        }
        return condition.locked();
      }, async () => {
        {
          using _held = await condition.acquire();
          await condition.wait();
        }
        return condition.locked();
      }),
      trigger: () =>
        void loop.createTask(function* () {
          yield* condition.acquire();
          condition.notify();
          condition.release();
        }),
    }),
    "queue get": () => ({ wait: () => queue.get(), trigger: () => queue.putNowait("item") }),
    "queue put": () => {
      full.putNowait(0);
      const put = bodyOf(kind, function* () {
        yield* full.put(1);
        return null;
      }, async () => {
        await full.put(1);
        return null;
      });
      return { wait: put, trigger: () => void full.getNowait() };
    },
    "event": () => ({ wait: () => event.wait(), trigger: () => event.set() }),
    "sleep": () => ({ wait: () => sleep(2, "slept"), trigger: () => {} }),
  };
}

testTable(
  "loop",
  (name, moment, kind) =>
    runVirtual((loop) => runCell(loop, (rows(loop, kind)[name] as () => Row)(), moment, kind)),
);
