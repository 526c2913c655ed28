// Meters and tracers that throw: telemetry never decides what a program does.
import { assertEquals, assertThrows } from "@std/assert";
import { instrument, type MetricMeter, type TaskTracer } from "../../inspector/telemetry.ts";
import { createTask, DenoEventLoop, sleep, type Task, wait } from "../../loop/mod.ts";

const ODD: readonly unknown[] = [new Error("no"), Object.create(null), Symbol("no"), undefined];

/** Runs `body` on a loop that is instrumented; returns how often its exception handler was told. */
async function countReports(
  receivers: { meter?: MetricMeter; tracer?: TaskTracer },
  body: (loop: DenoEventLoop) => Promise<unknown>,
): Promise<number> {
  const loop = new DenoEventLoop();
  let reports = 0;
  loop.setExceptionHandler(() => void (reports += 1));
  await loop.runUntilComplete(async () => {
    using _ = instrument(loop, receivers);
    await body(loop);
  });
  loop.close();
  return reports;
}

function thrower(thrown: unknown): () => never {
  return () => {
    throw thrown;
  };
}

/** A tracer that throws where `place` says. */
function oddTracer(place: string, thrown: unknown): TaskTracer {
  const fail = (here: string) => {
    if (here === place) throw thrown;
  };
  const span = {
    setAttribute: () => fail("setAttribute"),
    setStatus: () => fail("setStatus"),
    end: () => fail("end"),
  };
  return {
    startActiveSpan<R>(_name: string, work: (given: typeof span) => R): R {
      fail("startActiveSpan");
      const result = work(span);
      fail("afterwards");
      return result;
    },
  };
}

for (const place of ["startActiveSpan", "setAttribute", "setStatus", "end", "afterwards"]) {
  Deno.test(`A task runs once, whatever its tracer throws from ${place}`, async () => {
    for (const thrown of ODD) {
      let runs = 0;
      const reports = await countReports({ tracer: oddTracer(place, thrown) }, async () => {
        const task: Task<void> = createTask(async () => {
          runs += 1;
          await sleep(0);
          throw new RangeError("its own");
        });
        await wait([task]);
        assertThrows(() => task.result(), RangeError, "its own");
      });
      assertEquals([runs, reports], [1, 1]);
    }
  });
}

Deno.test("createTask() throws what the factory below throws, once, and the span ends", () => {
  let ended = 0;
  const span = { setAttribute() {}, setStatus() {}, end: () => void (ended += 1) };
  const tracer: TaskTracer = { startActiveSpan: (_name, work) => work(span) };
  let calls = 0;
  const loop = new DenoEventLoop();
  loop.setTaskFactory(() => {
    calls += 1;
    throw new RangeError("full");
  });
  {
    using _ = instrument(loop, { tracer });
    assertThrows(() => loop.createTask(() => 1), RangeError, "full");
  }
  loop.close();
  assertEquals([ended, calls], [1, 1]);
});

Deno.test("A loop runs on, whatever its meter throws when a timer has fired", async () => {
  for (const thrown of ODD) {
    const meter: MetricMeter = {
      createObservableGauge: () => ({}),
      createObservableCounter: () => ({}),
      createHistogram: () => ({ record: thrower(thrown) }),
      addBatchObservableCallback() {},
      removeBatchObservableCallback() {},
    };
    assertEquals(await countReports({ meter }, () => sleep(0.001)), 1);
  }
});
