import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ProcessPoolExecutor, WorkerPoolExecutor } from "../../../executor/mod.ts";
import {
  CancelledError,
  type DenoEventLoop,
  type LoopPermissions,
  run,
} from "../../../loop/mod.ts";
import { filePath } from "../../../loop/platform/deno_system.ts";
import type { Processes } from "../../../loop/platform/platform.ts";
import { simulate } from "../../../simulation/mod.ts";
import { Protocol } from "../../../transports/mod.ts";
import { HostAsked, recordingParts } from "./_recording_platform.ts";
import { restrictedLoop } from "./_restricted_loop.ts";

type Work = (loop: DenoEventLoop) => unknown;

/** Runs `body` on a loop with `permissions`, above a host that fails with what it is asked. */
async function withLoop(permissions: LoopPermissions, body: Work): Promise<void> {
  await simulate(async (sim) => {
    const loop = restrictedLoop(sim, permissions, recordingParts);
    await loop.runUntilComplete(async () => await body(loop));
    loop.close();
  });
}

/** Asserts that `work` is refused, with `wanted` as what would permit it. */
async function assertRefused(loop: DenoEventLoop, work: Work, wanted: string): Promise<void> {
  const error = await assertRejects(async () => await work(loop), Deno.errors.NotCapable);
  assertEquals(error.message.match(/permissions: (.*)$/)?.[1], wanted);
}

/** Asserts that `work` gets as far as the host, which is asked for `what`. */
async function assertAsked(loop: DenoEventLoop, work: Work, what: string): Promise<void> {
  const error = await assertRejects(async () => await work(loop), HostAsked);
  assertEquals(error.message, what);
}

function exec(command: string, options = {}): Work {
  return (loop) => loop.subprocessExec(() => ({}), command, options);
}

const shell: Work = (loop) => loop.subprocessShell(() => ({}), "true");

Deno.test("subprocessExec() and subprocessShell() are held to the list, by name", () =>
  withLoop({ run: ["git", "/usr/bin/env", "./tool"] }, async (loop) => {
    for (const command of ["git", "/usr/bin/env", "./tool"]) {
      await assertAsked(loop, exec(command), command);
    }
    // The system would follow a link before it takes the "..": what was compared is started.
    await assertAsked(loop, exec("/usr/lib/../bin/env"), "/usr/bin/env");
    await assertAsked(loop, exec("./x/../tool"), "./tool");
    const refused = ["sh", "GIT", "tool", "./git", "/git", "env", "/usr/bin/git", "../tool"];
    for (const command of refused) {
      const member = command.startsWith("../") ? `./${command}` : command;
      await assertRefused(loop, exec(command), `{ run: ["${member}"] }`);
    }
    await assertRefused(loop, shell, `{ run: ["/bin/sh"] }`);
  }));

Deno.test("subprocessExec() with a cwd takes a relative command from there", () =>
  withLoop({ run: ["./tool", "/opt/app/tool"] }, async (loop) => {
    await assertRefused(loop, exec("./tool", { cwd: "/tmp" }), `{ run: ["/tmp/tool"] }`);
    await assertAsked(loop, exec("./tool", { cwd: "/opt/app" }), "./tool");
    await assertAsked(loop, exec("./tool", { cwd: new URL("file:///opt/app/") }), "./tool");
    await assertAsked(loop, exec("./tool", { cwd: "/opt/app/link/.." }), "/opt/app/tool");
  }));

Deno.test("subprocessExec() refuses variables that make another program of a listed one", () =>
  withLoop({ run: ["git", "/usr/bin/env"] }, async (loop) => {
    const everything = "{ run: true }";
    await assertRefused(loop, exec("git", { env: { LD_PRELOAD: "/tmp/x.so" } }), everything);
    await assertRefused(loop, exec("git", { env: { PATH: "/tmp" } }), everything);
    await assertAsked(loop, exec("/usr/bin/env", { env: { PATH: "/tmp" } }), "/usr/bin/env");
    await assertAsked(loop, exec("git", { env: { HOME: "/tmp" }, clearEnv: true }), "git");
  }));

