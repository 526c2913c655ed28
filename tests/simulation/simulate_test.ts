import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CancelledError,
  createTask,
  DeadlockError,
  gather,
  InvalidStateError,
  sleep,
  TimeoutError,
} from "../../loop/mod.ts";
import {
  simulate,
  type SimulateOptions,
  type SimulationMain,
  Trace,
} from "../../simulation/mod.ts";

/** Runs what has to fail, and keeps the report of it. */
async function failing(main: SimulationMain<unknown>, options: SimulateOptions = {}) {
  const lines: string[] = [];
  const error = await assertRejects(() =>
    simulate(main, { ...options, report: (line) => lines.push(line) })
  );
  return { error: error as Error, lines };
}

Deno.test("simulate() gives what main gives, whatever kind of body it has", async () => {
  assertEquals(await simulate(() => 1), 1);
  assertEquals(await simulate(async ({ loop }) => (await sleep(2), loop.time())), 2);
  assertEquals(
    await simulate(function* ({ loop }) {
      yield* sleep(3);
      return loop.time();
    }),
    3,
  );
});

Deno.test("simulate() takes Date, performance and Temporal from its own time", async () => {
  await simulate(async () => {
    await sleep(90.5);
    assertEquals(Date.now(), Date.UTC(2000, 0, 1, 0, 1, 30, 500));
    assertEquals(new Date().toISOString(), "2000-01-01T00:01:30.500Z");
    assert(new Date(0) instanceof Date);
    assertEquals(performance.now(), 90_500);
    assertEquals(Temporal.Now.instant().toString(), "2000-01-01T00:01:30.5Z");
    assertEquals(Temporal.Now.plainTimeISO("UTC").toString(), "00:01:30.5");
  });
  assert(Date.now() > Date.UTC(2025));
});

Deno.test("simulate() takes all chance from the seed", async () => {
  const draw = (seed: number) =>
    simulate(async ({ random }) => {
      await sleep(0);
      const words = crypto.getRandomValues(new Uint32Array(2));
      return [Math.random(), random.next(), words.join(), crypto.randomUUID()];
    }, { seed });

  assertEquals(await draw(1), await draw(1));
  for (const [index, value] of (await draw(2)).entries()) assert(value !== (await draw(1))[index]);
  const [, , , uuid] = await draw(3);
  assert(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(String(uuid)),
  );
});

Deno.test("simulate() runs the timers of foreign code in virtual time", async () => {
  const log: string[] = [];
  await simulate(async ({ loop }) => {
    const note = (what: string) => log.push(`${what} ${loop.time()}`);
    setTimeout(note, 1500, "timeout");
    const interval = setInterval(() => note("interval"), 1000);
    clearTimeout(setTimeout(() => note("never"), 10));
    await new Promise((resolve) => setTimeout(resolve, 2200));
    clearInterval(interval);
    const signal = AbortSignal.timeout(60_000);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    note(signal.reason.name);
  });
  assertEquals(log, ["interval 1", "timeout 1.5", "interval 2", "TimeoutError 62.2"]);
});

Deno.test("simulate() refuses what reaches the real world, and outside() lets it through", async () => {
  const text = await simulate(async ({ outside, loop }) => {
    await assertRejects(() => fetch("http://127.0.0.1"), InvalidStateError, "Cannot call fetch()");
    await assertRejects(() => Deno.connect({ port: 1 }), InvalidStateError);
    await assertRejects(() => Deno.readTextFile("x"), InvalidStateError, "sim.outside()");
    assertThrows(() => Deno.listen({ port: 0 }), InvalidStateError);
    assertThrows(() => new Deno.Command("true"), InvalidStateError);
    assertThrows(() => new WebSocket("ws://127.0.0.1"), InvalidStateError);
    assertThrows(() => new Worker("data:,"), InvalidStateError);
    await crypto.subtle.digest("SHA-256", new Uint8Array(1));
    const text = await outside(() => new Promise((resolve) => setTimeout(resolve, 1, "real")));
    assertEquals(loop.time(), 0);
    return text;
  });
  assertEquals(text, "real");
});

Deno.test("simulate() leaves the globals of code outside of it alone, and restores them", async () => {
  const before = [Date, Math.random, setTimeout, Deno.connect, performance.now];
  let during: unknown[] = [];
  const inside = simulate(async ({ outside }) => {
    await outside(() => {
      during = [Date, Math.random, setTimeout, Deno.connect, performance.now];
      return Promise.resolve();
    });
    assert(Date !== before[0]);
  });
  await inside;
  assertEquals(during, before);
  assertEquals([Date, Math.random, setTimeout, Deno.connect, performance.now], before);
});

Deno.test("simulate() twice at the same time keeps the two worlds apart", async () => {
  const count = (step: number) =>
    simulate(async () => {
      const times = [];
      for (let index = 0; index < 3; index += 1) {
        await sleep(step);
        times.push(performance.now());
      }
      return times;
    });
  assertEquals(await Promise.all([count(1), count(7)]), [[1000, 2000, 3000], [7000, 14000, 21000]]);
});

Deno.test("simulate() fails with errors that nobody has handled", async () => {
  const boom = () => {
    throw new Error("boom");
  };
  const cases: SimulationMain<unknown>[] = [
    ({ loop }) => void loop.callSoon(boom),
    () => void createTask(boom),
    async () => {
      setTimeout(boom);
      await sleep(1);
    },
    async () => {
      Promise.reject(new Error("boom"));
      await sleep(1);
    },
    async ({ clock }) => {
      clock.schedule(1, boom);
      await sleep(2);
    },
  ];
  for (const main of cases) assertEquals((await failing(main)).error.message, "boom");
  const { error } = await failing(({ loop }) => {
    loop.callSoon(boom);
    loop.callSoon(boom);
  });
  assert(error instanceof AggregateError);
});

