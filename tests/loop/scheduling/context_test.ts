import { setImmediate } from "node:timers";
import { assertEquals, assertThrows } from "@std/assert";
import {
  Context,
  ContextVar,
  copyContext,
  type Coroutine,
  createTask,
  type EventLoop,
  type Future,
  getRunningLoop,
  InvalidStateError,
  sleep,
} from "../../../loop/mod.ts";
import { startOperation } from "../../../loop/tasks/start_operation.ts";
import { runVirtual, TestLoop } from "../_test_loop.ts";

Deno.test("ContextVar.get() prefers the value, then the fallback, then the default", () => {
  copyContext().run(() => {
    const bare = new ContextVar<number>("bare");
    const withDefault = new ContextVar("withDefault", { default: 1 });
    assertThrows(() => bare.get(), InvalidStateError, 'variable "bare": it has no value');
    assertEquals(bare.get(2), 2);
    assertEquals([withDefault.get(), withDefault.get(3)], [1, 3]);

    bare.set(4);
    withDefault.set(5);

    assertEquals([bare.get(2), withDefault.get(3)], [4, 5]);
  });
});

Deno.test("ContextVar keeps undefined as a value and as a default", () => {
  copyContext().run(() => {
    const variable = new ContextVar<number | undefined>("variable", { default: undefined });
    assertEquals(variable.get(), undefined);

    variable.set(undefined);

    assertEquals(variable.get(1), undefined);
    assertEquals(copyContext().has(variable), true);
  });
});

Deno.test("ContextVar.reset() restores the value before, or that there was none", () => {
  copyContext().run(() => {
    const variable = new ContextVar<string>("variable", { default: "default" });
    const first = variable.set("first");
    const second = variable.set("second");
    assertEquals([first.oldValue, second.oldValue], [undefined, "first"]);

    variable.reset(second);
    assertEquals(variable.get(), "first");
    variable.reset(first);
    assertEquals(variable.get(), "default");
    assertEquals(copyContext().has(variable), false);
  });
});

Deno.test("ContextVar.reset() refuses a token used twice, of another variable, or of another context", () => {
  copyContext().run(() => {
    const variable = new ContextVar<number>("variable");
    const other = new ContextVar<number>("other");
    const used = variable.set(1);
    variable.reset(used);
    const foreign = copyContext().run(() => variable.set(2));

    assertThrows(() => variable.reset(used), InvalidStateError, "used already");
    assertThrows(() => variable.reset(other.set(1)), InvalidStateError, 'belongs to "other"');
    assertThrows(() => variable.reset(foreign), InvalidStateError, "another context");
  });
});

Deno.test("ContextVar.reset() in a later callback is refused, as the token is of another context", async () => {
  const variable = new ContextVar<number>("variable");
  const loop = new TestLoop();
  let error: unknown;
  loop.callSoon(() => {
    const token = variable.set(1);
    loop.callSoon(() => {
      error = assertThrows(() => variable.reset(token));
    });
  });

  await loop.runReady();

  assertEquals((error as Error | undefined)?.message.includes("another context"), true);
  loop.close();
});

Deno.test("Context.run() sees and changes its own values only, and gives what the function returns", () => {
  const variable = new ContextVar("variable", { default: "outer" });
  const context = new Context();

  const result = context.run((suffix) => {
    variable.set(`inner${suffix}`);
    return variable.get();
  }, "!");

  assertEquals(result, "inner!");
  assertEquals(variable.get(), "outer");
  assertEquals(context.get(variable), "inner!");
  assertEquals(context.run(() => variable.get()), "inner!");
  assertThrows(() =>
    context.run(() => {
      throw new RangeError("through");
    }), RangeError);
  assertEquals(variable.get(), "outer");
});

Deno.test("Context.copy() and copyContext() change on their own", () => {
  const variable = new ContextVar<number>("variable");
  const context = new Context();
  context.run(() => variable.set(1));

  const copy = context.copy();
  copy.run(() => variable.set(2));

  assertEquals([context.get(variable), copy.get(variable)], [1, 2]);
  assertEquals(context.run(() => copyContext().get(variable)), 1);
});

