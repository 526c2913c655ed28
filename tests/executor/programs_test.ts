// Whole programs: how they start workers, and that they end by themselves.
import { assert, assertEquals } from "@std/assert";
import { filePath } from "../../loop/platform/deno_system.ts";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Runs a program of `_programs/` without more permissions than `flags` give. */
async function runProgram(name: string, flags: string[], args: string[] = []): Promise<string> {
  const path = filePath(new URL(`_programs/${name}`, import.meta.url));
  const command = new Deno.Command("deno", {
    args: ["run", "--quiet", "--no-prompt", ...flags, path, ...args],
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const watchdog = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(watchdog);
  assertEquals(code, 0, decode(stderr));
  return decode(stdout);
}

Deno.test("A worker starts without any permission", async () => {
  assertEquals(await runProgram("no_permission.ts", []), "3\n");
});

Deno.test("A worker starts without any permission when the package comes from a URL", async () => {
  const root = new URL("../../", import.meta.url);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const path = pathname.slice(1);
    const headers = { "content-type": "application/typescript" };
    return new Response(await Deno.readTextFile(new URL(path, root)), { headers });
  });
  const cache = await Deno.makeTempDir({ dir: "/tmp" });
  try {
    const origin = `127.0.0.1:${server.addr.port}`;
    const program = `http://${origin}/tests/executor/_programs/no_permission.ts`;
    const command = new Deno.Command("deno", {
      args: ["run", "--quiet", "--no-prompt", "--no-lock", `--allow-import=${origin}`, program],
      env: { DENO_DIR: cache },
    });
    const { code, stdout, stderr } = await command.output();
    assertEquals(code, 0, decode(stderr));
    assertEquals(decode(stdout), "3\n");
  } finally {
    await server.shutdown();
    await Deno.remove(cache, { recursive: true });
  }
});

for (const way of ["run end", "shutdown timeout", "loop close", "forgotten thread pool"]) {
  Deno.test(`A program with a job in an endless loop ends by itself: ${way}`, async () => {
    assertEquals(await runProgram("endless_job.ts", [], [way]), "end\n");
  });
}

Deno.test("A program with a process in an endless loop ends by itself and leaves none", async () => {
  const flags = ["--allow-run=deno"];
  const output = await runProgram("endless_job.ts", flags, ["forgotten process pool"]);
  const [, pid] = /^pid (\d+)\nend\n$/.exec(output) ?? [];
  assert(pid !== undefined, output);
  // It was killed on the way out; the system may take a moment to bury it.
  const script = `for i in $(seq 100); do kill -0 ${pid} || exit 0; sleep 0.02; done; exit 1`;
  const command = new Deno.Command("sh", { args: ["-c", script], stderr: "null" });
  const { success } = await command.output();
  assert(success, "the process is still there");
});
