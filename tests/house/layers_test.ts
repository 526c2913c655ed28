import { assertEquals } from "@std/assert";
import { lint } from "./_lint.ts";

/** Says whether `importer` may import `specifier`. */
function mayImport(importer: string, specifier: string): boolean {
  return lint(importer, `import { thing } from "${specifier}";`).length === 0;
}

const LAYERS = ["loop", "transports", "subprocess", "executor", "simulation"];

/** For each layer, who may import whom. */
const TABLE: Record<string, string[]> = {
  loop: ["loop"],
  transports: ["loop", "transports"],
  subprocess: ["loop", "transports", "subprocess"],
  executor: ["loop", "executor"],
  simulation: LAYERS,
  "tests/loop": LAYERS,
};

for (const [importer, allowed] of Object.entries(TABLE)) {
  Deno.test(`gyre/layers lets ${importer}/ import ${allowed.join(", ")} and no more`, () => {
    const up = "../".repeat(importer.split("/").length);
    const reached = LAYERS.filter((to) => mayImport(`${importer}/a.ts`, `${up}${to}/b.ts`));
    assertEquals(reached, allowed);
  });
}

Deno.test("gyre/layers lets mod.ts import every layer but simulation", () => {
  const reached = LAYERS.filter((to) => mayImport("mod.ts", `./${to}/mod.ts`));
  assertEquals(reached, LAYERS.filter((to) => to !== "simulation"));
});

Deno.test("gyre/layers lets the composition root import every layer but simulation", () => {
  const reached = LAYERS.filter((to) => mayImport("loop/deno_event_loop.ts", `../${to}/b.ts`));
  assertEquals(reached, LAYERS.filter((to) => to !== "simulation"));
});

Deno.test("gyre/layers names who may import the composition root", () => {
  const importers = ["loop/policy.ts", "loop/runner.ts", "loop/mod.ts", "simulation/simulate.ts"];
  for (const importer of importers) {
    assertEquals(mayImport(importer, "../loop/deno_event_loop.ts"), true, importer);
  }
  assertEquals(mayImport("loop/tasks/task.ts", "./deno_event_loop.ts"), false);
  assertEquals(mayImport("transports/endpoints/server.ts", "../loop/deno_event_loop.ts"), false);
});

Deno.test("gyre/layers keeps a private file to its folder and its tests", () => {
  assertEquals(mayImport("loop/event_loop.ts", "./_heap.ts"), true);
  assertEquals(mayImport("tests/loop/heap_test.ts", "../../loop/synchronisation/_heap.ts"), true);
  assertEquals(mayImport("transports/endpoints/server.ts", "../loop/_heap.ts"), false);
  assertEquals(mayImport("simulation/clock.ts", "../loop/_heap.ts"), false);
  assertEquals(mayImport("tests/peers/echo_test.ts", "../../loop/synchronisation/_heap.ts"), false);
});

Deno.test("gyre/layers lets the package depend on nothing but node: modules", () => {
  assertEquals(mayImport("loop/tasks/task.ts", "node:async_hooks"), true);
  assertEquals(mayImport("loop/tasks/task.ts", "@std/assert"), false);
  assertEquals(mayImport("loop/tasks/task.ts", "npm:left-pad"), false);
  assertEquals(mayImport("examples/echo.ts", "@std/async"), true);
});

Deno.test("gyre/layers looks at every form of import and export", () => {
  const sources = [
    `import type { A } from "../transports/a.ts";`,
    `export { a } from "../transports/a.ts";`,
    `export * from "../transports/a.ts";`,
    `await import("../transports/a.ts");`,
  ];
  for (const source of sources) {
    assertEquals(lint("loop/a.ts", source), [
      `gyre/layers: "transports/a.ts" is out of reach: "loop/a.ts" may import only loop/`,
    ]);
  }
});