Deno.test("subprocessExec() hands on what it has compared, whatever env and cwd say next time", async () => {
  // Each says something else from the nth time on that it is asked.
  const flip = <T>(first: T, then: T, times: number) => () => times-- > 0 ? first : then;
  const spawn: Processes["spawn"] = (_loop, _program, { cwd, env = {} }) => {
    throw new HostAsked(`${Object.keys(env)} ${cwd === undefined ? cwd : filePath(cwd)}`);
  };
  await simulate(async (sim) => {
    const parts = { processes: { shell: "/bin/sh", spawn } };
    const loop = restrictedLoop(sim, { run: ["git", "/opt/app/tool"] }, parts);
    await loop.runUntilComplete(async () => {
      for (let times = 0; times < 8; times += 1) {
        const keys = flip(["HOME"], ["LD_PRELOAD"], times);
        const ownKeys = () => keys();
        const getOwnPropertyDescriptor = () => ({
          value: "x",
          enumerable: true,
          configurable: true,
        });
        const get = () => "x";
        const env = new Proxy<Record<string, string>>({}, {
          get,
          ownKeys,
          getOwnPropertyDescriptor,
        });
        const path = flip("/opt/app", "/tmp", times);
        const cwd = new class extends URL {
          override get pathname(): string {
            return path();
          }
        }("file:///");
        const said: string[] = [];
        for (const work of [exec("git", { env }), exec("./tool", { cwd })]) {
          const error = await assertRejects(async () => await work(loop), Error);
          if (error instanceof HostAsked) said.push(error.message);
        }
        for (const text of said) assertEquals(["HOME undefined", " /opt/app"].includes(text), true);
        assertEquals(said.length >= 2 || times < 4, true);
      }
    });
    loop.close();
  });
});

Deno.test("A loop with run: true starts anything, and one with false nothing", async () => {
  await withLoop({ run: true }, async (loop) => {
    await assertAsked(loop, exec("git", { env: { PATH: "/tmp" } }), "git");
    await assertAsked(loop, shell, "true");
  });
  await withLoop({ run: false }, async (loop) => {
    await assertRefused(loop, exec("git"), `{ run: ["git"] }`);
    await assertRefused(loop, shell, `{ run: ["/bin/sh"] }`);
  });
});

Deno.test("Descriptors by number need read or write, the standard streams and objects do not", () =>
  withLoop({ run: ["cat"], write: true }, async (loop) => {
    const read = (pipe: number | { readable: ReadableStream<Uint8Array> }): Work => (loop) =>
      loop.connectReadPipe(() => new Protocol(), pipe);
    await assertAsked(loop, read(0), "read 0");
    await assertAsked(loop, read({ readable: new ReadableStream() }), "read object");
    await assertRefused(loop, read(3), "{ read: true }");
    const write: Work = (loop) => loop.connectWritePipe(() => new Protocol(), 4);
    await assertAsked(loop, write, "write 4");
    await assertRefused(loop, exec("cat", { stdin: 5 }), "{ read: true }");
    await assertAsked(loop, exec("cat", { stdout: 5 }), "cat");
  }));

Deno.test("addSignalHandler() is held to the list", () =>
  withLoop({ signals: ["SIGUSR1"] }, async (loop) => {
    const handle = (signal: Deno.Signal): Work => (loop) => loop.addSignalHandler(signal, () => {});
    await assertRefused(loop, handle("SIGUSR2"), `{ signals: ["SIGUSR2"] }`);
    const error = assertThrows(() => handle("SIGUSR1")(loop), TypeError);
    assertEquals((error.cause as Error).message, "listen SIGUSR1");
  }));

