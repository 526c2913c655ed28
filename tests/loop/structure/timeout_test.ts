// The rows O01 to O05 of "Timeouts", for coroutines and for async functions.
import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import {
  CancelledError,
  createTask,
  currentTask,
  InvalidStateError,
  sleep,
  type Timeout,
  timeout,
  timeoutAt,
  TimeoutError,
} from "../../../loop/mod.ts";
import { brief, rejectionOf } from "../_outcome.ts";
import { caughtBy, runVirtual } from "../_test_loop.ts";

const cancelling = () => currentTask()?.cancelling();

/** Returns what `scope` says to a new deadline. */
function refusalOf(scope: Timeout): string {
  return assertThrows(() => scope.reschedule(1), InvalidStateError).message;
}

Deno.test("O01 timeout() of a coroutine throws CancelledError inside and TimeoutError outside", async () => {
  await runVirtual(function* (loop) {
    let inside: unknown;
    let scope: Timeout | undefined;
    const error = yield* caughtBy(timeout(1, function* (limit) {
      scope = limit;
      try {
        yield* sleep(10);
      } catch (error) {
        inside = error;
        assertEquals([limit.expired(), cancelling()], [true, 1]);
        throw error;
      }
    }));
    assertInstanceOf(inside, CancelledError);
    assertInstanceOf(error, TimeoutError);
    assertStrictEquals(error.cause, inside);
    assertEquals(error.message, "Cannot finish in time: the deadline has passed");
    assertEquals([scope?.expired(), cancelling(), loop.time()], [true, 0, 1]);
  });
});

Deno.test("O01 timeout() of an async function throws CancelledError inside and TimeoutError outside", async () => {
  await runVirtual(async (loop) => {
    let inside: unknown;
    let scope: Timeout | undefined;
    const error = await rejectionOf(timeout(1, async (limit) => {
      scope = limit;
      try {
        await sleep(10);
      } catch (error) {
        inside = error;
        assertEquals([limit.expired(), cancelling()], [true, 1]);
        throw error;
      }
    }));
    assertInstanceOf(inside, CancelledError);
    assertInstanceOf(error, TimeoutError);
    assertStrictEquals(error.cause, inside);
    assertEquals([scope?.expired(), cancelling(), loop.time()], [true, 0, 1]);
  });
});

for (const delay of [0, -1]) {
  Deno.test(`O02 timeout(${delay}) lets a coroutine pass that never waits, and ends one that does`, async () => {
    await runVirtual(function* (loop) {
      const scope = yield* timeout(delay, function* (scope) {
        return scope;
      });
      assertEquals(scope.expired(), false);
      for (const wait of [() => sleep(0), () => loop.createFuture<void>()]) {
        const error = yield* caughtBy(timeout(delay, function* () {
          yield* wait();
        }));
        assertInstanceOf(error, TimeoutError);
      }
      assertEquals([cancelling(), loop.time()], [0, 0]);
    });
  });

  Deno.test(`O02 timeout(${delay}) lets an async function pass that never waits, and ends one that does`, async () => {
    await runVirtual(async (loop) => {
      const scope = await timeout(delay, (scope) => Promise.resolve(scope));
      assertEquals(scope.expired(), false);
      for (const wait of [() => sleep(0), () => loop.createFuture<void>()]) {
        const error = await rejectionOf(timeout(delay, async () => {
          await wait();
        }));
        assertInstanceOf(error, TimeoutError);
      }
      assertEquals([cancelling(), loop.time()], [0, 0]);
    });
  });
}

Deno.test("O02 timeout() does not mind a body that overruns without waiting", async () => {
  await runVirtual(function* (loop) {
    const scope = yield* timeout(1, (scope) => {
      loop.clock.advance(5);
      return scope;
    });
    yield* sleep(0);
    assertEquals([scope.expired(), cancelling()], [false, 0]);
  });
});

Deno.test("O03 equal deadlines of nested timeouts: the inner gets the cancellation, the outer the TimeoutError", async () => {
  for (const [outerAt, innerAt] of [[2, 2], [5, 1]] as const) {
    const scopes: Timeout[] = [];
    const log: string[] = [];
    await runVirtual(function* () {
      const error = yield* caughtBy(timeoutAt(outerAt, function* (outer) {
        scopes.push(outer);
        try {
          yield* timeoutAt(innerAt, function* (inner) {
            scopes.push(inner);
            yield* sleep(10);
          });
        } catch (error) {
          log.push(`inner ${brief(error)}`);
          throw error;
        }
      }));
      log.push(`outer ${brief(error)}`, ...scopes.map((scope) => String(scope.expired())));
      assertEquals(cancelling(), 0);
    });
    assertEquals(
      log,
      outerAt === innerAt
        ? ["inner cancelled", "outer timeout", "true", "true"]
        : ["inner timeout", "outer timeout", "false", "true"],
    );
  }
});

