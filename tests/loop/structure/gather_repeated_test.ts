// The same awaitable given twice has one future, wherever in the list and whatever stands between.
import { assertEquals } from "@std/assert";
import {
  type Awaitable,
  type Coroutine,
  createTask,
  gather,
  getRunningLoop,
  sleep,
  Task,
} from "../../../loop/mod.ts";
import { runVirtual } from "../_test_loop.ts";

function counting(): { ran: string[]; work: (name: string) => Coroutine<string> } {
  const ran: string[] = [];
  function* work(name: string): Coroutine<string> {
    ran.push(name);
    yield* sleep(1);
    return name;
  }
  return { ran, work };
}

Deno.test("gather() runs a coroutine once that is given twice, before and after others", async () => {
  await runVirtual(function* () {
    const { ran, work } = counting();
    const [a, b, c] = [work("a"), work("b"), work("c")];
    assertEquals(yield* gather([a, b, a, c, b, a]), ["a", "b", "a", "c", "b", "a"]);
    assertEquals(ran, ["a", "b", "c"]);
  });
});

Deno.test("gather() has one future for a coroutine, promise or future given twice among functions", async () => {
  await runVirtual(function* () {
    const { ran, work } = counting();
    const [coroutine, promise] = [work("coroutine"), Promise.resolve("promise")];
    const task = createTask(work("task"));
    const each = () => work("function");
    const list: Awaitable<string>[] = [coroutine, each, promise, task];
    const results = yield* gather([...list, ...list]);
    assertEquals(results.slice(0, 4), ["coroutine", "function", "promise", "task"]);
    assertEquals(results.slice(4), results.slice(0, 4));
    assertEquals(ran.toSorted(), ["coroutine", "function", "function", "task"]);
  });
});

Deno.test("gather() runs a coroutine once that a task factory wraps, given twice", async () => {
  await runVirtual(function* () {
    const loop = getRunningLoop();
    const { ran, work } = counting();
    loop.setTaskFactory((loop, body, options) =>
      new Task(
        typeof body === "function" ? body : function* (): Coroutine<never> {
          return (yield* body) as never;
        },
        { ...options, loop },
      )
    );
    const [a, b] = [work("a"), work("b")];
    assertEquals(yield* gather([a, b, a, b]), ["a", "b", "a", "b"]);
    assertEquals(ran, ["a", "b"]);
  });
});
