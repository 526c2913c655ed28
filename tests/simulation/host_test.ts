// What a simulated program could tell the host by: its time, its chance, what it answers later, and
// what stays in it. Each is served by the world, held, or refused by name.
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import timers from "node:timers";
import timersPromises from "node:timers/promises";
import { describeThrown } from "../../loop/values/describe.ts";
import { createSubprocessExec, InvalidStateError, sleep, timeout } from "../../mod.ts";
import { explore, simulate, type Simulation } from "../../simulation/mod.ts";

/** The first moment of a simulation. */
const EPOCH = Date.UTC(2000, 0, 1);
/** 1 s later, when each of the following is asked. */
const NOW = EPOCH + 1000;

/** Ways to tell the time, with what they give after one simulated second. */
const TIMES: Record<string, [tell: () => unknown, expected: unknown]> = {
  "Date.now()": [() => Date.now(), NOW],
  "new Date()": [() => new Date().getTime(), NOW],
  "Date()": [() => new Date(Date()).getTime(), NOW],
  "new Date().constructor.now()": [() => (new Date().constructor as typeof Date).now(), NOW],
  "Reflect.construct(Date, [])": [() => Reflect.construct(Date, []).getTime(), NOW],
  "Temporal.Now.instant()": [() => Temporal.Now.instant().epochMilliseconds, NOW],
  "performance.now()": [() => performance.now(), 1000],
  "Performance.prototype.now.call()": [() => Performance.prototype.now.call(performance), 1000],
  "performance.timeOrigin": [() => performance.timeOrigin, EPOCH],
  "performance.toJSON()": [() => performance.toJSON().timeOrigin, EPOCH],
  "performance.mark()": [() => performance.mark("a mark").startTime, 1000],
  "performance.measure()": [() => performance.measure("a measure").duration, 1000],
  "performance.measure() from a mark": [() => {
    performance.mark("begin", { startTime: 400 });
    return performance.measure("a measure", "begin").duration;
  }, 600],
  "performance.measure() from a start": [
    () => performance.measure("a measure", { start: 900 }).duration,
    100,
  ],
  "new PerformanceMark()": [() => new PerformanceMark("a mark").startTime, 1000],
  "Event.timeStamp": [() => new Event("any").timeStamp, 1000],
  "File.lastModified": [() => new File([], "any").lastModified, NOW],
  "File.lastModified that was given": [
    () => new File([], "any", { lastModified: 7 }).lastModified,
    7,
  ],
  "new file.constructor()": [() => {
    const { constructor } = new File([], "any");
    return new (constructor as typeof File)([], "other").lastModified;
  }, NOW],
  "a file of FormData": [() => {
    const form = new FormData();
    form.append("file", new Blob(["x"]), "name");
    const file = form.get("file") as File;
    return [file.name, file.lastModified];
  }, ["name", NOW]],
  "Intl.DateTimeFormat.format()": [() => utcYear().format(), "2000"],
  "Intl.DateTimeFormat.formatToParts()": [() => utcYear().formatToParts()[0]?.value, "2000"],
  "Intl.DateTimeFormat.format() of a date": [() => utcYear().format(Date.UTC(1990, 5)), "1990"],
  "process.hrtime()": [() => hostProcess().hrtime(), [1, 0]],
  "process.hrtime() since": [() => hostProcess().hrtime([0, 999_999_999]), [0, 1]],
  "process.hrtime.bigint()": [() => hostProcess().hrtime.bigint(), 1_000_000_000n],
  "process.uptime()": [() => hostProcess().uptime(), 1],
  "Deno.osUptime()": [() => Deno.osUptime(), 1],
};

function utcYear(): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en", { year: "numeric", timeZone: "UTC" });
}

/** What of `process` is asked here. */
interface HostProcess {
  hrtime: { (since?: [number, number]): [number, number]; bigint(): bigint };
  uptime(): number;
  env: Record<string, string | undefined>;
  chdir(path: string): void;
}

