// One mistake is one error, at the call, whichever function is called; and types that say so first.
import * as inside from "../../loop/inside.ts";
import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  asCompleted,
  Condition,
  type Coroutine,
  createTask,
  ensureFuture,
  type Future,
  gather,
  getRunningLoop,
  run,
  shield,
  sleep,
  taskGroup,
  timeout,
  timeoutAt,
  wait,
  waitFor,
} from "../../loop/mod.ts";
import { runVirtual, TestLoop } from "./_test_loop.ts";

function* coroutine(): Coroutine<number> {
  yield* sleep(1);
  return 1;
}

/** "Name: message" of what `act` throws, or "no error". */
function errorOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return String(error);
  }
  return "no error";
}

const LISTS = { gather, asCompleted, wait } as Readonly<
  Record<string, (...args: unknown[]) => unknown>
>;

for (const [name, call] of Object.entries(LISTS)) {
  Deno.test(`${name}(a, b) and what else is no list is a TypeError that shows how it is written`, async () => {
    await runVirtual(async (loop) => {
      const done = loop.createFuture<number>();
      done.setResult(1);
      const ours = [sleep(1), timeout(1, coroutine), createTask(coroutine), coroutine(), done];
      const foreign = [Promise.resolve(), coroutine, "text", 5, null, undefined, {}, asyncList()];
      for (const given of [...ours, ...foreign]) {
        assertMatch(
          errorOf(() => call(given, given)),
          new RegExp(
            `^TypeError: Cannot \\w+: expected a list, as in ${name}\\(\\[a, b\\]\\), got .`,
          ),
        );
      }
      await gather([ours[0] as Future<void>, ours[2] as Future<number>]);
    });
  });

  Deno.test(`${name}() refuses what cannot be waited for, before it starts anything`, async () => {
    await runVirtual(async (loop) => {
      let calls = 0;
      const start = () => calls += 1;
      for (const wrong of ["text", 5, null, undefined, {}, [sleep(0)], Symbol("planted")]) {
        assertMatch(errorOf(() => call([start, wrong])), /^TypeError: Cannot wait/);
      }
      await sleep(5);
      assertEquals([calls, [...loop[inside.tasks]].length], [0, 1]);
    });
  });
}

async function* asyncList(): AsyncGenerator<void> {
  yield await sleep(0);
}

Deno.test("gather() and asCompleted() wait for promises, in any iterable", async () => {
  await runVirtual(async () => {
    const promises = () => new Set([Promise.resolve(1), Promise.resolve(2)]);
    assertEquals(await gather([...promises(), () => 3]), [1, 2, 3]);
    assertEquals(await gather(promises() as never), [1, 2] as never);
    const results = [];
    for (const next of asCompleted(promises())) results.push(await next);
    assertEquals(results, [1, 2]);
  });
});

Deno.test("the types refuse a future or a coroutine in place of a list", async () => {
  await runVirtual(() => {
    // @ts-expect-error: a list is missing
    assertThrows(() => gather(sleep(1), sleep(2)), TypeError);
    // @ts-expect-error: a list is missing
    assertThrows(() => asCompleted(sleep(1)), TypeError);
    // @ts-expect-error: a list is missing
    assertThrows(() => asCompleted(coroutine()), TypeError);
    // @ts-expect-error: a list is missing
    assertThrows(() => wait(sleep(1)), TypeError);
    // @ts-expect-error: a list is missing
    assertThrows(() => wait(coroutine()), TypeError);
    // @ts-expect-error: a promise is no future, of which the result tells which is done
    assertThrows(() => wait([Promise.resolve()]), TypeError, "ensureFuture() makes one of it");
  });
});

Deno.test("the types of gather() say when an element may be an error", async () => {
  await runVirtual(async () => {
    const planted = new Error("planted");
    const fail = (): number => {
      throw planted;
    };
    const numbers: number[] = await gather([() => 1], { returnExceptions: false });
    // @ts-expect-error: an element may be an error
    const wrong: number[] = await gather([fail], { returnExceptions: true });
    const either: [number | Error, string | Error] = await gather([fail, () => "text"], {
      returnExceptions: true,
    });
    const flag: boolean = numbers.length > 0;
    // @ts-expect-error: an element may be an error, if the flag is true
    const unknownFlag: number[] = await gather([fail], { returnExceptions: flag });
    assertEquals([numbers, wrong, either, unknownFlag], [
      [1],
      [planted],
      [planted, "text"],
      [planted],
    ] as never);
  });
});

