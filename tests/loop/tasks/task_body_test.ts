// What a task can run, and what happens where the body is wrong, odd, or awaited twice.
import * as inside from "../../../loop/inside.ts";
import { assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  type Coroutine,
  createTask,
  Future,
  gather,
  getRunningLoop,
  InvalidStateError,
  run,
  sleep,
  type Task,
  type TaskBody,
  taskGroup,
  timeout,
  waitFor,
} from "../../../loop/mod.ts";
import { KINDS } from "../_outcome.ts";
import { runVirtual, TestLoop } from "../_test_loop.ts";

/** Values that throw when somebody looks at them, or when they are waited for. */
const ODD: Readonly<Record<string, () => unknown>> = {
  "an object whose then throws": () => ({
    get then() {
      throw new Error("planted");
    },
  }),
  "an object whose next throws": () => ({
    get next() {
      throw new Error("planted");
    },
  }),
  "a proxy that was revoked": () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  "a promise with a then() of its own that throws": () =>
    Object.assign(Promise.resolve(), {
      then() {
        throw new Error("planted");
      },
    }),
  "a thenable that throws": () => ({
    then() {
      throw new Error("planted");
    },
  }),
};

for (const [name, make] of Object.entries(ODD)) {
  Deno.test(`run() goes on where a task, a block or a coroutine meets ${name}`, async () => {
    await runVirtual(async () => {
      const body = make as () => Promise<unknown>;
      const tasks = [
        createTask(body),
        createTask(async () => await body()),
        createTask(() => timeout(5, body)),
        createTask(() => waitFor(body, 5)),
        createTask(() => waitFor(body, 0)),
        createTask(() => taskGroup(body)),
        createTask(function* () {
          yield* timeout(5, body);
        }),
        createTask(function* (): Coroutine<void> {
          yield make();
        }),
        createTask(() => gather([body])),
      ];
      await sleep(0.5);
      assertEquals(tasks.map((task) => task.done()), tasks.map(() => true));
      for (const task of tasks) if (!task.cancelled()) task.exception();
    });
    // A run that did not list one of them still ends.
    assertEquals(await run(async () => (createTask(make).catch(() => {}), await sleep(0, 7))), 7);
  });
}

Deno.test("A future or an iterator that throws when it is used fails the task, and not the loop", async () => {
  class Throwing extends Future<void> {
    override getLoop(): never {
      throw new Error("planted");
    }
  }
  await runVirtual(async (loop) => {
    const odd = { next: () => 5, throw: () => 5, return: () => 5, [Symbol.iterator]: () => odd };
    const tasks = [
      createTask(function* (): Coroutine<void> {
        yield new Throwing({ loop });
      }),
      createTask(odd as unknown as Coroutine<void>),
    ];
    await sleep(0.5);
    assertEquals(tasks.map((task) => task.done()), [true, true]);
    for (const task of tasks) task.exception();
  });
});

Deno.test("An error of the driver itself ends run() with that error", async () => {
  let cleanedUp = false;
  const error = await assertRejects(() =>
    run(async () => {
      getRunningLoop()[inside.enqueue]({
        [inside.run]() {
          throw new Error("planted");
        },
      });
      try {
        await sleep(3600);
      } finally {
        cleanedUp = true;
      }
    })
  );
  assertEquals([(error as Error).message, cleanedUp], ["planted", true]);
});

Deno.test("createTask() with a signal that is none throws, and lists no task", async () => {
  await runVirtual(async (loop) => {
    const throwing = {
      addEventListener() {
        throw new TypeError("planted");
      },
    };
    for (const signal of [new AbortController(), 5, throwing]) {
      const before = [...loop[inside.tasks]].length;
      assertThrows(
        () => createTask(() => sleep(0), { signal: signal as unknown as AbortSignal }),
        TypeError,
      );
      assertEquals([...loop[inside.tasks]].length, before);
    }
    await sleep(0);
  });
});

async function* generate(): AsyncGenerator<number> {
  yield await sleep(0, 1);
}

