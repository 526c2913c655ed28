// Ordinary programs, loaded on hosts of a simulation: each life has modules of its own.
import { assertEquals, assertRejects } from "@std/assert";
import { sleep } from "../../../mod.ts";
import { InvalidStateError } from "../../../loop/errors/errors.ts";
import { simulate } from "../../../simulation/mod.ts";
import { exploreWeb } from "../../../simulation/web/mod.ts";

const program = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;

/** A module with a state of its own, and one that serves it. */
const COUNTER = program("let count = 0; export const next = () => count += 1;");
const SERVICE = program(`
  import { next } from ${JSON.stringify(COUNTER)};
  Deno.serve({ port: 80, onListen: () => {} }, () => new Response(String(next())));
`);

const ask = async (host: string) => await (await fetch(`http://${host}/`)).text();

Deno.test("WebHost.load() gives each life, each host and each run modules of their own", async () => {
  const seen: string[] = [];
  const { failure } = await exploreWeb(async ({ host }) => {
    for (const name of ["a", "b"]) await host(name).load(SERVICE);
    const answers = [await ask("a"), await ask("a"), await ask("b")];
    host("a").restart();
    await sleep(1);
    answers.push(await ask("a"));
    seen.push(answers.join(" "));
  }, { runs: 2 });
  assertEquals(failure, null);
  assertEquals(seen, ["1 2 1 1", "1 2 1 1", "1 2 1 1"]);
});

Deno.test("WebHost.load() serves a default export that answers requests", async () => {
  const { failure } = await exploreWeb(async ({ host }) => {
    await host("app").load(program("export default { fetch: () => new Response('hello') }"));
    assertEquals(await ask("app"), "hello");
  }, { runs: 1 });
  assertEquals(failure, null);
});

Deno.test("a loaded program may wait for simulated time before its modules are done", async () => {
  const { failure } = await exploreWeb(async ({ host, loop }) => {
    const source = "await new Promise((end) => setTimeout(end, 5000)); export const done = true;";
    const { done } = await host("slow").load(program(source));
    assertEquals([done, loop.time() >= 5 && loop.time() < 5.1], [true, true]);
  }, { runs: 1, check: true });
  assertEquals(failure, null);
});

Deno.test("a loaded program that fails says so to who has loaded it", async () => {
  const { failure } = await exploreWeb(async ({ host }) => {
    await assertRejects(async () => {
      await host("broken").load(program("throw new RangeError('broken')"));
    }, RangeError);
    await assertRejects(
      async () => {
        await host("escaping").load(
          program("import { readFileSync } from 'fs'; readFileSync('x')"),
        );
      },
      InvalidStateError,
      "node:fs.readFileSync()",
    );
  }, { runs: 1 });
  assertEquals(failure, null);
});

Deno.test("Deno.exit() and process.exit() end the programs of a host, and reset its connections", async () => {
  for (const exit of ["Deno.exit(1)", "process.exit(1)", "process.emit('SIGTERM')"]) {
    const source = `
      process.on("SIGTERM", () => process.exit());
      Deno.serve({ port: 80, onListen: () => {} }, () => { ${exit}; return new Response("late"); });
    `;
    const { failure } = await exploreWeb(async ({ host }) => {
      await host("app").load(program(source));
      await assertRejects(() => ask("app"), TypeError);
      assertEquals(host("app").isUp, false);
    }, { runs: 1 });
    assertEquals(failure, null);
  }
});

Deno.test("Deno.exit() is refused where the simulation itself runs", async () => {
  await assertRejects(
    () => simulate(() => Deno.exit(), { web: true }),
    InvalidStateError,
    "Cannot call Deno.exit() in a simulation",
  );
});
