// A project of its own, which has the package as JSR gives it, runs the program of the README.
import { assertEquals } from "@std/assert";

/** Gives the first program of the README. */
async function readmeProgram(): Promise<string> {
  const readme = await Deno.readTextFile("README.md");
  return /^```ts\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? "";
}

/** Runs `program` in a folder that has nothing but a link to the package, and checks its types. */
async function runInProject(program: string): Promise<string> {
  const links = JSON.stringify({ links: [new URL("../../", import.meta.url).pathname] });
  const folder = await Deno.makeTempDir({ dir: "/tmp" });
  try {
    await Deno.writeTextFile(`${folder}/deno.json`, links);
    await Deno.writeTextFile(`${folder}/main.ts`, program);
    return await runDeno(folder, ["run", "--check", "main.ts"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs Deno in a folder without any permission, and gives what it prints. */
async function runDeno(cwd: string, args: string[]): Promise<string> {
  const env = { NO_COLOR: "1" };
  const output = await new Deno.Command("deno", { args, cwd, env, stdin: "null" }).output();
  const text = new TextDecoder();
  if (!output.success) throw new Error(`Cannot run "${args}": ${text.decode(output.stderr)}`);
  return text.decode(output.stdout);
}

Deno.test("a project that has only a link to the package runs the program of the README", async () => {
  assertEquals(await runInProject(await readmeProgram()), "tick 0\ntick 1\ntick 2\n");
});

Deno.test("a project reaches every entry point of the package", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile("deno.json"));
  const lines = Object.keys(exports).map((entry) => {
    const specifier = `jsr:@gyre/asyncio${entry.slice(1)}`;
    return `console.log(Object.keys(await import("${specifier}")).length > 0);`;
  });
  assertEquals(await runInProject(lines.join("\n")), "true\n".repeat(lines.length));
});
