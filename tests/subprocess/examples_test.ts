import { assertEquals, assertMatch } from "@std/assert";
import { run } from "../../loop/mod.ts";
import { createSubprocessExec, PIPE, type Process } from "../../subprocess/mod.ts";
import type { StreamReader } from "../../transports/mod.ts";
import { text } from "./_recorder.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

/** Starts an example with the flags that its first comment names. */
function startExample(name: string, flag: string, ...args: string[]) {
  const example = filePath(new URL(`../../examples/${name}`, import.meta.url));
  return createSubprocessExec("deno", {
    args: ["run", "--quiet", "--no-prompt", "--no-check", flag, example, ...args],
    stdout: PIPE,
  });
}

async function readLine(process: Process<null, StreamReader>): Promise<string> {
  return text(await process.stdout.readLine()).trim();
}

Deno.test("examples/pipeline.ts counts what goes through three programs", async () => {
  await run(async () => {
    const example = await startExample("pipeline.ts", "--allow-run=seq,grep,wc");
    const [output] = await example.communicate();
    const [count, buffered] = text(output).trim().split("\n");
    assertEquals(count, "122853 lines have a 7 in them");
    assertMatch(buffered ?? "", /^at most (\d{1,5}|1[0-3]\d{4}) bytes were buffered/);
    assertEquals(example.returncode, 0);
  });
});

Deno.test("examples/supervisor.ts starts a program again, and ends it on SIGTERM", async () => {
  await run(async () => {
    const mark = Deno.makeTempFileSync({ dir: "/tmp" });
    const line = `if [ -e ${mark} ]; then rm ${mark}; exit 3; fi; echo works; exec sleep 100`;
    await using example = await startExample("supervisor.ts", "--allow-run=/bin/sh", line);
    assertMatch(await readLine(example), /^supervisor \d+$/);
    assertMatch(await readLine(example), /^\d+ started: if /);
    assertMatch(await readLine(example), /^\d+ has ended with 3$/);
    assertMatch(await readLine(example), /^\d+ started: if |^works$/);
    assertMatch(await readLine(example), /^\d+ started: if |^works$/);
    example.terminate();
    assertEquals(await readLine(example), "all have ended");
    assertEquals(await example.wait(), 143);
  });
});