Deno.test("a pending future cannot be iterated over but by its task", async () => {
  await runVirtual(async () => {
    const pending = sleep(1, "value") as unknown as Iterable<never>;
    const iterations: (() => unknown)[] = [
      () => [...pending],
      () => Array.from(pending),
      () => new Set(pending),
      () => new Map(pending),
      () => Math.max(...pending),
      () => {
        const [first, second] = pending;
        return [first, second];
      },
      () => {
        for (const future of pending) void future;
      },
    ];
    for (const iterate of iterations) {
      assertEquals(
        errorOf(iterate),
        "InvalidStateError: Cannot iterate over a future: it is pending, and waiting for it takes " +
          "await or yield*, as in const [a, b] = await future",
      );
    }
    for (const combine of [Promise.all, Promise.race, Promise.any, Promise.allSettled]) {
      await assertRejects(() => combine.call(Promise, pending as never), Error, "Cannot iterate");
    }
    assertEquals(await (pending as unknown as Future<string>), "value");
    assertEquals([...pending], []);
  });
});

Deno.test("what cannot be waited for is a TypeError in every function, on a loop and outside", async () => {
  const functions: Readonly<Record<string, (given: never) => unknown>> = {
    ensureFuture,
    shield,
    "waitFor with a limit": (given) => waitFor(given, 1),
    "waitFor without time": (given) => waitFor(given, 0),
  };
  const check = (loop: TestLoop | null) => {
    for (const [name, call] of Object.entries(functions)) {
      for (const wrong of ["ok", 5, null, undefined, {}, [], Object.create(null)]) {
        const error = errorOf(() => call(wrong as never));
        assertMatch(error, /^TypeError: Cannot wait for .*: expected a future/, name);
      }
    }
    assertEquals(loop === null ? 0 : [...loop[inside.tasks]].length, loop === null ? 0 : 1);
  };
  check(null);
  await runVirtual((loop) => check(loop));

  const loop = new TestLoop();
  await assertRejects(
    () => loop.runUntilComplete("ok" as never),
    TypeError,
    'Cannot wait for "ok"',
  );
  loop.close();
});

Deno.test("createTask() of a promise says that the function is missing, in every function", async () => {
  await runVirtual(async (loop) => {
    const promise = Promise.resolve() as never;
    const message =
      /^TypeError: Cannot create a task: .* got Promise; pass the function, as in createTask/;
    assertMatch(errorOf(() => createTask(promise)), message);
    assertMatch(errorOf(() => loop.createTask(promise)), message);
    await taskGroup((group) => assertMatch(errorOf(() => group.createTask(promise)), message));
    loop.setTaskFactory(() => {
      throw new Error("not reached");
    });
    assertMatch(errorOf(() => loop.createTask(promise)), message);
    loop.setTaskFactory(() => promise);
    assertEquals(
      errorOf(() => loop.createTask(coroutine)),
      "TypeError: Cannot create a task: the task factory gave Promise",
    );
  });
});

Deno.test("a time that is no number is a TypeError and NaN a RangeError, in every function", async () => {
  await runVirtual(async (loop) => {
    const noop = () => {};
    const functions: Readonly<Record<string, (time: never) => unknown>> = {
      sleep,
      callLater: (time) => loop.callLater(time, noop),
      callAt: (time) => loop.callAt(time, noop),
      timeout: (time) => timeout(time, noop),
      timeoutAt: (time) => timeoutAt(time, noop),
      waitFor: (time) => waitFor(loop.createFuture(), time),
      wait: (time) => wait([loop.createFuture()], { timeout: time }),
      asCompleted: (time) => asCompleted([loop.createFuture()], { timeout: time }),
      unretrievedErrorDelay: (time) => loop.unretrievedErrorDelay = time,
    };
    for (const [name, call] of Object.entries(functions)) {
      for (const wrong of ["1", 1n, {}, [1], Symbol("planted"), true]) {
        assertMatch(
          errorOf(() => call(wrong as never)),
          /^TypeError: .* must be a number of seconds, got ./,
          name,
        );
      }
      assertMatch(
        errorOf(() => call(NaN as never)),
        /^RangeError: .* must be a number of seconds, got NaN$/,
        name,
      );
    }
    await timeout(1, (limit) => {
      assertThrows(() => limit.reschedule(NaN), RangeError, "when must be a number");
      assertThrows(() => limit.reschedule("1" as never), TypeError, "when must be a number");
    });
  });
});

