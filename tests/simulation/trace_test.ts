import { assertEquals } from "@std/assert";
import { createTask, sleep } from "../../mod.ts";
import { diffTraces, simulate, Trace } from "../../simulation/mod.ts";

async function record(delay: number): Promise<Trace> {
  const trace = new Trace();
  await simulate(async ({ note, loop }) => {
    createTask(() => sleep(1), { name: "sleeper" });
    loop.callLater(delay, function alarm() {});
    await sleep(2);
    note("done");
  }, { trace });
  return trace;
}

Deno.test("Trace has a line for each step, with time and host", async () => {
  const { lines } = await record(1.5);
  assertEquals(lines.slice(0, 9), [
    "0 main task Task-1",
    "0 main task sleeper",
    "1 main callback wake()",
    "1 main task sleeper",
    "1.5 main callback alarm()",
    "2 main callback wake()",
    "2 main task Task-1",
    "2 main done",
    "2 main callback stop()",
  ]);
});

Deno.test("Trace.from() reads what toString() has written", async () => {
  const trace = await record(1);
  assertEquals(Trace.from(String(trace)).lines, trace.lines);
  assertEquals(String(new Trace()), "");
});

Deno.test("diffTraces() tells where two traces part, with what comes before", async () => {
  const [first, second] = [await record(0.5), await record(1.5)];
  assertEquals(diffTraces(first, first), null);
  assertEquals(diffTraces(first, second), {
    line: 2,
    before: ["0 main task Task-1", "0 main task sleeper"],
    first: "0.5 main callback alarm()",
    second: "1 main callback wake()",
  });
  assertEquals(diffTraces(new Trace(), Trace.from("0 main x\n"))?.second, "0 main x");
});
