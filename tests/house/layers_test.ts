import { assertEquals } from "@std/assert";
import { ROOMS, TYPES_BACK } from "../lint/layer_map.ts";
import { lint, lintHints } from "./_lint.ts";

/** Says whether `importer` may import `specifier`. */
function mayImport(importer: string, specifier: string, kind = ""): boolean {
  return lint(importer, `import ${kind} { thing } from "${specifier}";`).length === 0;
}

/** Gives a file in `room`, which may be one itself. */
function fileIn(room: string): string {
  return room.endsWith(".ts") ? room : `${room}/thing.ts`;
}

/** Gives the specifier of `file` in a file of `room`. */
function specifierOf(room: string, file: string): string {
  return (room.endsWith(".ts") ? "../" : "../../") + file;
}

const LAYERS = ["loop", "transports", "subprocess", "executor", "simulation", "inspector"];

/** For each layer, who may import whom. */
const TABLE: Record<string, string[]> = {
  loop: ["loop"],
  transports: ["loop", "transports"],
  subprocess: ["loop", "transports", "subprocess"],
  executor: ["loop", "executor"],
  simulation: LAYERS.filter((to) => to !== "inspector"),
  inspector: ["loop", "inspector"],
  "tests/loop": LAYERS,
};

for (const [importer, allowed] of Object.entries(TABLE)) {
  Deno.test(`gyre/layers lets ${importer}/ import ${allowed.join(", ")} and no more`, () => {
    const up = "../".repeat(importer.split("/").length);
    const reached = LAYERS.filter((to) => mayImport(`${importer}/a.ts`, `${up}${to}/b.ts`));
    assertEquals(reached, allowed);
  });
}

Deno.test("gyre/layers lets mod.ts import every layer but simulation and inspector", () => {
  const reached = LAYERS.filter((to) => mayImport("mod.ts", `./${to}/mod.ts`));
  assertEquals(reached, LAYERS.filter((to) => to !== "simulation" && to !== "inspector"));
});

Deno.test("gyre/layers lets the composition root import every layer but simulation and inspector", () => {
  const reached = LAYERS.filter((to) => mayImport("loop/deno_event_loop.ts", `../${to}/b.ts`));
  assertEquals(reached, LAYERS.filter((to) => to !== "simulation" && to !== "inspector"));
});

Deno.test("gyre/layers names who may import the composition root", () => {
  const importers = ["loop/policy.ts", "loop/mod.ts", "mod.ts", "simulation/simulate.ts"];
  for (const importer of importers) {
    assertEquals(mayImport(importer, "../loop/deno_event_loop.ts"), true, importer);
  }
  assertEquals(mayImport("loop/runner.ts", "./deno_event_loop.ts"), false);
  assertEquals(mayImport("loop/runner.ts", "./deno_event_loop.ts", "type"), true);
  assertEquals(mayImport("transports/endpoints/server.ts", "../../loop/deno_event_loop.ts"), false);
});

Deno.test("gyre/layers keeps a private file to its layer and its tests", () => {
  const heap = "loop/synchronisation/_heap.ts";
  assertEquals(mayImport("loop/runner.ts", "./synchronisation/_heap.ts"), true);
  assertEquals(mayImport("loop/structure/wait.ts", "../synchronisation/_heap.ts"), true);
  assertEquals(mayImport("tests/loop/synchronisation/heap_test.ts", `../../../${heap}`), true);
  assertEquals(mayImport("transports/endpoints/server.ts", `../../${heap}`), false);
  assertEquals(mayImport("simulation/clock.ts", `../${heap}`), false);
  assertEquals(mayImport("tests/peers/echo_test.ts", `../../${heap}`), false);
});

Deno.test("gyre/layers keeps values to the rooms below, as the layer map has them", () => {
  for (const [importer, below] of Object.entries(ROOMS)) {
    const [layer] = importer.split("/");
    const inLayer = Object.keys(ROOMS).filter((room) => room.startsWith(`${layer}/`));
    const reached = inLayer.filter((room) =>
      mayImport(fileIn(importer), specifierOf(importer, fileIn(room)))
    );
    const rooms = below.filter((name) => name in ROOMS);
    assertEquals(new Set(reached), new Set([importer, ...rooms]), importer);
    // A room may name files at the top of its layer too, which it then reaches.
    for (const file of below.filter((name) => !(name in ROOMS))) {
      assertEquals(mayImport(fileIn(importer), specifierOf(importer, file)), true, file);
    }
  }
});

Deno.test("gyre/layers lets no room import the top of its layer", () => {
  assertEquals(mayImport("loop/tasks/task.ts", "../runner.ts"), false);
  assertEquals(mayImport("loop/tasks/task.ts", "../mod.ts"), false);
  assertEquals(mayImport("transports/core/stream_transport.ts", "../mod.ts"), false);
  assertEquals(mayImport("loop/runner.ts", "./structure/gather.ts"), true);
});

Deno.test("gyre/layers lets types run back only where the layer map gives the reason", () => {
  for (const [importer, back] of Object.entries(TYPES_BACK)) {
    for (const [room, reason] of Object.entries(back)) {
      const specifier = specifierOf(importer, fileIn(room));
      assertEquals(mayImport(fileIn(importer), specifier, "type"), true, `${importer}: ${reason}`);
      assertEquals(mayImport(fileIn(importer), specifier), false, `${importer}: ${reason}`);
    }
  }
  assertEquals(mayImport("loop/tasks/task.ts", "../event_loop.ts", "type"), true);
  assertEquals(mayImport("loop/tasks/task.ts", "../event_loop.ts"), false);
  assertEquals(mayImport("loop/tasks/task.ts", "../structure/gather.ts", "type"), false);
});

Deno.test("gyre/layers tells an import of types from one of values", () => {
  const sources: [source: string, complaints: number][] = [
    [`import type { Task } from "../tasks/task.ts";`, 0],
    [`import { type Task } from "../tasks/task.ts";`, 0],
    [`export type { Task } from "../tasks/task.ts";`, 0],
    [`import { type Task, isCoroutine } from "../tasks/task.ts";`, 1],
    [`import * as tasks from "../tasks/task.ts";`, 1],
    [`import "../tasks/task.ts";`, 1],
    [`export { Task } from "../tasks/task.ts";`, 1],
  ];
  for (const [source, complaints] of sources) {
    assertEquals(lint("loop/scheduling/handle.ts", source).length, complaints, source);
  }
});

Deno.test("gyre/layers says what to do instead", () => {
  const remedies: [importer: string, specifier: string, remedy: string][] = [
    [
      "loop/tasks/task.ts",
      "../structure/gather.ts",
      "Move what is needed down or take it as a callback; the rooms stand in tests/lint/layer_map.ts",
    ],
    [
      "loop/tasks/task.ts",
      "../../transports/protocol.ts",
      "Move what is needed down, or declare what is needed as an interface down there",
    ],
    [
      "transports/endpoints/server.ts",
      "../../loop/deno_event_loop.ts",
      "Take the loop as EventLoop or PlatformLoop",
    ],
    [
      "simulation/clock.ts",
      "../loop/scheduling/_driver.ts",
      "Drop the underscore from its name if others need it, or test it through what is public",
    ],
    [
      "loop/tasks/task.ts",
      "@std/async",
      "Write it here, or put what needs it under tests/, examples/ or bench/",
    ],
  ];
  for (const [importer, specifier, remedy] of remedies) {
    assertEquals(lintHints(importer, `import "${specifier}";`), [remedy], specifier);
  }
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
