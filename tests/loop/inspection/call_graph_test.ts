// Who waits for whom: captureCallGraph(), formatCallGraph() and printCallGraph().
import { assert, assertEquals } from "@std/assert";
import {
  asCompleted,
  type CallGraph,
  captureCallGraph,
  type Coroutine,
  createTask,
  currentTask,
  Event,
  formatCallGraph,
  type Future,
  gather,
  getRunningLoop,
  printCallGraph,
  shield,
  sleep,
  taskGroup,
  timeout,
  timeoutAt,
  wait,
  waitFor,
} from "../../../loop/mod.ts";
import { KINDS } from "../_outcome.ts";
import { runVirtual } from "../_test_loop.ts";

/** A graph as text: each name, and in brackets who waits for it. */
function brief(graph: CallGraph | null): string {
  if (graph === null) return "none";
  if (graph.awaitedBy.length === 0) return graph.name;
  return `${graph.name}(${graph.awaitedBy.map(brief).join(" ")})`;
}

function lines(future: Future<unknown> | null): string[] {
  const printed: string[] = [];
  printCallGraph(future, { print: (text) => printed.push(...text.split("\n")) });
  return printed;
}

for (const kind of KINDS) {
  Deno.test(`captureCallGraph() finds who waits for a task, from ${kind} to ${kind}`, async () => {
    await runVirtual(function* () {
      const worker = createTask(() => sleep(1), { name: "worker" });
      const wait = function* (future: Future<unknown>): Coroutine<void> {
        yield* future;
      };
      const waitAsync = async (future: Future<unknown>) => void await future;
      const form = kind === "coroutine" ? wait : waitAsync;
      const middle = createTask(() => form(worker), { name: "middle" });
      const top = createTask(() => form(middle), { name: "top" });
      createTask(() => form(worker), { name: "other" });
      yield* sleep(0.5);
      assertEquals(brief(captureCallGraph(worker)), "worker(middle(top) other)");
      assertEquals(brief(captureCallGraph(top)), "top");
      yield* top;
    });
  });
}

Deno.test("captureCallGraph() passes through gather() and shows what is no task by its kind", async () => {
  await runVirtual(function* () {
    const event = new Event();
    const waiting = createTask(() => event.wait(), { name: "waiting" });
    const both = gather([waiting, sleep(2)]);
    createTask(() => both, { name: "top" });
    yield* sleep(1);
    assertEquals(brief(captureCallGraph(waiting)), `waiting(${both.constructor.name}(top))`);
    event.set();
    yield* both;
  });
});

Deno.test("captureCallGraph() gives the current task by default, and null outside of one", async () => {
  await runVirtual(function* () {
    assertEquals(captureCallGraph()?.future, currentTask());
    const outside = getRunningLoop().createFuture<CallGraph | null>();
    getRunningLoop().callSoon(() => outside.setResult(captureCallGraph()));
    assertEquals(yield* outside, null);
  });
});

Deno.test("printCallGraph() prints a tree, deeper for each who waits", async () => {
  await runVirtual(function* () {
    const worker = createTask(() => sleep(1), { name: "worker" });
    const top = createTask(() => worker, { name: "top" });
    yield* sleep(0.5);
    assertEquals(lines(worker), ['* task "worker"', "  awaited by", '    * task "top"']);
    assertEquals(formatCallGraph(worker), lines(worker).join("\n"));
    assertEquals([lines(null), formatCallGraph(null)], [["No task is running"], ""]);
    yield* top;
  });
});

Deno.test("printCallGraph() tells in debug mode where a task was created", async () => {
  await runVirtual(function* () {
    getRunningLoop().setDebug(true);
    const worker = createTask(() => sleep(1), { name: "worker" });
    const [line = ""] = lines(worker);
    assert(/^\* task "worker" at .*call_graph_test\.ts:\d+:\d+\)?$/.test(line), line);
    yield* worker;
  });
});

/** Ways to wait for a task. */
const WAYS: Readonly<
  Record<string, (task: Future<unknown>) => Iterable<unknown> & PromiseLike<unknown>>