Deno.test("run() is ended by signals that its loop may not handle", () =>
  simulate(async (sim) => {
    const signals = new Map<string, () => void>();
    const listen = (signal: string, callback: () => void) => {
      signals.set(signal, callback);
      return () => signals.delete(signal);
    };
    const loop = restrictedLoop(sim, {}, { signals: { listen } });
    const options = { loopFactory: () => loop, signals: ["SIGTERM" as const] };
    const ended = run(async () => await loop.createFuture(), options);
    loop.callSoon(() => signals.get("SIGTERM")?.());
    await assertRejects(() => ended, CancelledError, "SIGTERM");
    assertEquals(signals.size, 0);
  }));

const onThread: Work = (loop) => loop.runInExecutor(new WorkerPoolExecutor(), () => 1);

function inProcess(permissions: NonNullable<LoopPermissions> = {}): Work {
  return (loop) => loop.runInExecutor(new ProcessPoolExecutor({ permissions }), () => 1);
}

const byDefault: Work = (loop) => loop.runInExecutor(null, () => 1);

Deno.test("runInExecutor() needs workers for threads and executors for processes", async () => {
  await withLoop({}, async (loop) => {
    await assertRefused(loop, onThread, "{ workers: true }");
    await assertRefused(loop, inProcess(), "{ executors: true }");
    await assertRefused(loop, byDefault, "{ workers: true }");
  });
  await withLoop({ workers: true }, async (loop) => {
    await assertAsked(loop, onThread, "thread");
    await assertAsked(loop, byDefault, "thread");
    await assertRefused(loop, inProcess(), "{ executors: true }");
  });
});

Deno.test("The default executor of a loop without threads is held to the loop's permissions", () =>
  withLoop({ executors: true, net: ["db.example:80"], signals: ["SIGUSR1"] }, async (loop) => {
    await assertAsked(loop, byDefault, `process {"net":["db.example:80"]}`);
  }));

Deno.test("Worker processes get what the loop has, and no more", () =>
  withLoop(
    {
      executors: true,
      net: ["db.example:80", "127.0.0.1"],
      unix: ["/run/app"],
      read: ["/data"],
      env: ["HOME"],
      sys: true,
    },
    async (loop) => {
      const granted = [
        {},
        { net: ["DB.example.:80", "127.1:9", "unix:/run/app/x"] },
        { read: ["/data/x", new URL("file:///data/y")] },
        { env: ["HOME"], sys: ["hostname"], ffi: false },
      ];
      for (const permissions of granted) {
        const asked = `process ${JSON.stringify(permissions)}`;
        await assertAsked(loop, inProcess(permissions as LoopPermissions), asked);
      }
      const refused: [LoopPermissions, string][] = [
        [{ net: ["db.example"] }, `{ net: ["db.example"] }`],
        [{ net: true }, "{ net: true }"],
        [{ net: ["unix:/run/other"] }, `{ net: ["unix:/run/other"] }`],
        [{ read: ["/data/../etc"] }, `{ read: ["/data/../etc"] }`],
        [{ write: ["/data"] }, `{ write: ["/data"] }`],
        [{ run: ["sh"] }, `{ run: ["sh"] }`],
        [{ env: ["HOME", "PATH"] }, `{ env: ["PATH"] }`],
        [{ ffi: true }, "{ ffi: true }"],
        [{ import: ["jsr.io"] }, `{ import: ["jsr.io"] }`],
      ];
      for (const [permissions, wanted] of refused) {
        await assertRefused(loop, inProcess(permissions), wanted);
      }
    },
  ));

Deno.test("A pool that another loop has used asks the permissions of each", () =>
  simulate(async (sim) => {
    const pool = new WorkerPoolExecutor();
    const free = restrictedLoop(sim, { workers: true }, recordingParts);
    const bound = restrictedLoop(sim, {}, recordingParts);
    const use: Work = (loop) => loop.runInExecutor(pool, () => 1);
    await free.runUntilComplete(() => assertAsked(free, use, "thread"));
    await bound.runUntilComplete(() => assertRefused(bound, use, "{ workers: true }"));
    await bound.runUntilComplete(() =>
      assertRefused(bound, () => pool.warmUp(1), "{ workers: true }")
    );
    free.close();
    bound.close();
  }));
