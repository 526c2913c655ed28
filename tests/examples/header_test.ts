import { assert, assertEquals, assertThrows } from "@std/assert";
import { type ExpectedOutput, parseHeader } from "./_header.ts";
import { matchesOutput, reachesInterrupt } from "./_output.ts";

const HEADER = `/**
 * Says hello.
 *
 * Start examples/server.ts first.
 *
 * deno run --allow-net examples/client.ts 'a b'
 *
 * Prints, for instance:
 *     hello 1
 *       indented
 * or, when no server runs:
 *     no server
 *
 * Some more, that is not printed:
 *
 *     like this
 *
 * @module
 */
import { run } from "@gyre/asyncio";
`;

Deno.test("parseHeader() reads command, peer and outputs", () => {
  assertEquals(parseHeader(HEADER), {
    command: "deno run --allow-net examples/client.ts 'a b'",
    peer: "examples/server.ts",
    outputs: [
      { lines: ["hello 1", "  indented"], varies: true },
      { lines: ["no server"], varies: false },
    ],
  });
});

Deno.test("parseHeader() refuses an example without doc, command or output", () => {
  assertThrows(() => parseHeader("import {} from 'a';"), Error, "no doc");
  assertThrows(() => parseHeader("/**\n * Text.\n */\n"), Error, '"deno run"');
  assertThrows(() => parseHeader("/**\n * deno run a.ts\n */\n"), Error, '"Prints:"');
});

function output(text: string, varies = false): ExpectedOutput {
  return { lines: text.split("|"), varies };
}

Deno.test("matchesOutput() compares every character, and skips lines at an ellipsis", () => {
  assert(matchesOutput("a 1\nb\n", output("a 1|b")));
  assert(!matchesOutput("a 2\nb\n", output("a 1|b")));
  assert(!matchesOutput("a 1\nb\nc\n", output("a 1|b")));
  assert(!matchesOutput("a 1\n", output("a 1|b")));
  assert(!matchesOutput("a 1", output("a 1")));
  assert(matchesOutput("a\nx\ny\nb\n", output("a|…|b")));
  assert(matchesOutput("a\nb\n", output("a|…|b")));
  assert(matchesOutput("0%\r50%\r100%\n", output("100%")));
});

Deno.test("matchesOutput() lets numbers, hashes and widths vary where the header says so", () => {
  assert(matchesOutput("port 7, 12.25 s\n", output("port 50312, 1.0 s", true)));
  assert(matchesOutput("deadbeef01  a.ts\n", output("61d91f4f15c6  a.ts", true)));
  assert(matchesOutput("┌───┐\n│ 5 │\n", output("┌─────┐|│ 123 │", true)));
  assert(!matchesOutput("port seven\n", output("port 50312", true)));
  assert(!matchesOutput("host 7\n", output("port 50312", true)));
});

Deno.test("reachesInterrupt() says when Ctrl-C is due, which is no line of the output", () => {
  const expected = output("started|^C|stopped");
  assertEquals(reachesInterrupt("", expected), false);
  assertEquals(reachesInterrupt("started\n", expected), true);
  assertEquals(reachesInterrupt("started\nstopped\n", expected), false);
  assertEquals(reachesInterrupt("started\n", output("started")), false);
  assert(matchesOutput("started\nstopped\n", expected));
});
