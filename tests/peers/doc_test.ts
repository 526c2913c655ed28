// What `deno doc` shows of the package: nothing without a sentence, and no name of the inside.
import { assertEquals } from "@std/assert";
import { CALLS } from "../house/_calls_with_options.ts";

/** As much of the output of `deno doc --json` as is looked at here. */
interface Docs {
  nodes: Record<string, { symbols: DocSymbol[] }>;
}

interface DocSymbol {
  name: string;
  declarations: Declaration[];
}

interface Declaration {
  kind: string;
  jsDoc?: { tags?: { kind: string; doc?: string }[] };
  def?: {
    hasBody?: boolean;
    extends?: string;
    implements?: { repr: string }[];
    properties?: Member[];
    methods?: Member[];
    constructors?: Member[];
    params?: Parameter[];
  };
}

interface Parameter {
  name?: string;
  left?: Parameter;
}

interface Member {
  name: string;
  /** Of a constructor. */
  params?: Parameter[];
  /** Of a method. */
  functionDef?: { params?: Parameter[] };
  isOverride?: boolean;
  accessibility?: string;
  jsDoc?: { doc?: string };
}

let docs: Promise<Docs> | undefined;

/** The docs of all exports; made once, which takes seconds. */
function readDocs(): Promise<Docs> {
  return docs ??= makeDocs();
}

async function makeDocs(): Promise<Docs> {
  const { exports } = JSON.parse(await Deno.readTextFile("deno.json"));
  const args = ["doc", "--json", ...Object.values<string>(exports)];
  const { stdout } = await new Deno.Command("deno", { args, stderr: "null" }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The members that a reader sees, each as `Class.member`. */
function* members(docs: Docs): Generator<[name: string, member: Member]> {
  for (const { symbols } of Object.values(docs.nodes)) {
    for (const { name, declarations } of symbols) {
      for (const { def } of declarations) {
        const all = [...def?.properties ?? [], ...def?.methods ?? []];
        const visible = all.filter(({ accessibility }) => accessibility !== "private");
        for (const member of visible) yield [`${name}.${member.name}`, member];
      }
    }
  }
}

/** The functions, methods and constructors with a parameter that holds options. */
function* takersOfOptions(docs: Docs): Generator<string> {
  const takes = (params: Parameter[] = []) =>
    params.some((one) => /^(options\w*|conditions)$/.test(one.name ?? one.left?.name ?? ""));
  for (const { symbols } of Object.values(docs.nodes)) {
    for (const { name, declarations } of symbols) {
      for (const { kind, def } of declarations) {
        if (kind === "function" && takes(def?.params)) yield name;
        if (kind !== "class") continue;
        // The options of an error are the language's.
        const isError = def?.extends === "Error";
        if (!isError && def?.constructors?.some(({ params }) => takes(params))) yield `new ${name}`;
        for (const method of def?.methods ?? []) {
          if (takes(method.functionDef?.params)) yield `${name}.${method.name}`;
        }
      }
    }
  }
}

/** The types of ours that `node` names, where a reader sees it. */
function* namedTypes(node: unknown): Generator<string> {
  if (typeof node !== "object" || node === null) return;
  const { accessibility, jsDoc, kind, value } = node as Partial<Record<string, unknown>>;
  const { tags = [] } = (jsDoc ?? {}) as { tags?: { kind: string }[] };
  if (accessibility === "private" || tags.some(({ kind }) => kind === "ignore")) return;
  if (kind === "typeRef") {
    const { typeName, resolution } = value as { typeName: string; resolution?: { kind: string } };
    if (["import", "local"].includes(resolution?.kind ?? "")) yield typeName;
  }
  for (const child of Object.values(node)) yield* namedTypes(child);
}

Deno.test("deno doc mod.ts names no type that is not exported there", async () => {
  const docs = await readDocs();
  const [root] = Object.entries(docs.nodes).filter(([url]) =>
    url === import.meta.resolve("../../mod.ts")
  );
  const symbols = root?.[1].symbols ?? [];
  const exported = new Set(symbols.map(({ name }) => name));
  const unknown = symbols.flatMap(({ name, declarations }) => {
    const types = [...namedTypes(declarations)].filter((type) => !exported.has(type));
    return types.map((type) => `${type} of ${name}`);
  });
  assertEquals(exported.size > 100, true);
  assertEquals([...new Set(unknown)], []);
});

Deno.test("deno doc shows no member without a sentence, and none of the inside", async () => {
  const shown = [...members(await readDocs())];
  const inner = shown.filter(([, { name }]) => name.startsWith("_"));
  const bare = shown.filter(([, { isOverride, jsDoc }]) => !isOverride && !jsDoc?.doc);
  assertEquals(inner.map(([name]) => name), [], "tag them @ignore");
  assertEquals(bare.map(([name]) => name), []);
  assertEquals(shown.length > 300, true, `${shown.length} members`);
});

Deno.test("what takes options is listed, and so has its options checked", async () => {
  const found = new Set(takersOfOptions(await readDocs()));
  assertEquals([...found].sort(), Object.keys(CALLS).sort());
});

Deno.test("an interface of what a class of asyncio's is has its name with Like behind", async () => {
  const classes = new Map<string, string[]>();
  const interfaces = new Set<string>();
  for (const { symbols } of Object.values((await readDocs()).nodes)) {
    for (const { name, declarations } of symbols) {
      for (const { kind, def } of declarations) {
        if (kind === "interface" && /(Protocol|Like)$/.test(name)) interfaces.add(name);
        if (kind === "class") classes.set(name, (def?.implements ?? []).map(({ repr }) => repr));
      }
    }
  }
  const odd = [...interfaces].filter((name) =>
    !name.endsWith("Like") || !classes.get(name.slice(0, -"Like".length))?.includes(name)
  );
  assertEquals(odd, []);
  assertEquals(interfaces.size >= 3, true);
});

/** What a reader looks for an export under. The page of mod.ts has the first names of each. */
const CATEGORIES = [
  "Diagnostics",
  "Errors",
  "Executors",
  "Names",
  "Native backend",
  "Permissions",
  "Platform",
  "Policies",
  "Protocols and transports",
  "Queues",
  "Running",
  "Scheduling",
  "Simulation",
  "Streams",
  "Structure",
  "Subprocesses",
  "Synchronisation",
  "TLS",
  "Tasks",
];

Deno.test("each export has one of the categories, and each category has exports", async () => {
  const used = new Set<string>();
  const without: string[] = [];
  for (const { symbols } of Object.values((await readDocs()).nodes)) {
    for (const { name, declarations } of symbols) {
      for (const { kind, def, jsDoc } of declarations) {
        // What another page has already is a reference to that; the body of overloads is not shown.
        if (kind === "reference" || declarations.length > 1 && def?.hasBody) continue;
        const tag = jsDoc?.tags?.find(({ kind }) => kind === "category");
        const category = (tag?.doc ?? "").trim();
        if (CATEGORIES.includes(category)) used.add(category);
        else without.push(name);
      }
    }
  }
  assertEquals([...new Set(without)], []);
  assertEquals([...used].sort(), CATEGORIES);
});
