// What users hand in to make loops, tasks and policies: each is checked for what it gives.
import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  allTasks,
  type Coroutine,
  createTask,
  DefaultEventLoopPolicy,
  ensureFuture,
  EventLoop,
  gather,
  getEventLoop,
  getEventLoopPolicy,
  getRunningLoop,
  InvalidStateError,
  newEventLoop,
  registerEventLoopPolicy,
  run,
  Runner,
  setEventLoopPolicy,
  sleep,
  Task,
  type TaskFactory,
  taskGroup,
  type TaskOptions,
} from "../../loop/mod.ts";
import { SignalledLoop } from "./_signalled_loop.ts";
import { TestLoop } from "./_test_loop.ts";

/** What is given instead of a loop, a task or a policy, and how a message names it. */
const WRONG: readonly [value: unknown, name: string][] = [
  [undefined, "undefined"],
  [null, "null"],
  [5, "5"],
  ["text", '"text"'],
  [{}, "Object"],
  [Promise.resolve(), "Promise"],
];

for (const [value, name] of WRONG) {
  Deno.test(`run() refuses a loopFactory that gives ${name}`, async () => {
    let started = false;
    const main = () => started = true;
    await assertRejects(
      () => run(main, { loopFactory: () => value as never }),
      TypeError,
      `Cannot run: expected an EventLoop of loopFactory, got ${name}`,
    );
    assertEquals(started, false);
    const runner = new Runner({ loopFactory: () => value as never });
    assertThrows(() => runner.getLoop(), TypeError, name);
    await runner.close();
  });

  Deno.test(`setEventLoopPolicy() refuses a factory that gives ${name}, and keeps the policy`, () => {
    const before = new DefaultEventLoopPolicy();
    setEventLoopPolicy(before);
    registerEventLoopPolicy("wrong", () => value as never);
    assertThrows(
      () => setEventLoopPolicy("wrong"),
      TypeError,
      `Cannot set event loop policy "wrong": its factory gave ${name}`,
    );
    assertStrictEquals(getEventLoopPolicy(), before);
    setEventLoopPolicy(null);
  });

  Deno.test(`a policy that gives ${name} for a loop is named in the error`, async () => {
    class WrongPolicy extends DefaultEventLoopPolicy {
      override newEventLoop(): never {
        return value as never;
      }
    }
    setEventLoopPolicy(new WrongPolicy());
    try {
      const message = `Cannot create an event loop: the policy gave ${name}`;
      assertThrows(() => newEventLoop(), TypeError, message);
      await assertRejects(() => run(() => 1), TypeError, message);
      const get = `Cannot get the event loop: the policy gave ${name}`;
      assertThrows(() => getEventLoop(), TypeError, get);
      setEventLoopPolicy({
        getEventLoop: () => value as never,
        setEventLoop: () => {},
        newEventLoop: () => value as never,
      });
      assertThrows(() => getEventLoop(), TypeError, get);
    } finally {
      setEventLoopPolicy(null);
    }
  });

  Deno.test(`a task factory that gives ${name} fails whoever creates a task, and hangs nothing`, async () => {
    const loop = new TestLoop();
    const message = `Cannot create a task: the task factory gave ${name}`;
    const refused = await run(async () => {
      loop.setTaskFactory((() => value) as never);
      const attempts: (() => unknown)[] = [
        () => createTask(() => 1),
        () => loop.createTask(() => 1),
        () => ensureFuture(() => 1),
        () => gather([() => 1]),
        async () => {
          try {
            await taskGroup((group) => group.createTask(() => 1));
          } catch (error) {
            throw (error as AggregateError).errors[0];
          }
        },
      ];
      let count = 0;
      for (const attempt of attempts) {
        await assertRejects(async () => await attempt(), TypeError, message);
        count += 1;
      }
      loop.setTaskFactory(null);
      return count;
    }, { loopFactory: () => loop });
    assertEquals([refused, loop.isClosed()], [5, true]);
  });

  Deno.test(`run() on a loop whose task factory gives ${name} fails and closes the loop`, async () => {
    const loop = new TestLoop();
    loop.setTaskFactory((() => value) as never);
    await assertRejects(() => run(() => 1, { loopFactory: () => loop }), TypeError, name);
    assert(loop.isClosed());
  });
}

