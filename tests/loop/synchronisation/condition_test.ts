// The row L04: Condition.
import { assertEquals, assertThrows } from "@std/assert";
import {
  CancelledError,
  Condition,
  type Coroutine,
  createTask,
  gather,
  InvalidStateError,
  Lock,
  sleep,
} from "../../../loop/mod.ts";
import { brief, rejectionOf } from "../_outcome.ts";
import { runVirtual } from "../_test_loop.ts";

function* wait(condition: Condition, log: unknown[], name: unknown): Coroutine<void> {
  using _held = yield* condition.acquire();
  try {
    yield* condition.wait();
    log.push(name);
  } catch (error) {
    log.push(brief(error), condition.locked());
    throw error;
  }
}

async function waitAsync(condition: Condition, log: unknown[], name: unknown): Promise<void> {
  using _held = await condition.acquire();
  try {
    await condition.wait();
    log.push(name);
  } catch (error) {
    log.push(brief(error), condition.locked());
    throw error;
  }
}

for (const [kind, body] of [["coroutines", wait], ["async functions", waitAsync]] as const) {
  Deno.test(`L04 Condition.wait() of ${kind} takes the lock again before it throws a cancellation`, async () => {
    await runVirtual(async () => {
      const log: unknown[] = [];
      const condition = new Condition();
      const waiting = createTask(() => body(condition, log, 1));
      await sleep(0);
      const held = await condition.acquire();
      waiting.cancel("m");
      await sleep(5);
      assertEquals([waiting.done(), log], [false, []]);
      held[Symbol.dispose]();
      assertEquals(String(await rejectionOf(waiting)), "CancelledError: m");
      assertEquals([log, condition.locked()], [["cancelled", true], false]);
    });
  });

  Deno.test(`L04 Condition.wait() of ${kind}, cancelled after it was notified, notifies another`, async () => {
    await runVirtual(async () => {
      const log: unknown[] = [];
      const condition = new Condition();
      const [first, second] = [1, 2].map((name) => createTask(() => body(condition, log, name)));
      await sleep(0);
      {
        using _held = await condition.acquire();
        condition.notify();
        first?.cancel();
      }
      await rejectionOf(first as Promise<unknown>);
      await second;
      assertEquals(log, ["cancelled", true, 2]);
    });
  });

  Deno.test(`L04 Condition.wait() of ${kind}, cancelled twice, throws the newest once it has the lock`, async () => {
    await runVirtual(async () => {
      const condition = new Condition();
      const waiting = createTask(() => body(condition, [], 1));
      await sleep(0);
      const held = await condition.acquire();
      waiting.cancel("first");
      await sleep(1);
      waiting.cancel("second");
      await sleep(1);
      assertEquals(waiting.done(), false);
      held[Symbol.dispose]();
      assertEquals(String(await rejectionOf(waiting)), "CancelledError: second");
      assertEquals(condition.locked(), false);
    });
  });
}

Deno.test("L04 Condition.waitFor() gives what its predicate gives; notify() wakes so many", async () => {
  await runVirtual(function* () {
    const condition = new Condition();
    let state = 0;
    const log: unknown[] = [];
    const tasks = [0, 1, 2].map((name) =>
      createTask(function* () {
        using _held = yield* condition.acquire();
        log.push([name, yield* condition.waitFor(() => state)]);
      })
    );
    yield* sleep(0);
    {
      using _held = yield* condition.acquire();
      condition.notifyAll();
    }
    yield* sleep(1);
    assertEquals(log, []);
    {
      using _held = yield* condition.acquire();
      state = 7;
      condition.notify(2);
    }
    yield* sleep(1);
    assertEquals(tasks.map((task) => task.done()), [true, true, false]);
    {
      using _held = yield* condition.acquire();
      condition.notifyAll();
    }
    yield* gather(tasks);
    assertEquals(log, [[0, 7], [1, 7], [2, 7]]);
  });
});

Deno.test("L04 Condition.waitFor() does not wait when the predicate holds, nor needs the lock then", async () => {
  await runVirtual(async () => {
    assertEquals(await new Condition().waitFor(() => "held"), "held");
  });
});

Deno.test("L04 Condition refuses wait() and notify() without its lock", async () => {
  await runVirtual(() => {
    const condition = new Condition();
    const message = (act: () => unknown) => assertThrows(act, InvalidStateError).message;
    assertEquals(
      [() => condition.notify(), () => condition.notifyAll(), () => condition.wait()].map(message),
      [
        "Cannot notify a condition: its lock is not acquired",
        "Cannot notify a condition: its lock is not acquired",
        "Cannot wait on a condition: its lock is not acquired",
      ],
    );
  });
});

Deno.test("Condition over a lock that is given shares it", async () => {
  await runVirtual(async () => {
    const lock = new Lock();
    const [one, two] = [new Condition(lock), new Condition(lock)];
    using _held = await one.acquire();
    assertEquals([two.locked(), lock.locked()], [true, true]);
  });
});

Deno.test("Condition.wait() whose own future is cancelled takes the lock again first", async () => {
  await runVirtual(async () => {
    const condition = new Condition();
    const held = await condition.acquire();
    const waiting = condition.wait();
    assertEquals(condition.locked(), false);
    waiting.cancel();
    assertEquals(await rejectionOf(waiting) instanceof CancelledError, true);
    assertEquals(condition.locked(), true);
    held[Symbol.dispose]();
  });
});
