// What aborting the signal of a process does, before it starts and while it runs.
import { assertEquals } from "@std/assert";
import { run } from "../../loop/mod.ts";
import {
  createSubprocessExec,
  type CreateSubprocessOptions,
  createSubprocessShell,
  PIPE,
} from "../../subprocess/mod.ts";
import { text } from "./_recorder.ts";

type Settings = Pick<CreateSubprocessOptions, "signal" | "grace">;

const STARTS = {
  createSubprocessExec: (line: string, settings: Settings) =>
    createSubprocessExec("sh", { args: ["-c", line], stdout: PIPE, ...settings }),
  createSubprocessShell: (line: string, settings: Settings) =>
    createSubprocessShell(line, { stdout: PIPE, ...settings }),
};

for (const [name, start] of Object.entries(STARTS)) {
  Deno.test(`${name}() with a signal that has aborted throws its reason and starts nothing`, async () => {
    await run(async () => {
      const reason = new Error("no longer wanted");
      const starting = start("echo started", { signal: AbortSignal.abort(reason) });
      assertEquals(await starting.catch((error) => error), reason);
    });
  });

  Deno.test(`${name}() with a signal that aborts as it starts throws its reason`, async () => {
    await run(async () => {
      const controller = new AbortController();
      const reason = new Error("no longer wanted");
      const starting = start("sleep 100", { signal: controller.signal });
      controller.abort(reason);
      assertEquals(await starting.catch((error) => error), reason);
    });
  });

  Deno.test(`${name}() with a signal that aborts asks the process to end, and all it prints arrives`, async () => {
    await run(async () => {
      const controller = new AbortController();
      const line = `trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.02; done`;
      const child = await start(line, { signal: controller.signal });
      assertEquals(text(await child.stdout.readLine()), "ready\n");
      controller.abort();
      assertEquals(text((await child.communicate())[0]), "bye\n");
      assertEquals(child.returncode, 3);
    });
  });

  Deno.test(`${name}() with a signal that aborts kills who refuses to end, after the grace`, async () => {
    await run(async () => {
      const controller = new AbortController();
      const line = "trap '' TERM; echo ready; while :; do sleep 0.02; done";
      const child = await start(line, { grace: 0.05, signal: controller.signal });
      await child.stdout.readLine();
      controller.abort();
      assertEquals(await child.wait(), -9);
    });
  });

  Deno.test(`${name}() leaves no listener on the signal of a process that has ended`, async () => {
    await run(async () => {
      const { signal } = new AbortController();
      let listeners = 0;
      const { addEventListener, removeEventListener } = signal;
      signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
        listeners += 1;
        addEventListener.apply(signal, args);
      };
      signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
        listeners -= 1;
        removeEventListener.apply(signal, args);
      };
      const child = await start("exit 0", { signal });
      assertEquals(listeners, 1);
      await child.wait();
      assertEquals(listeners, 0);
    });
  });
}