function hostProcess(): HostProcess {
  return Reflect.get(globalThis, "process") as HostProcess;
}

for (const [name, [tell, expected]] of Object.entries(TIMES)) {
  Deno.test(`simulate() serves the time of ${name}`, async () => {
    const told = await simulate(async () => {
      await sleep(1);
      return tell();
    });
    assertEquals(told, expected);
  });
}

/** Timers of the host, with the milliseconds that each takes. */
const TIMERS: Record<string, [wait: () => PromiseLike<unknown>, milliseconds: number]> = {
  "setTimeout()": [() => new Promise((resolve) => setTimeout(resolve, 5000)), 5000],
  "timers.setTimeout()": [() => new Promise((end) => void timers.setTimeout(end, 5000)), 5000],
  "timers.setInterval()": [
    () =>
      new Promise<void>((resolve) => {
        const timer = timers.setInterval(() => {
          timers.clearInterval(timer);
          resolve();
        }, 700);
      }),
    700,
  ],
  "timers.setImmediate()": [() => new Promise((end) => void timers.setImmediate(end)), 0],
  "timersPromises.setTimeout()": [() => timersPromises.setTimeout(5000), 5000],
  "timersPromises.setImmediate()": [() => timersPromises.setImmediate(), 0],
  "timersPromises.scheduler.wait()": [() => timersPromises.scheduler.wait(300), 300],
  "timersPromises.setInterval()": [async () => {
    let count = 0;
    for await (const _ of timersPromises.setInterval(10)) if (++count === 3) break;
  }, 30],
  "an aborted timersPromises.setTimeout()": [async () => {
    const signal = AbortSignal.timeout(40);
    const error = await assertRejects(() => timersPromises.setTimeout(5000, null, { signal }));
    assertEquals((error as Error).name, "AbortError");
  }, 40],
  "AbortSignal.timeout()": [
    () => new Promise((end) => AbortSignal.timeout(50).addEventListener("abort", end)),
    50,
  ],
};

for (const [name, [wait, milliseconds]] of Object.entries(TIMERS)) {
  Deno.test(`simulate() runs ${name} in its own time`, async () => {
    const passed = await simulate(async ({ loop }) => {
      await wait();
      return Math.round(loop.time() * 1000);
    });
    assertEquals(passed, milliseconds);
  });
}

/** Ways to draw from chance. */
const CHANCES: Record<string, () => unknown> = {
  "Math.random()": () => Math.random(),
  "crypto.getRandomValues()": () => [...crypto.getRandomValues(new Uint8Array(8))],
  "Crypto.prototype.getRandomValues.call()": () => [
    ...Crypto.prototype.getRandomValues.call(crypto, new Uint32Array(2)) as Uint32Array,
  ],
  "crypto.randomUUID()": () => crypto.randomUUID(),
  "Crypto.prototype.randomUUID.call()": () => Crypto.prototype.randomUUID.call(crypto),
  "URL.createObjectURL()": () => URL.createObjectURL(new Blob(["x"])),
};

for (const [name, draw] of Object.entries(CHANCES)) {
  Deno.test(`simulate() draws ${name} from the seed`, async () => {
    const drawn = (seed: number) => simulate(() => [draw(), draw()], { seed });
    const first = await drawn(1);
    assertEquals(await drawn(1), first);
    assert(JSON.stringify(first[0]) !== JSON.stringify(first[1]));
    assert(JSON.stringify(await drawn(2)) !== JSON.stringify(first));
  });
}

Deno.test("crypto.getRandomValues() in a simulation refuses what the host's refuses", async () => {
  await simulate(() => {
    assertThrows(() => crypto.getRandomValues(new Float32Array(1) as never), DOMException);
    assertThrows(() => crypto.getRandomValues(new Uint8Array(65_537)), DOMException);
    assertThrows(() => crypto.getRandomValues([] as never), DOMException);
    assertThrows(() => crypto.getRandomValues(new DataView(new ArrayBuffer(1))), DOMException);
  });
});

