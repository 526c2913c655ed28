// What Windows lacks is refused in words, or left out where nobody has asked for it. The system is
// what Deno says that it is; nothing here needs another one.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CancelledError,
  createSubprocessExec,
  type CreateSubprocessOptions,
  createSubprocessShell,
  DenoEventLoop,
  getRunningLoop,
  openUnixConnection,
  run,
  Runner,
  serveWorkers,
  sleep,
  startUnixServer,
  STDOUT,
} from "../../mod.ts";
import type { Signals } from "../../loop/mod.ts";
import { newNativeEventLoop } from "../../transports/native/mod.ts";
import { onSystem } from "../loop/_system.ts";

Deno.test("On Windows Unix sockets are refused in both directions, before any permission", () =>
  onSystem("windows", () =>
    run(async () => {
      const path = "C:\\app.sock";
      await assertRejects(
        () => startUnixServer(() => {}, { path }),
        Deno.errors.NotSupported,
        `Cannot listen on "${path}": Deno has no Unix sockets on Windows`,
      );
      await assertRejects(
        () => openUnixConnection({ path }),
        Deno.errors.NotSupported,
        `Cannot connect to "${path}": Deno has no Unix sockets on Windows`,
      );
    })));

Deno.test("On Windows a command line goes to cmd.exe", () =>
  onSystem("windows", () =>
    run(async () => {
      assertEquals(getRunningLoop().platform.processes.shell, "cmd.exe");
      await assertRejects(() => createSubprocessShell("dir"), Deno.errors.NotFound, "cmd.exe");
    })));

Deno.test("On Windows another user, and errors in the output, are refused before anything starts", () =>
  onSystem("windows", () =>
    run(async () => {
      const refused: Record<string, CreateSubprocessOptions> = {
        "as another user: Deno has no numbers of users": { user: 1000 },
        "as another user: Deno has no numbers": { group: 0 },
        "with its errors in its output: Deno has no shell that joins them": { stderr: STDOUT },
      };
      for (const [state, options] of Object.entries(refused)) {
        const starts = [
          () => createSubprocessExec("tool", options),
          () => createSubprocessShell("tool", options),
        ];
        for (const start of starts) await assertRejects(start, Deno.errors.NotSupported, state);
      }
    })));

Deno.test("On Windows serveWorkers() is refused, before anything starts", () =>
  onSystem("windows", async () => {
    await assertRejects(
      () => serveWorkers("file:///C:/app.ts"),
      Deno.errors.NotSupported,
      "Cannot serve by workers: Deno has no sockets that workers share on Windows",
    );
  }));

Deno.test("Elsewhere than on Linux the native backend says what it needs, and is imported all the same", async () => {
  for (const os of ["darwin", "windows"] as const) {
    await onSystem(os, () => {
      assertThrows(
        () => newNativeEventLoop(),
        Deno.errors.NotSupported,
        `it needs Linux, this is ${os}`,
      );
    });
  }
});

/** Signals of a system that lacks some. */
class FewSignals implements Signals {
  readonly listeners: Map<Deno.Signal, () => void> = new Map();
  readonly #missing: readonly Deno.Signal[];

  constructor(missing: readonly Deno.Signal[]) {
    this.#missing = missing;
  }

  listen(signal: Deno.Signal, callback: () => void): () => void {
    if (this.#missing.includes(signal)) throw new TypeError(`Invalid signal: ${signal}`);
    this.listeners.set(signal, callback);
    return () => this.listeners.delete(signal);
  }
}

function createLoop(missing: readonly Deno.Signal[]): { loop: DenoEventLoop; signals: FewSignals } {
  const host = new DenoEventLoop();
  host.close();
  const signals = new FewSignals(missing);
  return { loop: new DenoEventLoop({ platform: { ...host.platform, signals } }), signals };
}

Deno.test("run() listens to those of its usual signals that the system has", async () => {
  const { loop, signals } = createLoop(["SIGTERM"]);
  const main = async () => {
    assertEquals([...signals.listeners.keys()], ["SIGINT"]);
    loop.callSoon(() => signals.listeners.get("SIGINT")?.());
    await sleep(100);
  };
  await assertRejects(() => run(main, { loopFactory: () => loop }), CancelledError, "SIGINT");
  assertEquals(signals.listeners.size, 0);
  const none = createLoop(["SIGINT", "SIGTERM"]);
  assertEquals(await run(() => none.signals.listeners.size, { loopFactory: () => none.loop }), 0);
});

Deno.test("run() refuses a signal that was named and that the system lacks, and listens to none", async () => {
  const { loop, signals } = createLoop(["SIGTERM"]);
  await using runner = new Runner({ loopFactory: () => loop, signals: ["SIGINT", "SIGTERM"] });
  await assertRejects(
    () => runner.run(() => {}),
    TypeError,
    `Cannot handle signal "SIGTERM": the system does not have it`,
  );
  assertEquals(signals.listeners.size, 0);
});

Deno.test("addSignalHandler() refuses a signal that the system lacks", () => {
  const { loop } = createLoop(["SIGUSR1"]);
  assertThrows(
    () => loop.addSignalHandler("SIGUSR1", () => {}),
    TypeError,
    `Cannot handle signal "SIGUSR1": the system does not have it`,
  );
  loop.close();
});
