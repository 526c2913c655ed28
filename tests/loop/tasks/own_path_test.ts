// Where a cancellation of an async function arrives: once, at an await on the function's own path,
// whatever else in it has been interrupted.
import { setImmediate } from "node:timers";
import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  currentTask,
  gather,
  getRunningLoop,
  shield,
  sleep,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
  waitFor,
} from "../../../loop/mod.ts";
import { runVirtual } from "../_test_loop.ts";

/** A promise that nobody can interrupt: it ends once the clock has come to `at`. */
type Foreign = (at: number) => Promise<void>;

/** What leaves something of ours pending while the function goes on; gives what that ends with. */
const STRAYS: Readonly<Record<string, (foreign: Foreign) => unknown>> = {
  "the loser of Promise.race()": () => Promise.race([sleep(90), Promise.resolve()]),
  "a Promise.any() that a foreign promise wins": (foreign) =>
    Promise.any([sleep(90), sleeper(), foreign(4)]),
  "the loser of Promise.any()": () => Promise.any([sleep(90), Promise.resolve()]),
  "the rest of a failed Promise.all()": () =>
    Promise.all([sleep(90), Promise.reject(new Error("planted"))]).catch(() => {}),
  "a helper that is not awaited": () => void sleeper().catch(() => {}),
  "a helper with a cleanup of its own": () => void cleaner().catch(() => {}),
  "a helper in a race": () => Promise.race([sleeper(), Promise.resolve()]),
  "a timeout() in a race": () => Promise.race([timeout(95, sleeper), Promise.resolve()]),
  "a taskGroup() in a race": () => Promise.race([taskGroup(sleeper), Promise.resolve()]),
  "a waitFor() in a race": () => Promise.race([waitFor(sleeper, 95), Promise.resolve()]),
  "a task in a race": () => Promise.race([createTask(sleeper), Promise.resolve()]),
  "a gather() in a race": () => Promise.race([gather([sleep(90)]), Promise.resolve()]),
  "an async iterator that was left": () => void Promise.resolve(numbers().next()).catch(() => {}),
};

async function sleeper(): Promise<void> {
  await sleep(90);
}

async function cleaner(): Promise<void> {
  try {
    await sleep(90);
  } finally {
    await sleep(0);
    await sleep(0.1);
  }
}

async function* numbers(): AsyncGenerator<number> {
  await sleep(90);
  yield 1;
}

/** How a function can wait for what is cancelled. */
const OWN: Readonly<Record<string, (foreign: Foreign) => Promise<unknown>>> = {
  "an await": async () => await sleep(90),
  "three calls": async () => await (async () => await sleeper())(),
  "a returned promise": () => sleeper(),
  "Promise.all()": (foreign) => Promise.all([sleep(90), foreign(50)]),
  "Promise.all() of helpers": () => Promise.all([sleeper(), sleeper(), sleep(1)]),
  "Promise.race()": (foreign) => Promise.race([sleep(90), foreign(50)]),
  "Promise.any()": () => Promise.any([sleep(90), sleeper()]),
  "Promise.any() of Promise.any()": () =>
    Promise.any([sleep(90), Promise.any([sleeper(), Promise.any([sleep(90)])])]),
  "then() of a helper": () => sleeper().then(() => 1).finally(() => {}),
  "for await": async () => {
    for await (const _ of numbers());
  },
  "Array.fromAsync()": () => Array.fromAsync([sleep(90)]),
  "a helper that two wait for": async () => {
    const helper = sleeper();
    helper.catch(() => {});
    await helper;
  },
  "a new Promise()": () =>
    new Promise((resolve, reject) =>
      sleeper().then((value) => resolve(value), (error) => reject(error))
    ),
  "await using": async () => {
    await using _resource = { [Symbol.asyncDispose]: sleeper };
  },
  "timeout()": async () => await timeout(95, sleeper),
  "timeout() of a coroutine": async () =>
    await timeout(95, function* (): Coroutine<void> {
      yield* sleep(90);
    }),
  "taskGroup()": async () => await taskGroup(sleeper),
  "a task": async () => await createTask(sleeper),
  "gather()": async () => await gather([sleep(90), sleeper]),
  "shield()": async () => await shield(sleep(2)),
};

/**
 * Where a promise has callbacks of the user's, the path cannot be told, nor whether another promise
 * wins a `Promise.any()`.
 */
const UNTOLD = [
  "Array.fromAsync()",
  "a helper that two wait for",
  "a new Promise()",
  "Promise.any()",
  "Promise.any() of Promise.any()",
];

/** What cuts a body short, and the class of the error that its caller gets. */
const CUTS: Readonly<
  Record<string, [cut: (body: () => Promise<unknown>) => PromiseLike<unknown>, error: unknown]>
> = {
  "cancel()": [(body) => {
    const task = createTask(body);
    createTask(async () => {
      await sleep(1);
      task.cancel("cut");
    });
    return task;
  }, CancelledError],
  "timeout()": [(body) => timeout(1, body), TimeoutError],
  "waitFor()": [(body) => waitFor(body, 1), TimeoutError],
  "cancel() within timeout()": [(body) => {
    const task = createTask(() => timeout(80, body));
    createTask(async () => {
      await sleep(1);
      task.cancel("cut");
    });
    return task;
  }, CancelledError],
  "a sibling that fails": [(body) =>
    taskGroup(async (group) => {
      group.createTask(body);
      await sleep(1);
      throw new Error("planted");
    }), AggregateError],
};

async function errorOf(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  return "no error";
}

