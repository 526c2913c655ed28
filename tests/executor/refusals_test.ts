// What cannot be sent is refused before it is sent, with the reason.
import { assertThrows } from "@std/assert";
import { getRunningLoop, run, WorkerPoolExecutor } from "../../mod.ts";

const outside = 1;

const FUNCTIONS: [what: string, fn: unknown, says: string][] = [
  ["a native function", Math.max, 'job "max" to a worker: it is native or bound'],
  ["a bound function", (() => 1).bind(null), "it is native or bound"],
  ["a method", { method: () => 1, shorthand() {} }.shorthand, "its source does not stand alone"],
  ["a class", class {}, "it is a class"],
  ["a generator function", function* () {}, "it is a generator"],
  ["a closure", () => outside + 1, 'it uses "outside" from the scope around it'],
  ["a function with import.meta", () => import.meta.url, "its source does not stand alone"],
  ["a number", 5, "expected a function, a moduleFunction() or a createJob(), got 5"],
  ["null", null, "expected a function, a moduleFunction() or a createJob(), got null"],
  ["nothing", undefined, "expected a function, a moduleFunction() or a createJob(), got undefined"],
  ["a text", "f", 'expected a function, a moduleFunction() or a createJob(), got "f"'],
];

for (const [what, fn, says] of FUNCTIONS) {
  Deno.test(`submit() refuses ${what}, and says why`, () =>
    run(async () => {
      await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
      assertThrows(() => pool.submit(fn as () => void), TypeError, says);
    }));
}

Deno.test("map() refuses at the call what is no function, and items that are no list", () =>
  run(async () => {
    await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
    const map = pool.map.bind(pool) as (fn: unknown, items: unknown) => unknown;
    for (const fn of [null, undefined, 5, "f", {}]) {
      assertThrows(
        () => map(fn, []),
        TypeError,
        "Cannot send a job to a worker: expected a function",
      );
    }
    const asyncItems = (async function* () {})();
    for (const items of [null, undefined, 5, {}, asyncItems, () => [1]]) {
      assertThrows(
        () => map((n: number) => n, items),
        TypeError,
        "Cannot map over items: the list must be what can be iterated over, got",
      );
    }
  }));

const ARGUMENTS: [what: string, create: () => unknown, says: string][] = [
  ["a function", () => () => 1, 'argument 2 of job "job" to a worker: it is a function'],
  ["a symbol", () => Symbol("s"), "it is a symbol"],
  ["a promise", () => Promise.resolve(1), "it is a promise or a future; await it first"],
  ["a future", () => getRunningLoop().createFuture(), "it is a promise or a future"],
  ["a URL", () => new URL("http://a/"), "objects of class URL cannot be copied"],
  ["a signal", () => new AbortController().signal, "objects of class AbortSignal cannot be copied"],
  ["a function inside", () => ({ deep: [() => 1] }), "it holds what cannot be cloned"],
  ["a port that is not transferred", () => {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    port1.close();
    return port1;
  }, "it holds what cannot be cloned"],
];

for (const [what, create, says] of ARGUMENTS) {
  Deno.test(`submit() refuses ${what} as an argument, and says why`, () =>
    run(async () => {
      await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
      await pool.warmUp();
      const job = (_first: number, _second: unknown) => {};
      assertThrows(() => pool.submit(job, 1, create()), TypeError, says);
      // Refused before it is sent: the worker is as free as before.
      await pool.submit(job, 1, 2);
    }));
}