Deno.test("WeakRef and FinalizationRegistry in a simulation forget nothing", async () => {
  await simulate(async () => {
    const object = {};
    const [ref, registry] = [new WeakRef(object), new FinalizationRegistry(() => {})];
    registry.register(object, "held");
    await sleep(1);
    assert(ref.deref() === object);
    assertEquals([String(ref), ref instanceof WeakRef], ["[object WeakRef]", true]);
    assertEquals(registry.unregister(object), false);
  });
});

const MODULE = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]);
let imports = 0;

/** What the host answers later. */
const LATER: Record<string, () => PromiseLike<unknown>> = {
  "crypto.subtle.digest()": () => crypto.subtle.digest("SHA-256", MODULE),
  "WebAssembly.compile()": () => WebAssembly.compile(MODULE),
  "WebAssembly.instantiate()": () => WebAssembly.instantiate(MODULE),
  "import() of data": () => import(`data:text/javascript,export default ${++imports}`),
  "import() of a graph": () => {
    const inner = `data:text/javascript,export default ${++imports}`;
    return import(
      `data:text/javascript,${encodeURIComponent(`export { default } from "${inner}"`)}`
    );
  },
  "import() of JSON": () =>
    import(`data:application/json,${++imports}`, { with: { type: "json" } }),
  "import() that fails": async () => {
    await import(`data:text/javascript,throw new Error("${++imports}")`).catch(() => {});
  },
  "Blob.text()": () => new Blob(["x".repeat(100_000)]).text(),
  "Blob.arrayBuffer()": () => new Blob([MODULE]).arrayBuffer(),
  "a compressed stream": async () => {
    const stream = new Blob(["x".repeat(10_000)]).stream();
    await new Response(stream.pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
  },
  "a message through a port": async () => {
    const { port1, port2 } = new MessageChannel();
    const { promise, resolve } = Promise.withResolvers<void>();
    port1.onmessage = () => resolve();
    port2.postMessage(1);
    await promise;
    port1.close();
  },
  "Deno.permissions.query()": () => Deno.permissions.query({ name: "read" }),
};

for (const [name, work] of Object.entries(LATER)) {
  Deno.test(`simulate() lets no time pass during ${name}`, async () => {
    for (let run = 0; run < 10; run += 1) {
      const passed = await simulate(async ({ loop }) => {
        await sleep(1);
        const before = loop.time();
        await timeout(60, async () => void await work());
        return loop.time() - before;
      });
      assertEquals(passed, 0);
    }
  });
}

/** What is refused, with the name in the error. */
const REFUSED: Record<string, () => unknown> = {
  "fetch()": () => fetch("http://127.0.0.1"),
  "new WebSocket()": () => new WebSocket("ws://127.0.0.1"),
  "new Worker()": () => new Worker("data:text/javascript,", { type: "module" }),
  "WebAssembly.compileStreaming()": () => WebAssembly.compileStreaming(new Response()),
  "WebAssembly.instantiateStreaming()": () => WebAssembly.instantiateStreaming(new Response()),
  "Atomics.waitAsync()": () =>
    (Atomics as { waitAsync?(...args: unknown[]): unknown }).waitAsync?.(
      new Int32Array(new SharedArrayBuffer(4)),
      0,
      0,
      1,
    ),
  "crypto.subtle.sign() with ECDSA": () =>
    crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, {} as CryptoKey, MODULE),
  "crypto.subtle.generateKey()": () =>
    crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["encrypt"]),
  "Deno.chdir()": () => Deno.chdir("/"),
  "Deno.loadavg()": () => Deno.loadavg(),
  "Deno.memoryUsage()": () => Deno.memoryUsage(),
  "Deno.systemMemoryInfo()": () => Deno.systemMemoryInfo(),
  "Deno.umask()": () => Deno.umask(0),
  "Deno.readFile()": () => Deno.readFile("/etc/hosts"),
  "Deno.stdin.read()": () => Deno.stdin.read(new Uint8Array(1)),
  "Deno.permissions.request()": () => Deno.permissions.request({ name: "read" }),
  "process.chdir()": () => hostProcess().chdir("/"),
  "localStorage.getItem()": () => localStorage.getItem("x"),
  "caches.open()": () => caches.open("x"),
  "prompt()": () => prompt("?"),
};

