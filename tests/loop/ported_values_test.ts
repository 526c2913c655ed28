// Values that a program of asyncio gives, and that mean something else here, or nothing.
import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  ContextVar,
  createTask,
  Event,
  Future,
  LifoQueue,
  Lock,
  Queue,
  Semaphore,
  sleep,
  TaskGroup,
  type TaskOptions,
  Timeout,
  timeout,
  TimeoutError,
  wait,
  waitFor,
} from "../../loop/mod.ts";
import { runVirtual } from "./_test_loop.ts";

Deno.test("null in place of an option is answered with: leave it out", async () => {
  await runVirtual(() => {
    const wrong: (() => unknown)[] = [
      () => wait([sleep(1)], { timeout: null as never }),
      () => createTask(() => 1, { context: null as never }),
      () => createTask(() => 1, { signal: null as never }),
    ];
    for (const call of wrong) {
      assertThrows(call, TypeError, "got null; leave it out for the default");
    }
  });
});

Deno.test("a task whose name is null has a name as any other", async () => {
  await runVirtual(() => {
    const names = [{ name: null }, {}, { name: "" }, { name: 0 }].map((options: TaskOptions) =>
      createTask(() => 1, options).getName()
    );
    assertEquals(names, ["Task-2", "Task-3", "", "0"]);
  });
});

Deno.test("an object in place of a number is answered with how the number is given", async () => {
  await runVirtual(() => {
    const wrong: [() => unknown, string][] = [
      [() => waitFor(sleep(1), { timeout: 1 } as never), "pass the value itself"],
      [() => timeout({ delay: 1 } as never, () => 1), "pass the value itself"],
      [() => sleep({ delay: 1 } as never), "pass the value itself"],
      [() => new Semaphore({ value: 3 } as never), "as in new Semaphore(3)"],
      [() => new Barrier({ parties: 3 } as never), "as in new Barrier(3)"],
      [() => new Condition({ lock: null } as never), "as in new Condition(lock)"],
    ];
    for (const [call, remedy] of wrong) assertThrows(call, Error, remedy);
  });
});

Deno.test("new TaskGroup() and new Timeout() are answered with the functions for them", () => {
  for (const args of [[], [1], [null]]) {
    assertThrows(
      () => new TaskGroup(...args as never as [never, never]),
      TypeError,
      "as in taskGroup(async (group) => { … })",
    );
    assertThrows(
      () => new Timeout(...args as never as [never, never]),
      TypeError,
      "as in timeout(1, () => work())",
    );
  }
});

Deno.test("Future.setException() of a class of errors fails with a new one, as in asyncio", async () => {
  await runVirtual(async () => {
    class Own extends RangeError {}
    for (const Class of [Error, TypeError, TimeoutError, Own]) {
      const future = new Future<void>();
      future.setException(Class);
      const error = await future.then(() => null, (error: unknown) => error);
      assertInstanceOf(error, Class);
    }
    for (const value of [class {}, () => 1, "text", undefined]) {
      const future = new Future<void>();
      future.setException(value);
      assertEquals(await future.then(() => null, (error: unknown) => error), value);
    }
  });
});

type Wait = (...given: unknown[]) => Future<unknown>;

/** Calls that wait, which have a time limit in `threading`. */
const WAITS: Readonly<Record<string, () => Wait>> = {
  "lock.acquire()": () => method(new Lock(), "acquire"),
  "semaphore.acquire()": () => method(new BoundedSemaphore(1), "acquire"),
  "condition.acquire()": () => method(new Condition(), "acquire"),
  "condition.wait()": () => method(new Condition(), "wait"),
  "event.wait()": () => method(new Event(), "wait"),
  "barrier.wait()": () => method(new Barrier(1), "wait"),
  "queue.get()": () => method(new LifoQueue(), "get"),
  "queue.join()": () => method(new Queue(), "join"),
};

function method(object: object, name: string): Wait {
  return ((object as Record<string, Wait>)[name] as Wait).bind(object);
}

for (const [call, create] of Object.entries(WAITS)) {
  Deno.test(`${call} with a time limit is answered with waitFor(), and does not wait`, async () => {
    await runVirtual(() => {
      for (const limit of [1, 0, true, false, { timeout: 1 }, {}]) {
        assertThrows(
          () => create()(limit),
          TypeError,
          `Cannot wait: ${call} takes no time limit; there is waitFor(${call}, 1)`,
        );
      }
    });
  });
}

Deno.test("a method that waits can be the body of a block, which gives it an argument", async () => {
  await runVirtual(async () => {
    const queue = new Queue<number>();
    queue.putNowait(1);
    assertEquals(await timeout(1, method(queue, "get")), 1);
    using _held = await timeout(1, method(new Lock(), "acquire")) as Disposable;
    assertEquals(await timeout(1, method(new Barrier(1), "wait")), 0);
  });
});

Deno.test("a text alone in place of options is answered with the option that it is", async () => {
  await runVirtual(() => {
    const wrong: [() => unknown, string][] = [
      [() => createTask(() => 1, "worker" as never), 'as in { name: "worker" }'],
      [() => new ContextVar("user", "nobody" as never), 'as in { default: "nobody" }'],
      [() => new Queue("9" as never), 'the only one is "maxSize"'],
    ];
    for (const [call, remedy] of wrong) assertThrows(call, TypeError, remedy);
  });
});
