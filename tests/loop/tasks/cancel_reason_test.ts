// cancel(message, { cause }): both arrive, through whatever waits.
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  gather,
  getRunningLoop,
  Lock,
  Queue,
  shield,
  sleep,
  type Task,
  taskGroup,
  timeout,
  waitFor,
} from "../../../loop/mod.ts";
import { startOperation } from "../../../loop/tasks/start_operation.ts";
import { KINDS } from "../_outcome.ts";
import { runVirtual } from "../_test_loop.ts";

/** What a task waits through when it is cancelled. */
const HOSTS: Readonly<Record<string, () => PromiseLike<unknown>>> = {
  "sleep()": () => sleep(9),
  "a bare future": () => getRunningLoop().createFuture(),
  "a task": () => createTask(() => sleep(9)),
  "an operation": () =>
    startOperation(
      getRunningLoop(),
      function* (): Coroutine<void> {
        yield* sleep(9);
      }(),
    ),
  "lock.acquire()": () => {
    const lock = new Lock();
    void lock.acquire();
    return lock.acquire();
  },
  "queue.get()": () => new Queue().get(),
  "timeout() of a coroutine": () =>
    timeout(9, function* (): Coroutine<void> {
      yield* sleep(9);
    }),
  "timeout() of an async function": () => timeout(9, async () => await sleep(9)),
  "waitFor()": () => waitFor(sleep(9), 8),
  "waitFor() of a function": () => waitFor(async () => await sleep(9), 8),
  "taskGroup() in its body": () => taskGroup(async () => await sleep(9)),
  "taskGroup() of a coroutine": () =>
    taskGroup(function* (): Coroutine<void> {
      yield* sleep(9);
    }),
  "taskGroup() waiting for a child": () =>
    taskGroup((group) => void group.createTask(() => sleep(9))),
  "gather()": () => gather([sleep(9), createTask(() => sleep(8))]),
  "gather() with returnExceptions": () => gather([() => sleep(9)], { returnExceptions: true }),
  "shield()": () => shield(sleep(2)),
};

function* errorOf(task: Task<unknown>): Coroutine<unknown> {
  try {
    yield* task;
  } catch (error) {
    return error;
  }
  return null;
}

for (const kind of KINDS) {
  for (const [name, wait] of Object.entries(HOSTS)) {
    const start = (options: { signal?: AbortSignal } = {}): Task<unknown> =>
      kind === "async function"
        ? createTask<unknown>(async () => await wait(), options)
        : createTask<unknown>(function* () {
          return yield* wait() as unknown as Coroutine<unknown>;
        }, options);

    Deno.test(`cancel() of a task (${kind}) in ${name} gives its message and its cause`, async () => {
      await runVirtual(function* () {
        const cause = new Error("the user left");
        for (const begin of [0, 1]) {
          const task = start();
          if (begin > 0) yield* sleep(1);
          assertEquals(task.cancel("stop", { cause }), true);
          const error = yield* errorOf(task);
          assertInstanceOf(error, CancelledError);
          assertEquals([error.message, error.cause === cause], ["stop", true]);
          // Who asks later gets no message, as in asyncio, but the cause.
          const later = assertThrows(() => task.result(), CancelledError);
          assertEquals([later.message, later.cause === cause], ["", true]);
        }
      });
    });

    Deno.test(`An AbortSignal of a task (${kind}) in ${name} gives its reason as the cause`, async () => {
      await runVirtual(function* () {
        for (const reason of [new Error("stop"), "text", undefined]) {
          const controller = new AbortController();
          const task = start({ signal: controller.signal });
          yield* sleep(1);
          controller.abort(reason);
          const error = yield* errorOf(task);
          assertInstanceOf(error, CancelledError);
          assertEquals(error.cause === controller.signal.reason, true);
        }
      });
    });
  }

  Deno.test(`The cause comes through where a deadline passes at the same instant (${kind})`, async () => {
    await runVirtual(function* () {
      const limited = () => timeout(1, () => sleep(9));
      const task = kind === "coroutine"
        ? createTask(function* () {
          yield* limited();
        })
        : createTask(async () => await limited());
      yield* sleep(0.5);
      getRunningLoop().callLater(0.5, () => task.cancel("mine", { cause: "cause" }));
      const error = yield* errorOf(task);
      assertInstanceOf(error, CancelledError);
      assertEquals(error.cause, "cause");
    });
  });

  Deno.test(`The cause comes at the next await where a group has ended with errors (${kind})`, async () => {
    await runVirtual(function* () {
      const causes: unknown[] = [];
      const failing = () =>
        taskGroup((group) =>
          void group.createTask(function* () {
            try {
              yield* sleep(9);
            } finally {
              // deno-lint-ignore no-unsafe-finally -- the error comes in place of the cancellation
              throw new Error("planted");
            }
          })
        );
      const task = kind === "coroutine"
        ? createTask(function* () {
          try {
            yield* failing();
          } catch (error) {
            assertInstanceOf(error, AggregateError);
          }
          try {
            yield* sleep(1);
          } catch (error) {
            causes.push((error as Error).cause);
          }
        })
        : createTask(async () => {
          try {
            await failing();
          } catch (error) {
            assertInstanceOf(error, AggregateError);
          }
          try {
            await sleep(1);
          } catch (error) {
            causes.push((error as Error).cause);
          }
        });
      yield* sleep(1);
      task.cancel("stop", { cause: "cause" });
      assertEquals([yield* errorOf(task), causes], [null, ["cause"]]);
    });
  });
}