for (const [name, call] of Object.entries(REFUSED)) {
  Deno.test(`simulate() refuses ${name} by name`, async () => {
    const error = await assertRejects(
      () => simulate(async () => void await call(), { report: () => {} }),
      InvalidStateError,
    );
    assert(error.message.startsWith(`Cannot call ${name} in a simulation`), error.message);
  });
}

Deno.test("simulate() keeps changes of the environment to itself", async () => {
  await simulate(() => {
    Deno.env.set("GYRE_ONE", "1");
    hostProcess().env.GYRE_TWO = "2";
    assertEquals([Deno.env.get("GYRE_TWO"), hostProcess().env.GYRE_ONE], ["2", "1"]);
    assertEquals([Deno.env.has("GYRE_ONE"), "GYRE_TWO" in hostProcess().env], [true, true]);
    Deno.env.delete("GYRE_ONE");
    delete hostProcess().env.GYRE_TWO;
    assertEquals([Deno.env.get("GYRE_ONE"), Deno.env.has("GYRE_TWO")], [undefined, false]);
    Deno.env.set("GYRE_THREE", "3");
  });
  await simulate(() => {
    // The host would have to be asked, and there is no permission for that.
    assertThrows(() => Deno.env.get("GYRE_THREE"), Deno.errors.NotCapable);
  });
});

Deno.test("simulate() leaves no marks, and sees none of others", async () => {
  performance.mark("of the host");
  await simulate(() => {
    performance.mark("of the world");
    performance.measure("a measure", "of the world");
    const names = () => performance.getEntries().map(({ name }) => name).sort();
    assertEquals(names(), ["a measure", "of the world"]);
    assertEquals(performance.getEntriesByName("of the host"), []);
    performance.clearMarks();
    assertEquals(names(), ["a measure"]);
  });
  assertEquals(performance.getEntries().map(({ name }) => name), ["of the host"]);
  performance.clearMarks();
});

Deno.test("simulate() lets a program replace a global for itself only", async () => {
  const replace = async (seen: unknown[]) => {
    globalThis.fetch = (() => "replaced") as unknown as typeof fetch;
    await sleep(1);
    seen.push(fetch("http://127.0.0.1"));
  };
  const [original, seen] = [globalThis.fetch, [] as unknown[]];
  await simulate(() => replace(seen));
  assertEquals(seen, ["replaced"]);
  assert(globalThis.fetch === original);
});

/** The properties of everything that a simulation replaces something of. */
function globals(): unknown[] {
  const owners = [
    globalThis,
    Deno,
    Math,
    Atomics,
    WebAssembly,
    URL,
    AbortSignal,
    Deno.permissions,
    Deno.stdout,
    timers,
    timersPromises,
    ...[Date, File, Blob, FormData, Event, Performance, PerformanceMark, Crypto, SubtleCrypto]
      .map(({ prototype }) => prototype),
    ...[WeakRef, FinalizationRegistry, MessagePort, Deno.FsFile, Intl.DateTimeFormat]
      .map(({ prototype }) => prototype),
    Temporal.Now,
  ];
  return owners.flatMap((owner) => {
    const own = Object.getOwnPropertyDescriptors(owner) as Record<string, PropertyDescriptor>;
    return Object.entries(own).flatMap(([key, { get, set, value, enumerable, writable }]) => {
      return [key, get, set, enumerable, writable, key === "window" ? null : value];
    });
  });
}

