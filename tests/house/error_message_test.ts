import { assertEquals } from "@std/assert";
import { lint, lintHints } from "./_lint.ts";

/** Gives the hints on an error made with `args` in the loop. */
function hints(args: string, name = "InvalidStateError"): string[] {
  return lintHints("loop/thing.ts", `throw new ${name}(${args});`);
}

Deno.test("gyre/error-message accepts the form of the style guide", () => {
  assertEquals(hints('"Cannot schedule a callback: the loop is closed"'), []);
  assertEquals(hints('`Cannot connect to "${host}:${port}": connection refused`'), []);
  assertEquals(hints('"Cannot set write limits as low must be <= high: " + state'), []);
  assertEquals(hints('"Cannot close the server\'s sockets: the loop is closed"'), []);
});

Deno.test("gyre/error-message leaves alone what is not a constant message", () => {
  assertEquals(hints(""), []);
  assertEquals(hints("message"), []);
  assertEquals(hints("describe(state)"), []);
  assertEquals(hints('"anything at all."', "Uint8Array"), []);
});

Deno.test("gyre/error-message asks for the start, whatever the string is made of", () => {
  const expected = ['Begin with "Cannot "'];
  assertEquals(hints('"cannot close the loop"'), expected);
  assertEquals(hints('"Loop is closed"'), expected);
  assertEquals(hints("`${name} is closed`"), expected);
  assertEquals(hints('name + " is closed"'), expected);
});

Deno.test("gyre/error-message asks for no full stop, contraction or single quotes", () => {
  assertEquals(hints('"Cannot close the loop."'), ["End without a full stop"]);
  assertEquals(hints('"Cannot close: the loop isn\'t open"'), ["Write contractions out"]);
  assertEquals(hints("`Cannot open '${path}': not found`"), ["Put strings in double quotes"]);
  assertEquals(hints("\"Cannot open 'a b': not found\""), ["Put strings in double quotes"]);
});

Deno.test("gyre/error-message reads the second argument of AggregateError", () => {
  assertEquals(hints('errors, "2 tasks failed"', "AggregateError").length, 1);
  assertEquals(hints('errors, "Cannot end the group: 2 tasks failed"', "AggregateError"), []);
});

Deno.test("gyre/error-message looks at errors that are not thrown, and only in the layers", () => {
  assertEquals(lint("transports/a.ts", 'reject(new Error("no"));').length, 1);
  assertEquals(lint("examples/a.ts", 'throw new Error("no");'), []);
});