Deno.test("cancel() of a future gives the cause to each who waits, and without one there is none", async () => {
  await runVirtual(async (loop) => {
    for (const cause of ["cause", undefined]) {
      const future = loop.createFuture<void>();
      future.cancel("stop", { cause });
      for (let reader = 0; reader < 2; reader += 1) {
        const error = await future.catch((thrown) => thrown as Error) as Error;
        assertEquals([error.message, error.cause], ["stop", cause]);
        assertEquals(Object.hasOwn(error, "cause"), cause !== undefined);
      }
    }
    assertThrows(
      () => loop.createFuture().cancel("stop", { reason: 1 } as never),
      TypeError,
      'unknown option "reason"',
    );
  });
});

/** What nobody should throw or hand in, but can. */
const ODD: Readonly<Record<string, () => unknown>> = {
  "an object without a prototype": () => Object.create(null),
  "an object whose toString() throws": () => ({
    toString() {
      throw new Error("no text");
    },
  }),
  "a proxy that throws": () =>
    new Proxy({}, {
      get() {
        throw new Error("no member");
      },
    }),
  "a symbol": () => Symbol("message"),
  "a number": () => 5,
};

for (const kind of KINDS) {
  for (const [name, create] of Object.entries(ODD)) {
    Deno.test(`cancel() of a task (${kind}) with ${name} for a message throws some text in it`, async () => {
      await runVirtual(function* () {
        for (const wait of Object.values(HOSTS)) {
          const task = kind === "async function"
            ? createTask(async () => await wait())
            : createTask(function* () {
              return yield* wait() as unknown as Coroutine<unknown>;
            });
          yield* sleep(0);
          task.cancel(create() as string);
          const error = yield* errorOf(task);
          assertInstanceOf(error, CancelledError);
          assertEquals(typeof error.message, "string");
        }
      });
    });
  }

  Deno.test(`A CancelledError of somebody else, which takes no cause, ends a task (${kind}) cancelled`, async () => {
    const odd = [
      Object.freeze(new CancelledError("theirs")),
      Object.defineProperty(new CancelledError("theirs"), "cause", {
        get() {
          throw new Error("no cause");
        },
      }),
    ];
    await runVirtual(function* () {
      for (const theirs of odd) {
        const future = getRunningLoop().createFuture();
        const task = kind === "async function"
          ? createTask(async () => await future)
          : createTask(function* () {
            return yield* future;
          });
        yield* sleep(0);
        future.setException(theirs);
        task.cancel("ours", { cause: new Error("why") });
        const error = yield* errorOf(task);
        assertEquals(error, theirs);
        assertEquals(task.cancelled(), true);
        yield* errorOf(task);
      }
    });
  });
}