const ENDINGS: Record<string, () => unknown> = {
  "success": () => sleep(1),
  "a failure": () => Promise.reject(new Error("planted")),
  "a throw": () => {
    throw new Error("planted");
  },
  "a deadlock": () => new Promise(() => {}),
  "a stray rejection": async () => {
    Promise.reject(new Error("planted"));
    await sleep(1);
  },
};

for (const [name, main] of Object.entries(ENDINGS)) {
  Deno.test(`simulate() puts every global back after ${name}`, async () => {
    const before = globals();
    await simulate(main as () => Promise<void>, { report: () => {} }).catch(() => {});
    const after = globals();
    assertEquals(after.length, before.length);
    for (const [index, value] of before.entries()) assert(Object.is(after[index], value));
  });
}

/** Values that say nothing of themselves, or throw when they are asked. */
function oddValues(): unknown[] {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return [Object.create(null), { toString: null, valueOf: null }, Symbol("odd"), undefined, proxy];
}

Deno.test("simulate() fails with the values that nobody handled, whatever they are", async () => {
  for (const value of oddValues()) {
    const strays = [value, value];
    const failed = simulate(async () => {
      for (const stray of strays) Promise.reject(stray);
      await sleep(1);
    }, { report: () => {} });
    const error = await assertRejects(() => failed, AggregateError, "2 errors were not handled");
    assert(error.errors.length === 2 && error.errors.every((each) => Object.is(each, value)));
  }
});

Deno.test("simulate() fails with what its main throws, whatever it is", async () => {
  for (const value of oddValues()) {
    let thrown: unknown = "nothing";
    try {
      await simulate(() => {
        throw value;
      }, { report: () => {} });
    } catch (error) {
      thrown = error;
    }
    assert(Object.is(thrown, value));
  }
});

/** Where a value may be thrown, other than in `main`; the simulation fails with it. */
const THROWERS: Record<string, (sim: Simulation, value: unknown) => unknown> = {
  "a timer of the host": async (_sim, value) => {
    setTimeout(() => {
      throw value;
    });
    await sleep(1);
  },
  "a callback of the loop": async ({ loop }, value) => {
    loop.callSoon(() => {
      throw value;
    });
    await sleep(1);
  },
  "an appointment": async ({ clock }, value) => {
    clock.schedule(1, () => {
      throw value;
    });
    await sleep(2);
  },
  "another host": ({ host }, value) =>
    host("other").run(() => {
      throw value;
    }),
  "outside()": ({ outside }, value) => outside(() => Promise.reject(value)),
};

for (const [name, thrower] of Object.entries(THROWERS)) {
  Deno.test(`simulate() fails with what ${name} throws, whatever it is`, async () => {
    for (const value of oddValues()) {
      let thrown: unknown = "nothing";
      try {
        await simulate(async (sim) => void await thrower(sim, value), { report: () => {} });
      } catch (error) {
        thrown = error;
      }
      assert(Object.is(thrown, value), describeThrown(thrown));
    }
  });
}

Deno.test("explore() reports and shortens a run that fails with any value", async () => {
  for (const value of oddValues()) {
    const lines: string[] = [];
    const { failure } = await explore(async () => {
      await sleep(1);
      throw value;
    }, { runs: 3, report: (line) => void lines.push(line) });
    assert(failure !== null && Object.is(failure.error, value));
    assert(lines[0]?.startsWith("Run 1 failed with "), lines[0]);
  }
});

Deno.test("a simulated program that throws any value ends with 1 and says so", async () => {
  for (const value of oddValues()) {
    await simulate(async ({ program }) => {
      program("odd", () => {
        throw value;
      });
      const child = await createSubprocessExec("odd", { stderr: "piped" });
      const [, errors] = await child.communicate();
      assertEquals(child.returncode, 1);
      assert((errors?.length ?? 0) > 0);
    });
  }
});
