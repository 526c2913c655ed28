// The rows L01 and L02: Lock.
import { assertEquals, assertThrows } from "@std/assert";
import {
  type Coroutine,
  createTask,
  gather,
  InvalidStateError,
  Lock,
  sleep,
} from "../../../loop/mod.ts";
import { rejectionOf } from "../_outcome.ts";
import { countIterations, runVirtual } from "../_test_loop.ts";

/** Takes the lock, says so and gives it back. */
function* visit(lock: Lock, log: unknown[], name: unknown): Coroutine<void> {
  using _held = yield* lock.acquire();
  log.push(name);
  yield* sleep(0);
}

/** As {@linkcode visit}, as an async function. */
async function visitAsync(lock: Lock, log: unknown[], name: unknown): Promise<void> {
  using _held = await lock.acquire();
  log.push(name);
  await sleep(0);
}

for (const [kind, body] of [["coroutines", visit], ["async functions", visitAsync]] as const) {
  Deno.test(`L01 Lock lets ${kind} through in the order in which they came, and no barger`, async () => {
    await runVirtual(function* () {
      const log: unknown[] = [];
      const lock = new Lock();
      yield* lock.acquire();
      const tasks = [createTask(() => body(lock, log, 1)), createTask(() => body(lock, log, 2))];
      yield* sleep(0);
      lock.release();
      tasks.push(createTask(() => body(lock, log, "barger"), { eager: true }));
      yield* gather(tasks);
      assertEquals([log, lock.locked()], [[1, 2, "barger"], false]);
    });
  });

  Deno.test(`L01 Lock passes the turn of ${kind} on that are cancelled after the release`, async () => {
    await runVirtual(async () => {
      const log: unknown[] = [];
      const lock = new Lock();
      await lock.acquire();
      const first = createTask(() => body(lock, log, 1));
      const second = createTask(() => body(lock, log, 2));
      await sleep(0);
      lock.release();
      first.cancel();
      await rejectionOf(first);
      await second;
      assertEquals([log, lock.locked()], [[2], false]);
    });
  });
}

Deno.test("L02 Lock.locked() is false between the release and the wake-up", async () => {
  await runVirtual(async () => {
    const lock = new Lock();
    const held = await lock.acquire();
    const waiting = createTask(() => visit(lock, [], 1));
    await sleep(0);
    assertEquals(lock.locked(), true);
    held[Symbol.dispose]();
    assertEquals(lock.locked(), false);
    await waiting;
  });
});

Deno.test("Lock.acquire() of a free lock does not suspend, also when all waiters were cancelled", async () => {
  await runVirtual(function* (loop) {
    const lock = new Lock();
    assertEquals(yield* countIterations(loop, visitOnce(lock)), 0);
    yield* lock.acquire();
    const waiting = createTask(() => visit(lock, [], 1));
    yield* sleep(0);
    waiting.cancel();
    lock.release();
    assertEquals(yield* countIterations(loop, visitOnce(lock)), 0);
    yield* gather([waiting], { returnExceptions: true });
    assertEquals(lock.locked(), false);
  });
});

function* visitOnce(lock: Lock): Coroutine<void> {
  using _held = yield* lock.acquire();
}

Deno.test("Lock.release() of a lock that nobody holds is refused", () => {
  assertThrows(
    () => new Lock().release(),
    InvalidStateError,
    "Cannot release a lock: it is not acquired",
  );
});

Deno.test("Lock.acquire() gives what releases the lock, once", async () => {
  await runVirtual(async () => {
    const lock = new Lock();
    const first = await lock.acquire();
    first[Symbol.dispose]();
    await lock.acquire();
    first[Symbol.dispose]();
    assertEquals(lock.locked(), true);
  });
});
