import { assertEquals } from "@std/assert";
import { lint, lintHints } from "./_lint.ts";

const USES = [
  "Deno.listen({ port: 0 });",
  "new Worker(url);",
  "setTimeout(callback);",
  "setInterval(callback);",
  `import { setImmediate } from "node:timers";`,
  "performance.now();",
  "new Date();",
  "Math.random();",
  "globalThis.setTimeout(callback);",
  "const clock = { performance };",
  "(Date as unknown);",
];

for (const use of USES) {
  Deno.test(`gyre/seam reports \`${use}\` in every layer, but not in deno_*.ts or outside`, () => {
    for (const layer of ["loop", "transports", "subprocess", "executor", "simulation"]) {
      assertEquals(lint(`${layer}/thing.ts`, use).length, 1, layer);
      assertEquals(lint(`${layer}/deno_thing.ts`, use), [], layer);
      assertEquals(lint(`${layer}/_deno_thing.ts`, use), [], layer);
      assertEquals(lint(`${layer}/native_thing.ts`, use), [], layer);
    }
    assertEquals(lint("examples/thing.ts", use), []);
    assertEquals(lint("tests/loop/thing_test.ts", use), []);
  });
}

Deno.test("gyre/seam ignores types, keys and properties of the same name", () => {
  const innocent = [
    "function addresses(): Deno.Addr[] { return []; }",
    "let worker: Worker | undefined;",
    "let pending: ReturnType<typeof setTimeout>;",
    "clock.setTimeout(1);",
    "class Clock { setTimeout() {} }",
    "const names = { Date: 1 };",
    "Math.max(1, 2);",
  ];
  for (const source of innocent) assertEquals(lint("loop/thing.ts", source), [], source);
});

Deno.test("gyre/seam says what to take instead", () => {
  assertEquals(lintHints("loop/thing.ts", "setTimeout(callback);"), [
    "Take `loop.callLater()`, or `sleep()`",
  ]);
  assertEquals(lintHints("loop/thing.ts", "Math.random();"), ["Take `platform.random`"]);
  assertEquals(lintHints("loop/thing.ts", "Deno.listen({ port: 0 });"), [
    "Take it from the platform (loop/platform/platform.ts), or declare it there and implement it in a file named deno_*.ts",
  ]);
  for (const use of USES) assertEquals(lintHints("loop/thing.ts", use).length, 1, use);
});