function run(main: (foreign: Foreign) => Promise<void>): Promise<void> {
  return runVirtual(async (loop) => {
    const foreign: Foreign = (at) =>
      new Promise((resolve) => loop.callAt(at, () => setImmediate(resolve)));
    await main(foreign);
  });
}

for (const [cutName, [cut, kind]] of Object.entries(CUTS)) {
  for (const [name, stray] of Object.entries(STRAYS)) {
    Deno.test(`${cutName} is thrown at the next await of a future, not taken by ${name}`, async () => {
      await run(async (foreign) => {
        const log: string[] = [];
        const error = await errorOf(cut(async () => {
          await stray(foreign);
          await foreign(5);
          log.push("at the await");
          try {
            await sleep(50);
            log.push("went on");
          } finally {
            await sleep(1);
            log.push("cleaned up");
          }
        }));
        assertInstanceOf(error, kind as typeof Error);
        assertEquals(log, ["at the await", "cleaned up"]);
      });
    });
  }

  for (const [name, wait] of Object.entries(OWN)) {
    const isTold = !UNTOLD.includes(name);
    for (const before of isTold ? ["", "a foreign promise and "] : [""]) {
      Deno.test(`${cutName} at ${name} is thrown once: the cleanup, of ${before}futures, is whole`, async () => {
        await run(async (foreign) => {
          const log: string[] = [];
          const error = await errorOf(cut(async () => {
            try {
              await wait(foreign);
            } finally {
              if (before !== "") await foreign(5);
              await sleep(1);
              await Promise.all([sleep(1), foreign(8)]);
              await sleep(0);
              log.push("cleaned up");
            }
          }));
          assertInstanceOf(error, kind as typeof Error);
          assertEquals(log, ["cleaned up"]);
        });
      });
    }
  }
}

for (const [name, stray] of Object.entries(STRAYS)) {
  Deno.test(`cancel() ends a function that came to no await since, not taken by ${name}`, async () => {
    await run(async (foreign) => {
      const task = createTask(async () => {
        await stray(foreign);
        await foreign(5);
        return "value";
      });
      await sleep(1);
      task.cancel("cut");
      const error = await errorOf(task);
      assertInstanceOf(error, CancelledError);
      assertEquals(error.message, "cut");
    });
  });
}

for (const [name, wait] of Object.entries(OWN)) {
  Deno.test(`cancel() at ${name} can be refused for good`, async () => {
    await run(async (foreign) => {
      const task = createTask(async () => {
        let caught = "nothing";
        try {
          await wait(foreign);
        } catch {
          caught = "a cancellation";
        }
        await sleep(1);
        await foreign(20);
        await sleep(1);
        return caught;
      });
      await sleep(1);
      task.cancel();
      assertEquals(await task, "a cancellation");
    });
  });
}

Deno.test("A second cancellation is thrown at a foreign promise's end in a cleanup", async () => {
  await run(async (foreign) => {
    const task = createTask(async () => {
      try {
        await sleep(90);
      } finally {
        await foreign(5);
        await sleep(50);
      }
    });
    await sleep(1);
    task.cancel("first");
    await sleep(1);
    task.cancel("second");
    assertEquals((await errorOf(task) as Error).message, "second");
  });
});

Deno.test("uncancel() to zero takes back what a stray await was told of", async () => {
  await run(async (foreign) => {
    const task = createTask(async () => {
      await Promise.race([sleep(90), Promise.resolve()]);
      await foreign(5);
      return await sleep(1, "unharmed");
    });
    await sleep(1);
    task.cancel();
    assertEquals(task.uncancel(), 0);
    assertEquals(await task, "unharmed");
  });
});

Deno.test("A deadline that passed while the function was at a foreign promise leaves nothing behind", async () => {
  await run(async (foreign) => {
    const value = await timeout(1, async () => {
      await Promise.race([sleep(90), Promise.resolve()]);
      await foreign(5);
      return "late";
    });
    assertEquals(value, "late");
    await sleep(1);
    assertEquals((currentTask() as Task<unknown>).cancelling(), 0);
  });
});

Deno.test("cancel() is not taken by a helper that begins in the same turn as the function's await", async () => {
  const finisher = async () => {
    const future = getRunningLoop().createFuture<void>();
    future.setResult();
    await future;
  };
  for (const begin of [sleeper, cleaner, finisher]) {
    await run(async (foreign) => {
      const task = createTask(async () => {
        await foreign(5);
        const helper = Promise.resolve(begin());
        helper.catch(() => {});
        return await sleep(1, "went on");
      });
      await sleep(1);
      task.cancel("cut");
      assertEquals((await errorOf(task) as Error).message, "cut");
    });
  }
});

Deno.test("uncancel() takes a cancellation back from regions that nobody waits for", async () => {
  const regions: ((foreign: Foreign) => PromiseLike<unknown>)[] = [
    (foreign) => timeout(95, () => foreign(5)),
    (foreign) => timeout(3, () => foreign(5)),
    (foreign) => taskGroup(() => foreign(5)),
    (foreign) =>
      taskGroup(async () => {
        await foreign(5);
        throw new Error("planted");
      }),
    (foreign) => timeout(95, () => timeout(96, () => foreign(5))),
  ];
  for (const region of regions) {
    await run(async (foreign) => {
      const task = createTask(async () => {
        const helper = Promise.resolve(region(foreign));
        helper.catch(() => {});
        await errorOf(sleep(90));
        assertEquals(currentTask()?.uncancel(), 0);
        await foreign(6);
        return await sleep(1, "unharmed");
      });
      await sleep(1);
      task.cancel();
      assertEquals(await task, "unharmed");
    });
  }
});
