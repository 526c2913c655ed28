import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { sleep } from "../../../mod.ts";
import { InvalidStateError } from "../../../loop/errors/errors.ts";
import { simulate, Trace } from "../../../simulation/mod.ts";
import { exploreWeb, ViolationError } from "../../../simulation/web/mod.ts";

const silent = { report: () => {} };

Deno.test("exploreWeb() tries seeds and schedules, after a run that warms up", async () => {
  const seeds: number[] = [];
  const { runs, failure } = await exploreWeb(({ seed }) => void seeds.push(seed), {
    runs: 3,
    seed: 7,
  });
  assertEquals([runs, failure], [3, null]);
  assertEquals(seeds, [7, 7, 8, 9]);
});

Deno.test("always() ends the run at the packet after which it does not hold", async () => {
  const { failure } = await exploreWeb(async ({ host, always }) => {
    let count = 0;
    host("server").serve(() => new Response(`${count += 1}`));
    always("two at most", () => count <= 2);
    for (let request = 0; request < 5; request += 1) await (await fetch("http://server/")).text();
    throw new RangeError("Cannot come here: three requests are too many");
  }, { runs: 1, ...silent });
  assert(failure?.error instanceof ViolationError);
  assertEquals(failure.error.claim, "two at most");
  const posts = failure.trace.lines.filter((line) => line.endsWith("server GET /"));
  assertEquals(posts.length, 3);
});

Deno.test("always() takes what throws for what does not hold", async () => {
  const { failure } = await exploreWeb(({ always }) => {
    always("throws", () => {
      throw new RangeError("inside");
    });
  }, { runs: 1, ...silent });
  assert(failure?.error instanceof ViolationError);
  assert(failure.error.cause instanceof RangeError);
});

Deno.test("eventually() ends the faults, waits, and fails when its time is over", async () => {
  const faults = "1 crash server 1000; 1 partition other 1000; 20 crash server 5";
  const times: number[] = [];
  const { failure } = await exploreWeb(async ({ host, eventually, loop }) => {
    for (const name of ["server", "other"]) host(name).serve(() => new Response("ok"));
    await sleep(2);
    for (const name of ["server", "other"]) {
      await eventually(() => fetch(`http://${name}/`).then(({ ok }) => ok, () => false), 5);
    }
    times.push(Math.floor(loop.time()));
    await sleep(30);
    await eventually(() => false, 5, "never");
  }, { runs: 1, faults, ...silent });
  assert(failure?.error instanceof ViolationError);
  assertEquals(failure.error.message, "Cannot go on: never: it does not hold within 5 seconds");
  assertEquals(times[0], 2);
});

Deno.test("sometimes() fails when it holds in no run, and is content with one", async () => {
  const first = await exploreWeb(({ sometimes, seed }) => sometimes("seed 2", seed === 2), {
    runs: 3,
  });
  assertEquals(first.failure, null);
  const { failure } = await exploreWeb(({ sometimes }) => sometimes("never", false), { runs: 3 });
  assertEquals(
    String(failure?.error),
    "ViolationError: Cannot go on: never: it holds in none of 3 runs",
  );
});

Deno.test("exploreWeb() with check finds a run that does not repeat", async () => {
  let run = 0;
  const body = () => sleep(run += 1);
  await assertRejects(
    () => exploreWeb(body, { runs: 1, check: true }),
    InvalidStateError,
    "Cannot repeat the run with seed 0",
  );
  const { failure } = await exploreWeb(async ({ host }) => {
    host("server").serve(() => new Response(crypto.randomUUID()));
    await (await fetch("http://server/")).text();
  }, { runs: 6, check: true, faults: { hosts: ["server"] } });
  assertEquals(failure, null);
});

Deno.test("faults are drawn by a generator of their own, and a plan repeats them", async () => {
  const drawn: string[] = [];
  const planned: string[] = [];
  const body = async (trace: Trace, faults: Parameters<typeof simulate>[1]) => {
    await simulate(async ({ host }) => {
      for (const name of ["a", "b"]) host(name).run(() => sleep(100));
      await sleep(50);
    }, { seed: 3, trace, ...faults });
    return trace.lines.filter((line) => line.includes(" fault "));
  };
  drawn.push(...await body(new Trace(), { faults: { hosts: ["a", "b"], count: 20, within: 30 } }));
  assert(drawn.length > 3, String(drawn));
  const plan = drawn.map((line) => line.replace(/^(\S+) (\S+) fault (\S+) (\S+)$/, "$1 $3 $2 $4"));
  planned.push(...await body(new Trace(), { faults: plan.join("; ") }));
  assertEquals(planned, drawn);
});