Deno.test("O03 equal deadlines of nested timeouts of async functions end the same way", async () => {
  for (const [outerAt, innerAt] of [[2, 2], [5, 1]] as const) {
    const scopes: Timeout[] = [];
    const log: string[] = [];
    await runVirtual(async () => {
      const error = await rejectionOf(timeoutAt(outerAt, async (outer) => {
        scopes.push(outer);
        try {
          await timeoutAt(innerAt, async (inner) => {
            scopes.push(inner);
            await sleep(10);
          });
        } catch (error) {
          log.push(`inner ${brief(error)}`);
          throw error;
        }
      }));
      log.push(`outer ${brief(error)}`, ...scopes.map((scope) => String(scope.expired())));
      assertEquals(cancelling(), 0);
    });
    assertEquals(
      log,
      outerAt === innerAt
        ? ["inner cancelled", "outer timeout", "true", "true"]
        : ["inner timeout", "outer timeout", "false", "true"],
    );
  }
});

Deno.test("O04 a cancellation from outside at the deadline wins, and stays counted", async () => {
  for (const cancelFirst of [true, false]) {
    await runVirtual(function* (loop) {
      let scope: Timeout | undefined;
      const task = createTask(function* () {
        yield* timeout(1, function* (limit) {
          scope = limit;
          yield* sleep(10);
        });
      });
      if (cancelFirst) loop.callAt(1, () => task.cancel("outside"));
      yield* sleep(0);
      if (!cancelFirst) loop.callAt(1, () => task.cancel("outside"));

      const error = yield* caughtBy(task);

      assertInstanceOf(error, CancelledError);
      // As in CPython: the message is that of the first cancellation, whoever asked for it.
      assertEquals(error.message, cancelFirst ? "outside" : "");
      assertEquals([task.cancelling(), scope?.expired()], [1, true]);
    });
  }
});

Deno.test("O04 a cancellation from outside at the deadline of an async function wins, and stays counted", async () => {
  for (const cancelFirst of [true, false]) {
    await runVirtual(async (loop) => {
      let scope: Timeout | undefined;
      const task = createTask(() =>
        timeout(1, async (limit) => {
          scope = limit;
          await sleep(10);
        })
      );
      if (cancelFirst) loop.callAt(1, () => task.cancel("outside"));
      await sleep(0);
      if (!cancelFirst) loop.callAt(1, () => task.cancel("outside"));

      const error = await rejectionOf(task);

      assertInstanceOf(error, CancelledError);
      assertEquals([task.cancelling(), scope?.expired()], [1, true]);
    });
  }
});

Deno.test("O05 Timeout.reschedule() moves the deadline, also to none and to the past", async () => {
  await runVirtual(async (loop) => {
    await timeout(1, async (scope) => {
      assertEquals(scope.when(), 1);
      scope.reschedule(5);
      assertEquals(scope.when(), 5);
      await sleep(4);
      scope.reschedule(null);
      assertEquals(scope.when(), null);
      await sleep(100);
    });
    const error = await rejectionOf(timeout(null, async (scope) => {
      scope.reschedule(loop.time() - 1);
      await sleep(1);
    }));
    assertInstanceOf(error, TimeoutError);
    assertEquals(loop.time(), 104);
  });
});

Deno.test("O05 Timeout.reschedule() is refused once the deadline has passed or the body has ended", async () => {
  await runVirtual(function* () {
    const finished = yield* timeout(1, (scope) => scope);
    assertEquals(refusalOf(finished), "Cannot change the deadline of a timeout: it is finished");

    let expired: Timeout | undefined;
    yield* caughtBy(timeout(1, function* (scope) {
      expired = scope;
      try {
        yield* sleep(10);
      } finally {
        assertEquals(refusalOf(scope), "Cannot change the deadline of a timeout: it is expiring");
      }
    }));
    assertEquals(
      refusalOf(expired as Timeout),
      "Cannot change the deadline of a timeout: it is expired",
    );
  });
});

Deno.test("timeout() refuses a delay that is no number", async () => {
  await runVirtual(() => {
    assertThrows(() => timeout(NaN, () => {}), RangeError, "delay must be a number of seconds");
    for (const delay of ["1", undefined]) {
      assertThrows(
        () => timeout(delay as never, () => {}),
        TypeError,
        "delay must be a number of seconds",
      );
    }
    assertThrows(
      () => timeoutAt("1" as never, () => {}),
      TypeError,
      "when must be a number of seconds",
    );
  });
});

Deno.test("timeout() that nobody consumes never begins", async () => {
  await runVirtual(async () => {
    let begun = false;
    timeout(1, () => begun = true);
    await sleep(10);
    assertEquals(begun, false);
  });
});

Deno.test("timeout() leaves no timer behind when its body ends", async () => {
  await runVirtual(async (loop) => {
    await timeout(100, () => sleep(1));
    await timeout(100, async (scope) => {
      scope.reschedule(200);
      await sleep(1);
    });
    assertEquals(loop.statistics().timers, 0);
  });
});