Deno.test("simulate() reports a failure in one line that repeats it", async () => {
  const { lines } = await failing(() => Promise.reject(new Error("no")), {
    seed: 7,
    schedule: "pct",
  });
  assertEquals(lines, [`Simulation failed; to repeat it: { seed: 7, schedule: "pct" }`]);
});

Deno.test("simulate() ends what never ends: a deadlock, a circle without time, too much time", async () => {
  const forever = (delay: number) => async () => {
    for (;;) await sleep(delay);
  };
  assert((await failing(({ loop }) => loop.createFuture())).error instanceof DeadlockError);
  assert((await failing(() => new Promise(() => {}))).error instanceof DeadlockError);
  assert((await failing(forever(0))).error instanceof InvalidStateError);
  assert((await failing(forever(1), { timeLimit: 100 })).error instanceof TimeoutError);
});

Deno.test("simulate() cancels the tasks that main leaves, as run() does", async () => {
  const log: string[] = [];
  await simulate(() => {
    createTask(async () => {
      try {
        await sleep(3600);
      } finally {
        await sleep(1);
        log.push("cleaned up");
      }
    });
    return sleep(0);
  });
  assertEquals(log, ["cleaned up"]);
});

Deno.test("Simulation.signal() cancels main as a real signal does", async () => {
  const { error } = await failing(async (sim) => {
    sim.loop.callLater(1, () => sim.signal("SIGTERM"));
    await sleep(100);
  });
  assert(error instanceof CancelledError);
  assertEquals(error.message, "SIGTERM");
});

Deno.test("Simulation.signal() reaches listeners of the loop's platform and of Deno", async () => {
  const log: string[] = [];
  await simulate((sim) => {
    const listener = () => log.push("deno");
    Deno.addSignalListener("SIGUSR1", listener);
    const unlisten = sim.loop.platform.signals.listen("SIGUSR1", () => log.push("platform"));
    assertEquals(sim.signal("SIGUSR1"), true);
    unlisten();
    Deno.removeSignalListener("SIGUSR1", listener);
    assertEquals(sim.signal("SIGUSR1"), false);
  });
  assertEquals(log, ["deno", "platform"]);
});

Deno.test("SimulatedHost.run() runs on a loop of its own, in the time of all", async () => {
  await simulate(async (sim) => {
    const host = sim.host("server");
    const value = await host.run(async () => (await sleep(3), "done"));
    assertEquals([value, sim.loop.time()], ["done", 3]);
    assert(host.loop !== sim.loop);
    await assertRejects(() => host.run(() => Promise.reject(new Error("no"))), Error, "no");
  });
});

Deno.test("SimulatedHost.crash() ends its tasks where they stand, and restart() begins anew", async () => {
  const log: string[] = [];
  await simulate(async (sim) => {
    const host = sim.host("server");
    const running = host.run(async () => {
      log.push(`start ${sim.loop.time()}`);
      try {
        await sleep(10);
        log.push(`end ${sim.loop.time()}`);
      } finally {
        log.push("cleanup");
      }
    });
    await sleep(4);
    host.crash();
    host.crash();
    assertEquals(host.isUp, false);
    assertThrows(() => sim.host("main").crash(), InvalidStateError, "the simulation runs on it");
    await assertRejects(() => running, CancelledError, 'Host "server" crashed');
    await sleep(1);
    await host.restart();
  });
  assertEquals(log, ["start 0", "start 5", "end 15", "cleanup"]);
});

Deno.test("a deadlock over several hosts names the tasks of all", async () => {
  const { error } = await failing(async (sim) => {
    sim.host("server").run(() => sim.host("server").loop.createFuture());
    await sim.loop.createFuture();
  });
  assert(error instanceof DeadlockError);
  assert(error.message.includes(`task "Task-1" waits for a future; on host "server": `));
  assert(error.message.includes(`task "main of server" waits for a future`));
});

for (const schedule of ["fifo", "random", "pct"] as const) {
  Deno.test(`simulate() with the ${schedule} schedule gives the same trace for the same seed`, async () => {
    const record = async (seed: number) => {
      const trace = new Trace();
      await simulate(async () => {
        await gather([0, 1, 2, 3].map((index) => async () => {
          for (let step = 0; step < 3; step += 1) await sleep(Math.random() < 0.5 ? 0 : index);
        }));
      }, { seed, schedule, trace });
      return String(trace);
    };
    const traces = new Set<string>();
    for (let seed = 0; seed < 20; seed += 1) {
      const trace = await record(seed);
      assertEquals(trace, await record(seed));
      traces.add(trace);
    }
    assert(traces.size > 15);
  });
}

Deno.test("a DeadlockError of simulate() has the errors that nobody handled as its cause", async () => {
  const planted = new Error("the producer failed");
  const waiting: SimulationMain<unknown> = async ({ loop }) => {
    const answer = loop.createFuture();
    loop.callSoon(() => {
      throw planted;
    });
    await answer;
  };
  const { error } = await failing(waiting);
  assert(error instanceof DeadlockError);
  assert(error.cause === planted);
  const { error: alone } = await failing(({ loop }) => loop.createFuture());
  assertEquals("cause" in alone, false);
});