> = {
  "timeout()": (task) => timeout(9, () => task),
  "timeout() of a coroutine": (task) => timeout(9, () => waitIn(task)),
  "timeoutAt() of an async function": (task) => timeoutAt(null, async () => await task),
  "timeout() in timeout()": (task) => timeout(9, () => timeout(9, async () => await task)),
  "waitFor()": (task) => waitFor(task, 9),
  "waitFor() in a task of its own": (task) => gather([waitFor(task, 9)]),
  "taskGroup()": (task) => taskGroup(async () => await task),
  "taskGroup() with a child": (task) => taskGroup((group) => void group.createTask(() => task)),
  "gather()": (task) => gather([task]),
  "shield()": (task) => shield(task),
  "wait()": (task) => wait([task]),
  "asCompleted()": (task) => [...asCompleted([task])][0] as Future<unknown>,
};

function* waitIn(task: Future<unknown>): Coroutine<unknown> {
  return yield* task;
}

function names(graph: CallGraph): string[] {
  return [graph.name, ...graph.awaitedBy.flatMap(names)];
}

for (const [way, wait] of Object.entries(WAYS)) {
  Deno.test(`captureCallGraph() and Task.awaiting() see through ${way}`, async () => {
    await runVirtual(function* () {
      const worker = createTask(() => sleep(2), { name: "worker" });
      const consumers = [
        createTask(function* () {
          yield* wait(worker);
        }, { name: "coroutine" }),
        createTask(async () => void await wait(worker), { name: "function" }),
      ];
      yield* sleep(1);
      const graph = captureCallGraph(worker);
      assert(graph !== null);
      const found = names(graph);
      assertEquals(found.filter((name) => name === "coroutine" || name === "function").length, 2);
      for (const consumer of consumers) assertEquals(consumer.awaiting().length, 1);
      assertEquals(lines(worker).some((line) => line.endsWith('* task "function"')), true);
      yield* gather(consumers);
    });
  });
}

Deno.test("captureCallGraph() sees a consumer of asCompleted() with for await", async () => {
  await runVirtual(async () => {
    const worker = createTask(() => sleep(2), { name: "worker" });
    const consumer = createTask(async () => {
      for await (const done of asCompleted([worker])) await done;
    }, { name: "consumer" });
    await sleep(1);
    assertEquals(names(captureCallGraph(worker) as CallGraph).at(-1), "consumer");
    await consumer;
  });
});

Deno.test("captureCallGraph() lists once who waits for a task that many share", async () => {
  await runVirtual(async () => {
    const root = createTask(() => sleep(1), { name: "root" });
    let layer: Future<unknown>[] = [root];
    for (let depth = 0; depth < 30; depth += 1) {
      const before = layer;
      layer = [0, 1, 2].map(() =>
        createTask(async () => {
          await Promise.all(before);
        })
      );
    }
    await sleep(0.5);
    const printed = lines(root);
    // Three edges to each of three tasks of a layer, and a line for those that are waited for.
    assertEquals(printed.filter((line) => line.includes('task "')).length, 1 + 3 + 29 * 9);
    assertEquals(printed.filter((line) => line.endsWith("(as above)")).length, 28 * 6);
    await gather(layer);
  });
});

Deno.test("captureCallGraph() of tasks that wait for each other in a circle ends", async () => {
  await runVirtual(function* () {
    const tasks: Future<void>[] = ["a", "b"].map((name, index) =>
      createTask(function* () {
        yield* tasks[1 - index] as Future<void>;
      }, { name })
    );
    yield* sleep(0);
    const [a] = tasks;
    assert(a);
    assertEquals(brief(captureCallGraph(a)), "a(b(a))");
    assertEquals(captureCallGraph(a)?.awaitedBy[0]?.awaitedBy[0]?.repeated, true);
    assertEquals(lines(a).at(-1)?.trim(), '* task "a" (as above)');
    a.cancel();
    yield* sleep(0);
  });
});

Deno.test("captureCallGraph() and printCallGraph() take a chain of 50,000 tasks", async () => {
  await runVirtual(function* () {
    const root = createTask(() => sleep(1), { name: "root" });
    let last: Future<unknown> = root;
    for (let depth = 0; depth < 50_000; depth += 1) {
      const before = last;
      last = createTask(waitIn(before), { name: depth });
    }
    yield* sleep(0.5);
    const printed = lines(root);
    assertEquals(printed.length, 2 * 50_000 + 1);
    assertEquals(printed.at(-1)?.trim(), '* [50000] task "49999"');
    assert(printed.every((line) => line.length < 200));
    yield* last;
  });
});
