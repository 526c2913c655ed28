// What the documents and the comments name is there: a file that has moved leaves no old name behind.
import { assertEquals } from "@std/assert";

const DOCUMENTS = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "deno.json"];
/** Of these what is in comments. */
const PACKAGE = ["loop", "transports", "subprocess", "executor", "simulation", "inspector"];
const OTHERS = ["docs", "tests", "bench", "examples"];

/** A file with its folders or without; a folder of ours. */
const NAMED = new RegExp(
  String.raw`(?<![\w./*@:-])(?:(?:[\w-]+/)*[\w-]+\.(?:ts|md|json|py|mjs|svg)\b(?!\()|` +
    String.raw`(?:${[...PACKAGE, ...OTHERS].join("|")})(?:/[\w-]+)+(?![\w.-]))`,
  "g",
);

/** Names that stand for a file of a reader's. */
const ANY = new Set(["_name.ts", "app.ts", "jobs.ts", "main.ts", "examples/other.ts"]);

/** Adds the files and folders in `folder` to `found`, each by its path and by its name. */
async function collect(folder: string, found: Set<string>): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = folder === "." ? name : `${folder}/${name}`;
    found.add(path);
    if (isDirectory && folder !== ".") await collect(path, found);
    else found.add(name);
  }
}

/** What `text` names, with the line it is in. */
function* namesIn(text: string, isCode: boolean): Generator<[line: number, name: string]> {
  for (const [index, line] of text.split("\n").entries()) {
    if (isCode && (!/^\s*(\*|\/\*\*|\/\/)/.test(line) || /\bimport\b|\bfrom "/.test(line))) {
      continue;
    }
    for (const [name] of line.matchAll(NAMED)) yield [index + 1, name];
  }
}

Deno.test("a name of a file or folder is found in prose, in tables and in comments", () => {
  const text = "| `loop/values` | see _driver.ts, (`transports/core/x.ts`) and `deno_*.ts`\n";
  const names = [...namesIn(text, false)].map(([, name]) => name);
  assertEquals(names, ["loop/values", "_driver.ts", "transports/core/x.ts"]);
  assertEquals([...namesIn(' * in a.ts\n * import a from "b.ts";\nc("d.ts");', true)], [[
    1,
    "a.ts",
  ]]);
});

Deno.test("each file and folder that a document or a comment names is there", async () => {
  const there = new Set(["."]);
  await collect(".", there);
  for (const folder of [...PACKAGE, ...OTHERS]) await collect(folder, there);
  const sources = [...there].filter((path) =>
    /^docs\/.*\.md$/.test(path) ||
    path.endsWith(".ts") && PACKAGE.some((folder) => path.startsWith(`${folder}/`))
  );
  const missing: string[] = [];
  let count = 0;
  for (const path of [...DOCUMENTS, "mod.ts", ...sources]) {
    const text = await Deno.readTextFile(path);
    for (const [line, name] of namesIn(text, path.endsWith(".ts"))) {
      count += 1;
      if (!there.has(name) && !ANY.has(name)) missing.push(`${path}:${line} ${name}`);
    }
  }
  assertEquals(missing, []);
  assertEquals(count > 100, true, `${count} names`);
});
