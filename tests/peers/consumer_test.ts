// A project of its own, which has the package as JSR gives it, runs the programs of the README.
import { assertEquals } from "@std/assert";
import { runDeno, withProject } from "./_project.ts";

/** What the programs of the README print, in their order, and the permissions that they need. */
const README: [permissions: string[], output: string][] = [
  [[], "tick 0\ntick 1\ntick 2\n"],
  [["--allow-net=127.0.0.1"], "hello\n"],
  [[], ""],
  [[], ""],
];

async function readmePrograms(): Promise<string[]> {
  const readme = await Deno.readTextFile("README.md");
  return readme.matchAll(/^```ts\n([\s\S]*?)^```$/mg).map(([, program = ""]) => program).toArray();
}

/** Runs `program` in a project; its types are checked below. */
function runInProject(program: string, permissions: string[] = []): Promise<string> {
  const args = ["run", "--no-check", ...permissions, "main.ts"];
  return withProject({ "main.ts": program }, (folder) => runDeno(folder, args));
}

/** Checks the types of `files` in a project with `compilerOptions`. */
function checkInProject(files: Record<string, string>, compilerOptions: object): Promise<string> {
  const args = ["check", ...Object.keys(files)];
  return withProject(files, (folder) => runDeno(folder, args), compilerOptions);
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

Deno.test("a project that takes no engine installs the client of none, and one that takes it that one", async () => {
  const entries = ["", "/queue", "/queue/sqlite", "/queue/worker"];
  const imports = entries.map((entry) => `import "jsr:@gyre/asyncio${entry}";`).join("\n");
  const files = {
    "none.ts": imports,
    "bullmq.ts": 'import "jsr:@gyre/asyncio/queue/bullmq";',
    "nats.ts": 'import "jsr:@gyre/asyncio/queue/nats";',
  };
  await withProject(files, async (folder) => {
    // From a cache that has nothing yet.
    await runDeno(folder, ["run", "--no-check", "none.ts"], { DENO_DIR: `${folder}/cache` });
    assertEquals(Deno.readDirSync(`${folder}/cache/npm`).toArray(), []);
    const packages: Record<string, string[]> = {};
    for (const file of Object.keys(files)) {
      const { npmPackages } = JSON.parse(
        await runDeno(folder, ["info", "--no-lock", "--json", file]),
      );
      packages[file] = Object.keys(npmPackages);
    }
    const clients = /^(bullmq|ioredis|@nats-io\/transport-node)@/;
    const installed = Object.values(packages).map((names) => {
      return names.flatMap((name) => clients.exec(name)?.[1] ?? []);
    });
    assertEquals(packages["none.ts"], []);
    assertEquals(installed, [[], ["bullmq", "ioredis"], ["@nats-io/transport-node"]]);
  });
});

async function importsOfAll(): Promise<string> {
  const { exports } = JSON.parse(await Deno.readTextFile("deno.json"));
  return Object.keys(exports).map((entry) => `import "jsr:@gyre/asyncio${entry.slice(1)}";\n`)
    .join("");
}

Deno.test("a project without strict types finds no type error in the package", async () => {
  // An error anywhere else: it shows that the option has arrived.
  const probe = "export const probe: string = null;";
  await checkInProject({ "main.ts": await importsOfAll() + probe }, { strict: false });
});

Deno.test("a project with the strictest types finds none either, nor in the README, and may give undefined for any option", async () => {
  const mod = await Deno.readTextFile("mod.ts");
  const names = mod.matchAll(/type (\w+(?:Options|Settings|Limits|Timeouts))\b/g)
    .map(([, name]) => name as string).toArray();
  assertEquals(names.length > 35, true, `${names.length} interfaces`);
  // In these undefined is a value, or they want a type.
  const special: Record<string, string[]> = {
    ContextVarOptions: [],
    PriorityQueueOptions: ["PriorityQueueOptions<string>"],
  };
  const types = names.flatMap((name) => special[name] ?? [name]);
  const program = `${await importsOfAll()}
    import type * as asyncio from "jsr:@gyre/asyncio";
    type Loose<T> = { [K in keyof T]: object extends Pick<T, K> ? T[K] | undefined : T[K] };
    declare function takes<T>(give: (options: Loose<T>) => T): void;
    // @ts-expect-error
    takes<{ text?: string }>((options) => options);
    ${types.map((type) => `takes<asyncio.${type}>((options) => options);`).join("\n")}`;
  const readme = (await readmePrograms()).map((text, index) => [`readme${index}.ts`, text]);
  await checkInProject({ "main.ts": program, ...Object.fromEntries(readme) }, {
    lib: ["deno.window", "dom"],
    types: ["node"],
    exactOptionalPropertyTypes: true,
    noImplicitOverride: true,
    noImplicitReturns: true,
    noPropertyAccessFromIndexSignature: true,
    noUncheckedIndexedAccess: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    verbatimModuleSyntax: true,
  });
});
