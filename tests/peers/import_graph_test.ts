// How the files of the package import each other, as `deno info` sees it.
import { assert, assertEquals } from "@std/assert";
import { LAYERS, ROOMS } from "../lint/layer_map.ts";

/** As much of the output of `deno info --json` as is looked at here. */
interface Info {
  modules: { specifier: string; dependencies?: Dependency[] }[];
}

interface Dependency {
  /** Set where a value is imported. */
  code?: { specifier: string };
  /** Whether it is loaded when it is first needed. */
  isDynamic?: boolean;
}

const ROOT = new URL("../../", import.meta.url).href;

/** Gives, for each file of the package, the files whose values it imports when it is loaded. */
async function readImports(): Promise<Map<string, string[]>> {
  const { exports } = JSON.parse(await Deno.readTextFile("deno.json"));
  const imports = new Map<string, string[]>();
  for (const entry of Object.values<string>(exports)) {
    const { stdout } = await new Deno.Command("deno", { args: ["info", "--json", entry] }).output();
    const { modules }: Info = JSON.parse(new TextDecoder().decode(stdout));
    for (const { specifier, dependencies = [] } of modules) {
      if (!specifier.startsWith(ROOT)) continue;
      const imported = dependencies.filter(({ code, isDynamic }) => code && !isDynamic)
        .map(({ code }) => code?.specifier ?? "").filter((each) => each.startsWith(ROOT));
      imports.set(specifier.slice(ROOT.length), imported.map((each) => each.slice(ROOT.length)));
    }
  }
  return imports;
}

/** Gives a circle of imports, `a -> b -> a`, if there is one. */
function findCircle(imports: Map<string, string[]>): string | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file].join(" -> ");
    if (done.has(file)) return undefined;
    path.push(file);
    for (const imported of imports.get(file) ?? []) {
      const circle = visit(imported);
      if (circle !== undefined) return circle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = visit(file);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

Deno.test("findCircle() finds a circle, and none where there is none", () => {
  const imports = new Map([["a", ["b"]], ["b", ["c"]], ["c", ["b"]]]);
  assertEquals(findCircle(imports), "b -> c -> b");
  imports.set("c", []);
  assertEquals(findCircle(imports), undefined);
});

Deno.test("no value is imported in a circle anywhere in the package", async () => {
  const imports = await readImports();
  assert(imports.size > 200);
  assertEquals(findCircle(imports), undefined);
});

Deno.test("every folder inside of loop/ and transports/ is a room of the layer map", async () => {
  const folders = [];
  for (const layer of Object.keys(LAYERS)) {
    for await (const entry of Deno.readDir(layer)) {
      if (entry.isDirectory) folders.push(`${layer}/${entry.name}`);
    }
  }
  assertEquals(folders.filter((folder) => !Object.hasOwn(ROOMS, folder)), []);
});

Deno.test("the rooms of the layer map import each other in no circle", () => {
  const rooms = new Map(Object.entries(ROOMS).map(([room, below]) => [room, [...below]]));
  assertEquals(findCircle(rooms), undefined);
});

Deno.test("who imports the root loads nothing of the queue, and no client of an engine", async () => {
  const { stdout } = await new Deno.Command("deno", { args: ["info", "--json", "mod.ts"] })
    .output();
  const { modules }: Info = JSON.parse(new TextDecoder().decode(stdout));
  const names = modules.map(({ specifier }) => specifier);
  assert(names.some((name) => name.endsWith("/executor/mod.ts")));
  assertEquals(names.filter((name) => /executor\/queue\/|node:sqlite|^npm:/.test(name)), []);
});
