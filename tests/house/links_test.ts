import { assertEquals, AssertionError, assertRejects, assertThrows } from "@std/assert";
import { abortable, deadline, delay } from "@std/async";
import { assertSpyCall, assertSpyCalls, spy } from "@std/testing/mock";

Deno.test("@std/assert throws AssertionError when values differ, and nothing when they do not", () => {
  assertEquals({ a: [1] }, { a: [1] });
  assertThrows(() => assertEquals({ a: [1] }, { a: [2] }), AssertionError, "not equal");
});

Deno.test("@std/async follows a signal", async () => {
  const signal = AbortSignal.abort(new RangeError("over"));
  await assertRejects(() => delay(1000, { signal }), RangeError, "over");
  await assertRejects(() => abortable(Promise.withResolvers<void>().promise, signal), RangeError);
  assertEquals(
    await deadline(Promise.resolve(1), Infinity, { signal: new AbortController().signal }),
    1,
  );
});

Deno.test("spy() remembers arguments, results and errors", () => {
  const half = spy((value: number) => {
    if (value % 2 !== 0) throw new RangeError("odd");
    return value / 2;
  });
  assertEquals(half(4), 2);
  assertThrows(() => half(3), RangeError);
  assertSpyCalls(half, 2);
  assertSpyCall(half, 0, { args: [4], returned: 2 });
  assertEquals(half.calls[1]?.error?.message, "odd");
  assertThrows(() => assertSpyCalls(half, 1), AssertionError, "2 time(s)");
  assertThrows(() => assertSpyCall(half, 2), AssertionError, "not made");
});
