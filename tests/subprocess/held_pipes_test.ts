// Every way in which a process ends while somebody holds its pipes, with a stdin that is full: it
// takes no longer than the grace period, and nobody is left but who cannot be known.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../../loop/mod.ts";
import {
  createSubprocessExec,
  createSubprocessShell,
  DEVNULL,
  PIPE,
} from "../../subprocess/mod.ts";
import { text } from "./_recorder.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

/** Who holds the pipes, as a command line that prints the number of the process. */
const HOLDERS: Record<string, string> = {
  "the child": "echo $$; exec sleep 1000",
  "a grandchild": "exec 3<&0; sleep 1000 <&3 & echo $!; wait",
  "a process further down": "sh -c 'sh -c \"echo \\$\\$; exec sleep 1000\"; true'; true",
  "an orphan": "exec 3<&0; sleep 1000 <&3 & echo $!; exit 0",
};

const BLOCKS = ["the end of a block", "an error in a block", "the end of run()"];
const SESSIONS = ["the end of a block, in a session", "the end of run(), in a session"];
const CLOSES = ["loop.close()", "transport.close()"];
const KILL = "a kill and the end of a block";

/** Each way with the holders that it ends. An orphan it cannot know, but in a session it can. */
const ENDS: [way: string, holder: string, isEnded: boolean][] = [
  ...[...BLOCKS, ...SESSIONS, ...CLOSES].flatMap((way) =>
    Object.keys(HOLDERS).filter((holder) => holder !== "an orphan")
      .map((holder): [string, string, boolean] => [way, holder, true])
  ),
  ...[...BLOCKS, "loop.close()"].map((way): [string, string, boolean] => [way, "an orphan", false]),
  [KILL, "the child", true],
  // As in asyncio: who is killed alone leaves alone what it has started.
  [KILL, "a grandchild", false],
];

async function isAlive(pid: string): Promise<boolean> {
  const line = `read -r line < /proc/${pid}/stat && case $line in *") Z "*) false ;; esac`;
  const shell = await createSubprocessShell(line, { stderr: DEVNULL });
  return await shell.wait() === 0;
}

for (const [way, holder, isEnded] of ENDS) {
  const outcome = isEnded ? "ends it" : "does not wait for it";
  Deno.test(`${way}, while ${holder} holds full pipes, ${outcome}`, () =>
    run(async () => {
      const program = filePath(new URL("programs/held_pipes.ts", import.meta.url));
      const flags = ["run", "--quiet", "--no-prompt", "--no-check", "--allow-run=/bin/sh"];
      const args = [...flags, program, way, HOLDERS[holder] ?? "", holder];
      const deno = await createSubprocessExec("deno", { args, stdout: PIPE, stderr: PIPE });
      const pid = text(await deno.stdout.readLine()).trim();
      assertEquals(text(await deno.stdout.readLine()).trim(), "ended");
      if (!isEnded) {
        assertEquals(await isAlive(pid), true);
        await (await createSubprocessExec("kill", { args: ["-s", "KILL", pid] })).wait();
      }
      const [, errors] = await deno.communicate();
      assertEquals(deno.returncode, 0, text(errors));
      while (await isAlive(pid));
      if (holder === "an orphan" && BLOCKS.includes(way)) {
        assertStringIncludes(text(errors), "bytes of its input are dropped");
      }
    }));
}