Deno.test("a fault plan that cannot be read is refused", async () => {
  const body = () => {};
  await assertRejects(
    () => simulate(body, { faults: "soon crash a 1" }),
    RangeError,
    "Cannot use the fault",
  );
  await assertRejects(
    () => simulate(body, { faults: "1 melt a 1" }),
    RangeError,
    "Cannot use the fault",
  );
});

Deno.test("SimulatedHost.kill() resets connections; crash() leaves their peers alone", async () => {
  for (const how of ["kill", "crash"] as const) {
    const result = await simulate(async ({ host, loop }) => {
      const server = host("server");
      server.run(() => {
        Deno.serve({ port: 80, onListen: () => {} }, () => new Promise<Response>(() => {}));
      });
      await sleep(1);
      setTimeout(() => server[how](), 1000);
      const name = await fetch("http://server/", { signal: AbortSignal.timeout(10_000) }).then(
        () => "none",
        (error) => error.name,
      );
      return [name, Math.round(loop.time())];
    }, { web: true });
    assertEquals(result, how === "kill" ? ["TypeError", 2] : ["TimeoutError", 11]);
  }
});

Deno.test("SimulatedHost.pause() lets nothing run on the host, and loses nothing", async () => {
  const log: string[] = [];
  await simulate(async ({ host, loop }) => {
    const note = (what: string) => log.push(`${what} ${loop.time().toFixed(1)}`);
    const server = host("server");
    server.run(async () => {
      Deno.serve({ port: 80, onListen: () => {} }, () => {
        note("request");
        return new Response("ok");
      });
      setTimeout(() => note("timer"), 2000);
      await sleep(3);
      note("task");
    });
    await sleep(1);
    server.pause(5);
    await (await fetch("http://server/")).text();
    note("answer");
    await sleep(1);
  }, { web: true });
  assertEquals(log.slice(0, 3).toSorted(), ["request 6.0", "task 6.0", "timer 6.0"]);
  assertEquals(log[3], "answer 6.0");
});

Deno.test("the host of the simulation itself is neither killed nor paused", async () => {
  await simulate(({ host }) => {
    assertThrows(() => host("main").kill(), InvalidStateError, 'Cannot kill host "main"');
    assertThrows(() => host("main").pause(1), InvalidStateError, 'Cannot pause host "main"');
  });
});

Deno.test("each request is a task of its host, in its own order, and ends with it", async () => {
  const log: string[] = [];
  await simulate(async ({ host, loop }) => {
    const server = host("server");
    server.run(() => {
      Deno.serve({ port: 80, onListen: () => {} }, async () => {
        log.push(`begin ${loop.time().toFixed(0)}`);
        try {
          await sleep(5);
        } finally {
          log.push("the end is not seen after a crash");
        }
        return new Response("late");
      });
    });
    await sleep(1);
    fetch("http://server/").catch(() => {});
    await sleep(1);
    server.crash();
    await sleep(10);
  }, { web: true });
  assertEquals(log, ["begin 1"]);
});

Deno.test("two simulations side by side do not mix", async () => {
  const run = (seed: number) =>
    simulate(async ({ host, loop }) => {
      host("server").run(() => {
        Deno.serve({ port: 80, onListen: () => {} }, async () => {
          await sleep(seed);
          return new Response(`${seed} ${loop.time().toFixed(0)}`);
        });
      });
      const texts: string[] = [];
      for (let request = 0; request < 3; request += 1) {
        texts.push(await (await fetch("http://server/")).text());
      }
      return texts;
    }, { web: true, seed });
  const [one, two] = await Promise.all([run(1), run(2)]);
  assertEquals(one, ["1 1", "1 2", "1 3"]);
  assertEquals(two, ["2 2", "2 4", "2 6"]);
});