Deno.test("An async generator is refused as a body everywhere, and does not run", async () => {
  await runVirtual(async () => {
    const wrong = generate as unknown as () => Promise<unknown>;
    assertThrows(() => createTask(wrong), TypeError, "async generator");
    assertThrows(() => createTask(generate() as never), TypeError);
    const works: (() => PromiseLike<unknown>)[] = [
      () => createTask(() => wrong()),
      () => timeout(1, wrong),
      () => timeout(1, () => wrong()),
      () => taskGroup(wrong),
      () =>
        createTask(function* () {
          yield* timeout(1, wrong);
        }),
    ];
    for (const work of works) {
      let error: unknown = null;
      try {
        await work();
      } catch (thrown) {
        error = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
      }
      assertInstanceOf(error, TypeError);
    }
  });
});

function* body(): Coroutine<string> {
  yield* sleep(0.5);
  return "value";
}

Deno.test("A coroutine that a task runs is refused to a second task, before it began and after", async () => {
  await runVirtual(async () => {
    for (const turns of [0, 1, 3]) {
      const coroutine = body();
      const task = createTask(coroutine);
      for (let turn = 0; turn < turns; turn += 1) await sleep(0);
      assertThrows(() => createTask(coroutine), InvalidStateError, "awaited already");
      assertThrows(() => gather([coroutine]), InvalidStateError, "awaited already");
      assertEquals(await task, "value");
      assertThrows(() => createTask(coroutine), InvalidStateError, "awaited already");
    }
    const shared = body();
    const tasks = [1, 2].map(() => createTask((() => shared) as TaskBody<string>));
    await sleep(0.9);
    assertEquals(tasks.map((task) => task.done()), [true, true]);
    assertEquals((tasks[0] as Task<string>).result(), "value");
    assertInstanceOf((tasks[1] as Task<string>).exception(), InvalidStateError);
  });
});

/** What runs a coroutine that it is given as a part of its caller. */
const RUNNERS: Readonly<Record<string, (coroutine: Coroutine<string>) => Future<unknown>>> = {
  "timeout()": (coroutine) => timeout(5, () => coroutine),
  "waitFor()": (coroutine) => waitFor(coroutine, 5),
  "waitFor() without a limit": (coroutine) => waitFor(coroutine, null),
  "waitFor() with no time": (coroutine) => waitFor(coroutine, 0),
  "taskGroup()": (coroutine) => taskGroup(() => coroutine),
  "a function": (coroutine) => createTask(() => coroutine),
};

for (const kind of KINDS) {
  for (const [name, start] of Object.entries(RUNNERS)) {
    Deno.test(`A coroutine that a task runs is refused to ${name} in a ${kind}, and the task keeps its value`, async () => {
      await runVirtual(function* () {
        for (const turns of [0, 0.2]) {
          const coroutine = body();
          const first = createTask(coroutine);
          yield* sleep(turns);
          const second = kind === "coroutine"
            ? createTask(function* () {
              return yield* start(coroutine);
            })
            : createTask(async () => await start(coroutine));
          yield* sleep(0.9);
          const thrown = second.exception();
          const error = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
          assertInstanceOf(error, InvalidStateError);
          assertEquals(error.message, "Cannot run a coroutine: it is awaited already");
          assertEquals(first.result(), "value");
        }
      });
    });
  }
}

Deno.test("A coroutine that a task runs gives both an error where another delegates to it", async () => {
  await runVirtual(function* () {
    const coroutine = body();
    const first = createTask(coroutine);
    yield* sleep(0);
    const second = createTask(function* () {
      return yield* coroutine;
    });
    yield* sleep(0.9);
    for (const { message } of [first.exception(), second.exception()] as Error[]) {
      assertEquals(message, "Cannot run a coroutine: it is awaited already");
    }
  });
});

Deno.test("A loop over the future that a task waits for leaves the task alone", async () => {
  await runVirtual(function* (loop) {
    const future = loop.createFuture<string>();
    const task = createTask(function* () {
      return yield* future;
    });
    yield* sleep(0);
    assertThrows(() => [...(future as unknown as Iterable<unknown>)], InvalidStateError);
    future.setResult("value");
    assertEquals(yield* task, "value");
  });
});

Deno.test("A signal that has aborted before cancels the task before its first step", async () => {
  const loop = new TestLoop();
  let ran = false;
  const task = loop.createTask(() => ran = true, { signal: AbortSignal.abort("reason") });
  await loop.runReady();
  assertEquals([task.cancelled(), ran], [true, false]);
  const error = assertThrows(() => task.result()) as Error;
  assertEquals(error.cause, "reason");
  loop.close();
});
