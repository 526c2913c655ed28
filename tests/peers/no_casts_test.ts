// What a reader copies from us: it runs, and does not tell the compiler what that knows.
import { assertEquals } from "@std/assert";

/** Addresses and facts of connections that are cast, and pipes of processes that are insisted on. */
const CASTS = /\bas (Deno\.\w*Addr|\[Deno\.\w*Addr|TlsInfo)\b|\.?std(in|out|err)!/;

/** What opens an example. Not written out, so that this file has none. */
const FENCE = "`".repeat(3);

/** An example in a document that no test runs. */
const UNRUN = new RegExp(`^\\s*(\\*\\s)?${FENCE}ts ignore`);

/** Folders that are read whole; of the package only what is in comments. */
const FOLDERS = ["docs", "examples", "tests", "bench"];
const PACKAGE = ["loop", "transports", "subprocess", "executor", "simulation", "inspector"];

async function* files(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* files(path);
    else if (/\.(ts|md)$/.test(name)) yield path;
  }
}

/** The lines of `path` that cast, or begin an example that is not run, as `path:line`. */
async function casts(path: string, onlyComments: boolean): Promise<string[]> {
  const lines = (await Deno.readTextFile(path)).split("\n");
  return lines.flatMap((line, index) => {
    if (onlyComments && !/^\s*\*/.test(line)) return [];
    return CASTS.test(line) || UNRUN.test(line) ? [`${path}:${index + 1}`] : [];
  });
}

Deno.test("What casts an address or insists on a pipe is found", () => {
  const address = `address ${"as"} `;
  const samples = [
    `(${address}Deno.NetAddr).port`,
    `${address}[Deno.Addr]`,
    `a.stdin${"!"}.write()`,
  ];
  assertEquals(samples.filter((sample) => !CASTS.test(sample)), []);
});

Deno.test("An example that is not run is found, in a document and in a comment", () => {
  assertEquals(
    [`${FENCE}ts ignore`, ` * ${FENCE}ts ignore`].every((line) => UNRUN.test(line)),
    true,
  );
  assertEquals(UNRUN.test(`${FENCE}ts`), false);
});

Deno.test("No example, document or test casts an address, insists on a pipe, or is left out of the tests", async () => {
  const found: string[] = [];
  let count = 0;
  const look = async (path: string, onlyComments: boolean) => {
    found.push(...await casts(path, onlyComments));
    count += 1;
  };
  for (const path of ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"]) await look(path, false);
  await look("mod.ts", true);
  for (const folder of FOLDERS) for await (const path of files(folder)) await look(path, false);
  for (const folder of PACKAGE) for await (const path of files(folder)) await look(path, true);
  assertEquals(found, []);
  assertEquals(count > 400, true, `${count} files`);
});
