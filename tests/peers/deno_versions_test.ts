// The oldest version of Deno that the package names, and one before it, from the registry of npm.
import { assertEquals } from "@std/assert";
import { hasCommand } from "./_peer_process.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

const ignore = !hasCommand("npx", "--version");
const SMOKE = filePath(new URL("./programs/smoke.ts", import.meta.url));
const LOOP_MODULE = new URL("../../loop/mod.ts", import.meta.url).href;

/** Runs a program on `version` of Deno, and gives what it prints. */
async function runOn(
  version: string,
  ...args: string[]
): Promise<[stdout: string, stderr: string]> {
  const { stdout, stderr } = await new Deno.Command("npx", {
    args: ["-y", `deno@${version}`, "run", "--no-check", "--quiet", ...args],
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
  }).output();
  const text = new TextDecoder();
  return [text.decode(stdout), text.decode(stderr)];
}

Deno.test({
  name: "a program of the main features runs on Deno 2.9.0, and is told nothing",
  ignore, // There is no npx.
  async fn() {
    const permissions = [
      "--allow-net=127.0.0.1,localhost",
      "--allow-read=tests/transports/certificates",
      "--allow-run=cat",
    ];
    assertEquals(await runOn("2.9.0", ...permissions, SMOKE), [
      "tasks: true true 0\n" +
      "tcp: 200000\n" +
      "tls: 200000\n" +
      "datagrams: datagram\n" +
      "child: through cat 0\n" +
      "thread: 42\n" +
      "simulation: an hour\n",
      "",
    ]);
  },
});

Deno.test({
  name: "the first loop on Deno 2.8.3 says once that it is too old",
  ignore, // There is no npx.
  async fn() {
    const program = `import { run } from "${LOOP_MODULE}";
      for (const word of ["one", "two"]) console.log(await run(async () => await word));`;
    const url = `data:text/javascript,${encodeURIComponent(program)}`;
    assertEquals(await runOn("2.8.3", url), [
      "one\ntwo\n",
      "Deno 2.8.3 is too old for @gyre/asyncio: connections hang when they close, and TLS fails or " +
      "hangs. Use 2.9.0 or newer\n",
    ]);
  },
});
