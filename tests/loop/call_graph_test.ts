// Who waits for whom: captureCallGraph() and printCallGraph().
import { assert, assertEquals } from "@std/assert";
import {
  type CallGraph,
  captureCallGraph,
  type Coroutine,
  createTask,
  currentTask,
  Event,
  type Future,
  gather,
  getRunningLoop,
  printCallGraph,
  sleep,
} from "../../loop/mod.ts";
import { KINDS } from "./_outcome.ts";
import { runVirtual } from "./_test_loop.ts";

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
    assertEquals(lines(null), ["No task is running"]);
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
