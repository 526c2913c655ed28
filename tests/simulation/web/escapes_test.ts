// Whatever would reach the real world is refused by name in a simulation that serves the web, for a
// program whose modules are imported there: by named imports, too.
import { assertEquals } from "@std/assert";
import { simulate } from "../../../simulation/mod.ts";
import { type Escape, REFUSED } from "./_escapes.ts";

/** Runs `call` as a module of its own. Returns how it ended. */
async function tryCall([imports, call]: Escape): Promise<string> {
  const source = `${imports};\nexport const given = await (async () => ${asBody(call)})();`;
  try {
    await import(`data:text/javascript,${encodeURIComponent(source)}`);
    return "it went on";
  } catch (error) {
    const { message } = error as Error;
    return /^Cannot call .* in a simulation: /.test(message) ? "refused" : message;
  }
}

function asBody(call: string): string {
  return `{ return ${call} }`;
}

for (const [what, escapes] of Object.entries(REFUSED)) {
  Deno.test(`a simulation refuses ${what}, by name`, async () => {
    const found = await simulate(async () => {
      const ends: string[] = [];
      for (const escape of escapes) {
        const end = await tryCall(escape);
        if (end !== "refused") ends.push(`${escape.join("; ")}: ${end}`);
      }
      return ends;
    }, { web: true });
    assertEquals(found, []);
  });
}
