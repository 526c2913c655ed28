// A project of its own, which has the package as JSR gives it, runs the programs of the README.
import { assertEquals } from "@std/assert";

/** What the programs of the README print, in their order, and the permissions that they need. */
const README: [permissions: string[], output: string][] = [
  [[], "tick 0\ntick 1\ntick 2\n"],
  [["--allow-net=127.0.0.1"], "hello\n"],
  [[], "121 3600.001\n"],
];

async function readmePrograms(): Promise<string[]> {
  const readme = await Deno.readTextFile("README.md");
  return readme.matchAll(/^```ts\n([\s\S]*?)^```$/mg).map(([, program = ""]) => program).toArray();
}

/** Runs `program` in a folder that has nothing but a link to the package, and checks its types. */
async function runInProject(program: string, permissions: string[] = []): Promise<string> {
  const links = JSON.stringify({ links: [new URL("../../", import.meta.url).pathname] });
  const folder = await Deno.makeTempDir({ dir: "/tmp" });
  try {
    await Deno.writeTextFile(`${folder}/deno.json`, links);
    await Deno.writeTextFile(`${folder}/main.ts`, program);
    return await runDeno(folder, ["run", "--check", ...permissions, "main.ts"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs Deno in a folder, and gives what it prints. */
async function runDeno(cwd: string, args: string[]): Promise<string> {
  const env = { NO_COLOR: "1" };
  const output = await new Deno.Command("deno", { args, cwd, env, stdin: "null" }).output();
  const text = new TextDecoder();
  if (!output.success) throw new Error(`Cannot run "${args}": ${text.decode(output.stderr)}`);
  return text.decode(output.stdout);
}

Deno.test("a project that has only a link to the package runs the programs of the README", async () => {
  const programs = await readmePrograms();
  assertEquals(programs.length, README.length);
  for (const [index, [permissions, output]] of README.entries()) {
    assertEquals(await runInProject(programs[index] ?? "", permissions), output);
  }
});

Deno.test("a project reaches every entry point of the package", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile("deno.json"));
  const lines = Object.keys(exports).map((entry) => {
    const specifier = `jsr:@gyre/asyncio${entry.slice(1)}`;
    return `console.log(Object.keys(await import("${specifier}")).length > 0);`;
  });
  assertEquals(await runInProject(lines.join("\n")), "true\n".repeat(lines.length));
});
