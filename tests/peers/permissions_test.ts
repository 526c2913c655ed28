import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { filePath } from "../../loop/platform/deno_system.ts";

const PAGE = new URL("../../docs/permissions.md", import.meta.url);
const PROBE = filePath(new URL("./programs/permission_probe.ts", import.meta.url));
const MODULE = filePath(new URL("./programs/answer.ts", import.meta.url));

/** What the places of a row stand for here, by the first function of the row. */
const VALUES: Readonly<Record<string, Record<string, string>>> = {
  createConnection: { hostname: "127.0.0.1", port: "1" },
  "createConnection with family": { hostname: "localhost", address: "127.0.0.1", port: "1" },
  "createConnection with localAddress": { hostname: "127.0.0.1", port: "1", local: "127.0.0.2:0" },
  createServer: { hostname: "127.0.0.1", port: "0" },
  createUnixConnection: { path: `/tmp/gyre-permissions-${Deno.pid}.sock` },
  createDatagramEndpoint: {
    hostname: "127.0.0.1",
    port: "9",
    local: "127.0.0.1:0",
    remote: "127.0.0.1:9",
  },
  getaddrinfo: { hostname: "localhost" },
  getnameinfo: { address: "127.0.0.1" },
  sockConnect: { hostname: "127.0.0.1", port: "1" },
  startInspector: { hostname: "127.0.0.1", port: "0" },
  subprocessExec: { command: "true" },
  "createSubprocessExec with stderr": { command: "true" },
  serveWorkers: { hostname: "127.0.0.1", port: "0" },
  BullmqBroker: { hostname: "127.0.0.1", port: "1" },
  NatsBroker: { hostname: "127.0.0.1", port: "1" },
  SqliteBroker: { path: `/tmp/gyre-permissions-${Deno.pid}.db` },
  moduleFunction: { file: MODULE },
};

/** Flags that a call needs beside those in the table, for what comes before it. */
const PREPARATION: Readonly<Record<string, string[]>> = {
  killGroup: ["--allow-run=cat"],
  sockConnect: ["--allow-ffi"],
  sockSendto: ["--allow-ffi"],
};

/** One row of the table. */
interface Row {
  /** The functions, each with its condition. */
  functions: string[];
  /** On what the row depends, if on anything. */
  condition: string | undefined;
  /** The flags as they are written. */
  templates: string[];
  /** The flags with real values. */
  flags: string[];
  values: Record<string, string>;
}

/** Reads the table of permissions. */
async function readTable(): Promise<Row[]> {
  const text = await Deno.readTextFile(PAGE);
  const rows = text.split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((line) => {
    const [, called = "", granted = ""] = line.split("|");
    const [names = "", condition] = called.split(" with ");
    const suffix = condition === undefined ? "" : ` with ${condition.match(/\w+/)?.[0]}`;
    const functions = codeIn(names).map((name) => name + suffix);
    const values = VALUES[functions[0] ?? ""] ?? {};
    const templates = codeIn(granted).filter((code) => code.startsWith("allow-"));
    const flags = templates.map((flag) => {
      return "--" + flag.replace(/<(\w+)>/g, (_, place) => values[place] ?? `<${place}>`);
    });
    return { functions, condition, templates, flags, values };
  });
}

function codeIn(markdown: string): string[] {
  return [...markdown.matchAll(/`([^`]+)`/g)].map(([, code]) => code as string);
}

/** Calls the functions of `row` in a process with `flags`. Gives what became of each. */
async function probe({ functions, values }: Row, flags: string[]): Promise<string[]> {
  const preparation = functions.flatMap((name) => PREPARATION[name] ?? []);
  const child = new Deno.Command("deno", {
    args: [
      ...["test", "--no-check", ...merge([...flags, ...preparation]), PROBE],
      ...["--", JSON.stringify(values), ...functions],
    ],
    stdin: "null",
    env: { NO_COLOR: "1" },
    // One that waits for an answer to a prompt fails its test.
    signal: AbortSignal.timeout(60_000),
  });
  const { success, stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(success, text);
  assertEquals(/\bAllow\?|Deno requests/.exec(text), null, text);
  return text.split("\n").filter((line) => /^(permitted|refused) /.test(line));
}

/** Joins flags of one kind, as Deno takes the last one only. */
function merge(flags: string[]): string[] {
  const kinds = Map.groupBy(flags, (flag) => flag.split("=", 1)[0] as string);
  return [...kinds].map(([kind, members]) => {
    if (members.includes(kind)) return kind;
    return `${kind}=${members.map((flag) => flag.slice(kind.length + 1)).join(",")}`;
  });
}

const rows = await readTable();

Deno.test("The table of permissions says what the documentation says", async () => {
  const documented: Record<string, string[]> = {};
  for (const folder of ["loop", "transports", "subprocess", "executor", "inspector"]) {
    for await (const [name, flags] of documentedIn(new URL(`../../${folder}/`, import.meta.url))) {
      assertEquals(flags, documented[name] ?? flags, `${name} is documented in several ways`);
      documented[name] = flags;
    }
  }
  const unconditional = rows.filter(({ condition }) => condition === undefined);
  const listed = unconditional.flatMap(({ functions, templates }) => {
    return functions.map((name) => [name, templates]);
  });
  assertEquals(documented, Object.fromEntries(listed));
});

/** Finds functions, methods and classes with a `@permissions` tag, and the flags in it. */
async function* documentedIn(folder: URL): AsyncGenerator<[name: string, flags: string[]]> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* documentedIn(new URL(`${name}/`, folder));
    if (!name.endsWith(".ts") || name.startsWith("_")) continue;
    const text = await Deno.readTextFile(new URL(name, folder));
    const comments = text.matchAll(
      /\* @permissions (.*)[^]*?\*\/\n\s*(?:export )?(?:async )?(?:function |class )?(\w+)/g,
    );
    for (const [, tag = "", documented = ""] of comments) {
      yield [documented, tag.match(/allow-[^\s,;]+/g) ?? []];
    }
  }
}

for (const row of rows) {
  const { functions, flags } = row;

  Deno.test(`${functions.join(", ")}: permitted with ${flags.join(" ")}`, async () => {
    assertEquals(await probe(row, flags), functions.map((name) => `permitted ${name}`));
  });

  for (const missing of flags) {
    Deno.test(`${functions.join(", ")}: refused without ${missing}, by name and without a prompt`, async () => {
      const lines = await probe(row, flags.filter((flag) => flag !== missing));
      assertEquals(lines.length, functions.length);
      for (const [index, line] of lines.entries()) {
        assertStringIncludes(line, `refused ${functions[index]}: Cannot `);
        assertEquals(line.split(": it requires ").at(-1), missing);
      }
    });
  }
}
