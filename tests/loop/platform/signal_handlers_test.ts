import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  ContextVar,
  DenoEventLoop,
  type ExceptionContext,
  InvalidStateError,
  run,
  type Signals,
  sleep,
} from "../../../loop/mod.ts";

/** Signals that a test raises. */
class FakeSignals implements Signals {
  readonly #listeners: Map<string, Set<() => void>> = new Map();

  listen(signal: Deno.Signal, callback: () => void): () => void {
    if (signal === "SIGBOGUS" as Deno.Signal) throw new TypeError("Invalid signal: SIGBOGUS");
    const listeners = this.#listeners.get(signal) ?? new Set();
    this.#listeners.set(signal, listeners.add(callback));
    return () => listeners.delete(callback);
  }

  raise(signal: Deno.Signal): void {
    for (const callback of this.#listeners.get(signal) ?? []) callback();
  }

  count(signal: Deno.Signal): number {
    return this.#listeners.get(signal)?.size ?? 0;
  }
}

function createLoop(): { loop: DenoEventLoop; signals: FakeSignals } {
  const { platform } = new DenoEventLoop();
  const signals = new FakeSignals();
  return { loop: new DenoEventLoop({ platform: { ...platform, signals } }), signals };
}

Deno.test("Z04 addSignalHandler() calls back with its arguments, for each signal", async () => {
  const { loop, signals } = createLoop();
  const log: unknown[] = [];
  loop.addSignalHandler("SIGUSR2", (...args) => log.push(args), 1, "two");
  await loop.runUntilComplete(function* () {
    signals.raise("SIGUSR2");
    yield* sleep(0);
    signals.raise("SIGUSR2");
    yield* sleep(0);
  });
  loop.close();
  assertEquals(log, [[1, "two"], [1, "two"]]);
});

Deno.test("Z04 a second handler for a signal replaces the first", async () => {
  const { loop, signals } = createLoop();
  const log: string[] = [];
  loop.addSignalHandler("SIGUSR2", () => log.push("first"));
  loop.addSignalHandler("SIGUSR2", () => log.push("second"));
  assertEquals(signals.count("SIGUSR2"), 1);
  await loop.runUntilComplete(function* () {
    signals.raise("SIGUSR2");
    yield* sleep(0);
  });
  loop.close();
  assertEquals(log, ["second"]);
});

Deno.test("Z04 removeSignalHandler() is true for a handler, and false for none", () => {
  const { loop, signals } = createLoop();
  loop.addSignalHandler("SIGUSR2", () => {});
  assertEquals(loop.removeSignalHandler("SIGUSR2"), true);
  assertEquals(loop.removeSignalHandler("SIGUSR2"), false);
  assertEquals(loop.removeSignalHandler("SIGHUP"), false);
  assertEquals(signals.count("SIGUSR2"), 0);
  loop.close();
});

Deno.test("Z04 signals that cannot be caught are refused", () => {
  const { loop } = createLoop();
  for (const signal of ["SIGKILL", "SIGSTOP", "SIGSEGV"] as const) {
    assertThrows(
      () => loop.addSignalHandler(signal, () => {}),
      InvalidStateError,
      `Cannot handle signal "${signal}": it cannot be caught`,
    );
    assertEquals(loop.removeSignalHandler(signal), false);
  }
  loop.close();
});

Deno.test("addSignalHandler() refuses what is no signal and what is no plain function", () => {
  const { loop } = createLoop();
  assertThrows(
    () => loop.addSignalHandler("SIGBOGUS" as Deno.Signal, () => {}),
    TypeError,
    `Cannot handle signal "SIGBOGUS": the system does not have it`,
  );
  assertThrows(() => loop.addSignalHandler("SIGUSR2", 1 as never), TypeError, "a function");
  assertThrows(() => loop.addSignalHandler("SIGUSR2", async () => {}), TypeError, "AsyncFunction");
  assertThrows(
    () => loop.addSignalHandler("SIGUSR2", function* () {}),
    TypeError,
    "GeneratorFunction",
  );
  loop.close();
});

Deno.test("a signal handler that throws is reported, and called again", async () => {
  const { loop, signals } = createLoop();
  const contexts: ExceptionContext[] = [];
  loop.setExceptionHandler((_loop, context) => contexts.push(context));
  loop.addSignalHandler("SIGUSR2", () => {
    throw new Error("mine");
  });
  await loop.runUntilComplete(function* () {
    signals.raise("SIGUSR2");
    yield* sleep(0);
    signals.raise("SIGUSR2");
    yield* sleep(0);
  });
  loop.close();
  assertEquals(contexts.map(({ exception }) => String(exception)), ["Error: mine", "Error: mine"]);
});

Deno.test("a signal handler sees the context in which it was added", async () => {
  const { loop, signals } = createLoop();
  const name = new ContextVar("name", { default: "none" });
  const seen: string[] = [];
  await loop.runUntilComplete(function* () {
    name.set("adder");
    loop.addSignalHandler("SIGUSR2", () => seen.push(name.get()));
    signals.raise("SIGUSR2");
    yield* sleep(0);
  });
  loop.close();
  assertEquals(seen, ["adder"]);
});

Deno.test("a signal that comes while the loop stands is handled by the next run", async () => {
  const { loop, signals } = createLoop();
  const log: string[] = [];
  loop.addSignalHandler("SIGUSR2", () => log.push("handled"));
  signals.raise("SIGUSR2");
  assertEquals(log, []);
  await loop.runUntilComplete(() => sleep(0));
  loop.close();
  assertEquals(log, ["handled"]);
});

Deno.test("a closed loop has no signal handlers and takes none", () => {
  const { loop, signals } = createLoop();
  loop.addSignalHandler("SIGUSR2", () => {});
  loop.close();
  assertEquals(signals.count("SIGUSR2"), 0);
  assertThrows(() => loop.addSignalHandler("SIGUSR2", () => {}), InvalidStateError, "is closed");
  assertEquals(loop.removeSignalHandler("SIGUSR2"), false);
});

Deno.test("a handler comes in place of what run() does on a signal, until it is removed", async () => {
  const { loop, signals } = createLoop();
  const log: string[] = [];
  const error = await run(async () => {
    loop.addSignalHandler("SIGTERM", () => log.push("handled"));
    signals.raise("SIGTERM");
    await sleep(0);
    log.push("goes on");
    loop.removeSignalHandler("SIGTERM");
    signals.raise("SIGTERM");
    await sleep(1000);
  }, { loopFactory: () => loop }).catch((error) => error);
  assertEquals(log, ["handled", "goes on"]);
  assertEquals([error.name, error.message], ["CancelledError", "SIGTERM"]);
});

Deno.test("addSignalHandler() handles a signal that the process sends to itself", async () => {
  const loop = new DenoEventLoop();
  const handled = loop.createFuture<string>();
  loop.addSignalHandler("SIGUSR2", (text) => handled.setResult(text), "real");
  Deno.kill(Deno.pid, "SIGUSR2");
  assertEquals(await loop.runUntilComplete(handled), "real");
  assert(loop.removeSignalHandler("SIGUSR2"));
  loop.close();
});
