import { assertEquals } from "@std/assert";
import { run } from "../../loop/mod.ts";
import { createSubprocessExec, PIPE } from "../../subprocess/mod.ts";
import { text } from "./_recorder.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

Deno.test("Starting a child names the action when too many files are open, and works again", () =>
  run(async () => {
    const program = filePath(new URL("programs/no_descriptors.ts", import.meta.url));
    const flags = `--quiet --no-prompt --no-check --allow-run --allow-read=${program}`;
    await using shell = await createSubprocessExec("sh", {
      args: ["-c", `ulimit -n 60; exec deno run ${flags} ${program}`],
      stdout: PIPE,
    });
    const [output] = await shell.communicate();
    assertEquals(text(output).trim().split("\n"), [
      'Cannot run "true": too many open files',
      'Cannot run "/bin/sh": too many open files',
      "Cannot start a worker process: too many open files",
      "exec 0",
      "shell 0",
      "pool 0",
    ]);
  }));