Deno.test("a task factory that gives a task of another loop is refused", async () => {
  const other = new TestLoop();
  await run(() => {
    const loop = getRunningLoop();
    loop.setTaskFactory((_loop, body, options) => new Task(body, { ...options, loop: other }));
    assertThrows(() => createTask(() => 1), InvalidStateError, "belongs to another loop");
    loop.setTaskFactory(null);
  }, { loopFactory: () => new TestLoop() });
  other.close();
});

Deno.test("a task factory writes into options of one call, whoever creates the task", async () => {
  const own: TaskOptions = { eager: false };
  const seen: unknown[] = [];
  const factory: TaskFactory = (loop, body, options) => {
    seen.push(Object.keys(options).sort().join());
    return new Task(body, Object.assign(options, { loop, name: "made" }));
  };
  await run(async () => {
    getRunningLoop().setTaskFactory(factory);
    const tasks = [
      createTask(() => 1),
      createTask(() => 2, own),
      getRunningLoop().createTask(() => 3),
    ];
    await gather([...tasks, () => 4]);
    await taskGroup((group) => group.createTask(() => 5));
    assertEquals(tasks.map((task) => task.getName()), ["made", "made", "made"]);
  }, { loopFactory: () => new TestLoop() });
  assertEquals(own, { eager: false });
  assertEquals(seen.includes("loop"), false);
  const name = await run(() => createTask(() => 1).getName(), {
    loopFactory: () => new TestLoop(),
  });
  assertEquals(name, "Task-2");
});

Deno.test("run() refuses a loop that is closed or runs, and leaves it as it is", async () => {
  const closed = new EventLoop();
  closed.close();
  await assertRejects(
    () => run(() => 1, { loopFactory: () => closed }),
    InvalidStateError,
    "Cannot run: the loop of loopFactory is closed",
  );
  const outer = new TestLoop();
  const result = await run(async () => {
    await assertRejects(
      () => run(() => 1, { loopFactory: () => outer }),
      InvalidStateError,
      "Cannot run: the loop of loopFactory is running already",
    );
    return await sleep(1, "goes on");
  }, { loopFactory: () => outer });
  assertEquals(result, "goes on");
});

Deno.test("run() throws what a loopFactory throws", async () => {
  const planted = new Error("planted");
  const failing = () => {
    throw planted;
  };
  assertStrictEquals(await run(() => 1, { loopFactory: failing }).catch((error) => error), planted);
});

Deno.test("Runner refuses options that are not of their type", async () => {
  const wrong: [options: unknown, errorClass: new () => Error, message: string][] = [
    [
      { loopFactory: new EventLoop() },
      TypeError,
      '"loopFactory" must be a function, got <EventLoop stopped>',
    ],
    [{ signals: "SIGTERM" }, TypeError, '"signals" must be a list, got "SIGTERM"'],
    [{ grace: "3" }, TypeError, '"grace" must be a number of seconds from 0, got "3"'],
    [{ grace: -1 }, RangeError, '"grace" must be a number of seconds from 0, got -1'],
    [{ grace: NaN }, RangeError, '"grace" must be a number of seconds from 0, got NaN'],
  ];
  for (const [options, errorClass, message] of wrong) {
    assertThrows(() => new Runner(options as never), errorClass, message);
    await assertRejects(() => run(() => 1, options as never), errorClass, message);
  }
  await assertRejects(() => run(() => 1, { signal: 1 as never }), TypeError, "got 1");
});

Deno.test("Runner keeps the options that it was created with", async () => {
  const options = { loopFactory: () => new TestLoop() };
  const runner = new Runner(options);
  options.loopFactory = () => {
    throw new Error("Not this one");
  };
  assertEquals(await runner.run(() => 1), 1);
  await runner.close();
});

