// What happens when the process may open nothing more, in a process that may open little.
import { assertEquals } from "@std/assert";

const PROGRAM = "tests/peers/programs/at_the_limit.ts";

Deno.test("servers and whatever opens something say that too many files are open, and go on", async () => {
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", `ulimit -n 60; exec deno run --quiet --no-check -P=unix ${PROGRAM}`],
    // A program that does not end by itself fails its test, and does not stay.
    signal: AbortSignal.timeout(30_000),
  }).output();
  const [lines, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes).trim());

  const wrong = (lines ?? "").split("\n").slice(4).filter((line) => {
    return !/: EMFILE, Cannot .*: too many open files( \(os error 24\))?$/.test(line);
  });
  assertEquals(wrong, [], errors);
  assertEquals((lines ?? "").split("\n").slice(0, 4), [
    "TCP: EMFILE, hello",
    "a shared port: EMFILE, hello",
    "TLS: EMFILE, hello",
    "Unix: EMFILE, hello",
  ], errors);
  assertEquals((lines ?? "").split("\n").length, 16, errors);
  assertEquals(code, 0, errors);
});
