import { assertEquals } from "@std/assert";
import { CPython, minorVersion } from "../conformance/cpython.ts";
import { deriveAsyncProgram, readAsyncProgram } from "../conformance/derive_async_program.ts";
import { comparePrograms, explain } from "../conformance/fuzz.ts";

/** Older ones differ from what we follow. */
const OLDEST_MINOR = 13;
/** More with tests/conformance/fuzz.ts. */
const PROGRAMS = 300;

const minor = await minorVersion();

Deno.test({
  name: "Coroutines leave the traces that CPython leaves for new random programs",
  ignore: minor < OLDEST_MINOR,
  async fn() {
    const seed = Date.now() % 1e9;
    await using python = new CPython();
    const { disagreements, compared } = await comparePrograms(python, seed, PROGRAMS);
    const [first] = disagreements;
    if (first !== undefined) {
      throw new Error(`Seed ${first} disagrees:\n${await explain(python, first)}`);
    }
    assertEquals(compared > PROGRAMS * 0.9, true);
  },
});

Deno.test("async_program.ts is what derive_async_program.ts makes of coroutine_program.ts", async () => {
  assertEquals(await readAsyncProgram(), await deriveAsyncProgram());
});
