import { assertEquals } from "@std/assert";
import { lint, lintHints } from "./_lint.ts";

const HOME = "loop/platform/deno_system.ts";

for (
  const use of [
    "Deno.build.os;",
    "const { os } = Deno.build;",
    "url.pathname;",
    "new URL(a, b).pathname;",
  ]
) {
  Deno.test(`gyre/file-path reports \`${use}\` everywhere but in ${HOME}`, () => {
    for (
      const path of ["loop/deno_thing.ts", "tests/thing_test.ts", "bench/x.ts", "examples/x.ts"]
    ) {
      assertEquals(lint(path, use).length, 1, path);
      assertEquals(lintHints(path, use)[0]?.startsWith("Take `"), true);
    }
    assertEquals(lint(HOME, use), []);
  });
}

Deno.test("gyre/file-path leaves paths of requests, and other properties, alone", () => {
  const innocent = [
    "const { pathname } = new URL(request.url);",
    "url[pathname];",
    'url.pathname = "/index";',
    "build.os;",
    "const names = { pathname: 1 };",
  ];
  for (const source of innocent) assertEquals(lint("examples/thing.ts", source), [], source);
});