Deno.test("setDefaultExecutor() refuses what cannot run jobs or cannot be shut down", async () => {
  const loop = new SignalledLoop();
  const half = { submit: () => loop.createFuture<never>() };
  for (const value of [undefined, null, 5, {}, half]) {
    assertThrows(
      () => loop.setDefaultExecutor(value as never),
      TypeError,
      "expected an executor with submit() and shutdown()",
    );
  }
  const whole = { ...half, shutdown: () => Promise.resolve() };
  loop.setDefaultExecutor(whole);
  await loop.runUntilComplete(loop.shutdownDefaultExecutor());
  assertThrows(() => loop.setDefaultExecutor(whole), InvalidStateError, "was shut down");
  loop.close();
  assertThrows(() => loop.setDefaultExecutor(whole), InvalidStateError, "loop is closed");
});

Deno.test("runInExecutor() names an executor that cannot take jobs, or gives no future", async () => {
  const loop = new SignalledLoop();
  await run(() => {
    assertThrows(
      () => loop.runInExecutor({} as never, () => 1),
      TypeError,
      "Cannot run a job in an executor: expected one with submit()",
    );
    const odd = { submit: () => 5, shutdown: () => Promise.resolve() };
    assertThrows(
      () => loop.runInExecutor(odd as never, () => 1),
      TypeError,
      "Cannot run a job in an executor: its submit() gave no future",
    );
  }, { loopFactory: () => loop });
});

for (
  const [name, shutdown, message] of [
    ["gives no promise", () => 5, "Cannot shut down the default executor: its shutdown() gave no"],
    ["throws", () => {
      throw new TypeError("planted");
    }, "planted"],
    ["rejects", () => Promise.reject(new TypeError("planted")), "planted"],
  ] as const
) {
  Deno.test(`run() with an executor whose shutdown() ${name} throws that, and closes the loop`, async () => {
    const loop = new SignalledLoop();
    const executor = { submit: () => loop.createFuture<never>(), shutdown };
    await assertRejects(
      () => run(() => loop.setDefaultExecutor(executor as never), { loopFactory: () => loop }),
      TypeError,
      message,
    );
    assert(loop.isClosed());
    const error = new Error("of main");
    const second = new SignalledLoop();
    const thrown = await run(() => {
      second.setDefaultExecutor(executor as never);
      throw error;
    }, { loopFactory: () => second }).catch((reason) => reason);
    assertStrictEquals(thrown, error);
    assert(second.takeReports().length > 0);
  });
}

Deno.test("run() does not wait for ever for an executor whose shutdown() never ends", async () => {
  const loop = new SignalledLoop();
  const endless = {
    submit: () => loop.createFuture<never>(),
    shutdown: () => new Promise<void>(() => {}),
  };
  const value = await run(() => {
    loop.setDefaultExecutor(endless);
    return "value";
  }, { loopFactory: () => loop });
  assertEquals([value, loop.time(), loop.isClosed()], ["value", 6, true]);
  assertEquals(
    loop.takeReports().map((report) => report.message),
    ["The default executor has not ended within 5 seconds"],
  );
});

Deno.test("run() cancels tasks that cancelled tasks create, and ends with one that always does", async () => {
  const loop = new TestLoop();
  let made = 0;
  let cleaned = false;
  function* respawn(): Coroutine<void> {
    try {
      yield* sleep(10);
    } finally {
      made += 1;
      createTask(respawn);
    }
  }
  await run(async () => {
    createTask(respawn);
    createTask(async () => {
      try {
        await sleep(10);
      } finally {
        createTask(async () => {
          try {
            await sleep(10);
          } finally {
            cleaned = true;
          }
        });
        await sleep(0);
      }
    });
    await sleep(0);
    assertEquals(allTasks().size, 3);
  }, { loopFactory: () => loop });
  assertEquals([cleaned, made > 1, loop.isClosed(), loop.time()], [true, true, true, 0]);
});

Deno.test("what loops share of Deno cannot be changed through one of them", () => {
  const [one, other] = [newEventLoop(), newEventLoop()];
  for (const part of ["random", "signals", "workers", "workerProcesses"] as const) {
    assertStrictEquals(one.platform[part], other.platform[part]);
    assert(Object.isFrozen(one.platform[part]));
  }
  for (const part of ["clock", "network", "pipes", "processes"] as const) {
    assertNotStrictEquals<unknown>(one.platform[part], other.platform[part]);
  }
  for (const loop of [one, other]) loop.close();
});