Deno.test("a callback sees the values of where it was scheduled, and keeps its own to itself", async () => {
  const variable = new ContextVar("variable", { default: "default" });
  const log: string[] = [];
  const loop = new TestLoop();
  const note = () => {
    log.push(variable.get());
    variable.set("set by a callback");
  };
  for (const value of ["a", "b"]) {
    copyContext().run(() => {
      variable.set(value);
      loop.callSoon(note);
      loop.callLater(1, note);
      const future = loop.createFuture<void>();
      future.addDoneCallback(note);
      future.setResult();
      variable.set("too late");
    });
  }
  loop.callLater(2, () => loop.stop());

  await loop.runForever();

  assertEquals(log, ["a", "a", "b", "b", "a", "b"]);
  assertEquals(variable.get(), "default");
  loop.close();
});

Deno.test("a callback that one callback schedules inherits its values", async () => {
  const variable = new ContextVar("variable", { default: 0 });
  const loop = new TestLoop();
  const log: number[] = [];
  const count = () => {
    variable.set(variable.get() + 1);
    log.push(variable.get());
    if (variable.get() < 3) loop.callSoon(count);
  };
  loop.callSoon(count);
  loop.callSoon(count);

  await loop.runReady();

  assertEquals(log, [1, 1, 2, 2, 3, 3]);
  loop.close();
});

Deno.test("an operation started by a callback keeps the values of that callback", async () => {
  const variable = new ContextVar("variable", { default: "default" });
  const log: string[] = [];
  await runVirtual(function* (loop) {
    const future = loop.createFuture<void>();
    loop.callSoon(() => {
      variable.set("mine");
      startOperation(loop, operation(future));
    });
    loop.callSoon(() => {
      variable.set("somebody else's");
      future.setResult();
      loop.callSoon(() => variable.set("somebody else's again"));
    });
    yield* sleep(5);
  });

  assertEquals(log, ["mine", "mine", "mine"]);

  function* operation(future: Future<void>): Coroutine<void> {
    log.push(variable.get());
    yield* future;
    log.push(variable.get());
    yield* sleep(1);
    log.push(variable.get());
  }
});

Deno.test("an operation started by a task changes the values of that task, as a nested coroutine", async () => {
  const variable = new ContextVar("variable", { default: "default" });
  await runVirtual(function* (loop) {
    yield* startOperation(
      loop,
      function* () {
        yield* sleep(1);
        variable.set("set by the operation");
      }(),
    );

    assertEquals(variable.get(), "set by the operation");
  });
});

Deno.test("an async function carries its values across every await, also of foreign promises", async () => {
  const variable = new ContextVar("variable", { default: "default" });
  async function handle(value: string): Promise<string[]> {
    variable.set(value);
    const seen = [variable.get()];
    await sleep(0);
    seen.push(variable.get());
    await Promise.resolve();
    seen.push(variable.get());
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(variable.get());
    return seen;
  }
  await runVirtual(function* () {
    const tasks = ["a", "b"].map((value) => createTask(() => handle(value)));

    assertEquals(yield* tasks[0] as Iterable<unknown>, ["a", "a", "a", "a"]);
    assertEquals(yield* tasks[1] as Iterable<unknown>, ["b", "b", "b", "b"]);
    assertEquals(variable.get(), "default");
  });
});

Deno.test("Context.run() of an async function keeps the loop, the task and its cancellation", async () => {
  const variable = new ContextVar("variable", { default: "default" });
  await runVirtual(async (loop) => {
    const context = copyContext();
    const task = createTask(() =>
      context.run(async () => {
        variable.set("inside");
        await sleep(0);
        assertEquals(loop === (getRunningLoop() as EventLoop), true);
        await sleep(10);
      })
    );
    await sleep(1);

    task.cancel();
    await task.catch(() => {});

    assertEquals(task.cancelled(), true);
    assertEquals(loop.time(), 1);
    assertEquals(context.get(variable), "inside");
    assertEquals(variable.get(), "default");
  });
});