Deno.test("a coroutine that yields something else gets a TypeError, wherever it runs", async () => {
  function* wrong(): Coroutine<void> {
    yield 5;
  }
  const hosts: (() => unknown)[] = [
    () => createTask(wrong),
    () => createTask(wrong()),
    () => timeout(1, wrong),
    () => taskGroup(wrong),
    () => waitFor(wrong(), 1),
    () => waitFor(wrong(), 0),
    () => gather([timeout(1, wrong)]),
    () => shield(wrong()),
  ];
  for (const host of hosts.slice(0, 5)) {
    for (const main of [host, async () => await host()]) {
      const error = await run(main as () => unknown).catch((reason) => reason);
      const inner = error instanceof AggregateError ? error.errors[0] : error;
      assertMatch(String(inner), /^TypeError: Cannot wait in task "Task-\d": .* got 5$/);
    }
  }
});

Deno.test("Task.cancel(null) cancels without a message", async () => {
  await runVirtual(async (loop) => {
    const future = loop.createFuture<void>();
    const tasks: Future<void>[] = [
      createTask(() => sleep(1)),
      createTask(async () => {
        await sleep(1);
      }),
      createTask(function* () {}),
      future,
      sleep(1),
    ];
    await sleep(0);
    for (const task of tasks) task.cancel(null as never);
    for (const task of tasks) {
      const error = await task.then(() => null, (reason) => reason as Error);
      if (error !== null) assertEquals(error.message, "");
    }
  });
});

for (
  const [kind, callback] of Object.entries({
    "generator function": function* () {
      yield* sleep(0);
    },
    "async generator function": async function* () {
      yield await sleep(0);
    },
  })
) {
  Deno.test(`a ${kind} is refused where a callback is taken, as it would do nothing`, async () => {
    await runVirtual((loop) => {
      const wrong = callback as never;
      const takers: Readonly<Record<string, () => unknown>> = {
        callSoon: () => loop.callSoon(wrong),
        callSoonThreadsafe: () => loop.callSoonThreadsafe(wrong),
        callLater: () => loop.callLater(0, wrong),
        callAt: () => loop.callAt(0, wrong),
        addDoneCallback: () => loop.createFuture().addDoneCallback(wrong),
        setExceptionHandler: () => loop.setExceptionHandler(wrong),
        setTaskFactory: () => loop.setTaskFactory(wrong),
        "Condition.waitFor": () => new Condition().waitFor(wrong),
      };
      for (const [name, take] of Object.entries(takers)) {
        assertMatch(
          errorOf(take),
          /^TypeError: .* expected a plain function, got an? \w*Gen/,
          name,
        );
      }
    });
  });
}

Deno.test("a callback that returns a coroutine is reported: nobody runs it", async () => {
  await runVirtual(async (loop) => {
    getRunningLoop().callSoon(() => coroutine());
    await sleep(0);
    assertEquals(loop.takeReports().map(({ exception }) => String(exception)), [
      "TypeError: Cannot run a coroutine that a callback returned: it needs a task",
    ]);
  });
});

Deno.test("a future that is taken apart without await says so, in each kind of body", async () => {
  await runVirtual(async () => {
    const attempts: Readonly<Record<string, () => unknown>> = {
      "const [a] = future": () => {
        const [first] = sleep(1);
        return first;
      },
      "const [a, b] = future": () => {
        const [, second] = sleep(1);
        return second;
      },
      "a loop that breaks": () => {
        for (const item of sleep(1)) return item;
        return undefined;
      },
      "Array.from()": () => Array.from(sleep(1)),
    };
    for (const [name, attempt] of Object.entries(attempts)) {
      const bodies = [
        attempt,
        async () => {
          await sleep(0);
          attempt();
        },
        function* (): Coroutine<void> {
          yield* sleep(0);
          attempt();
        },
      ];
      for (const body of bodies) {
        const text = await createTask(body as () => unknown).then(() => "no error", String);
        assertMatch(text, /InvalidStateError: .* as in const \[a, b\] = await future/, name);
      }
    }
  });
});

Deno.test("return() of a coroutine that waits ends it, however deep, and runs its finally blocks", async () => {
  await runVirtual(async () => {
    const log: string[] = [];
    function* inner(): Coroutine<void> {
      try {
        yield* sleep(1);
      } finally {
        log.push("inner");
      }
    }
    function* outer(): Coroutine<void> {
      try {
        yield* inner();
      } finally {
        log.push("outer");
      }
    }
    const coroutine = outer();
    coroutine.next();
    await sleep(0);
    assertEquals(coroutine.return(), { value: undefined, done: true });
    assertEquals(log, ["inner", "outer"]);
  });
});
