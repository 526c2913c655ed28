import { assertEquals } from "@std/assert";
import { freeNames } from "../../executor/_free_names.ts";

/** Sources with the names they take from outside, globals included. */
const CASES: [source: string, free: string][] = [
  ["(a, b = 2) => a + b", ""],
  ["() => outer", "outer"],
  ["(list) => list.map((x) => x * factor)", "factor"],
  ["function fact(n) { return n ? n * fact(n - 1) : 1 }", ""],
  ["x => y => x + y", ""],
  ["async function* g(a) { yield* a; yield await a }", ""],
  ["({ a = 1, b: { c } }, [d]) => a + c + d", ""],
  ["(x) => { const { a, b: c, ...d } = x, e = 1; return [a, c, d, e] }", ""],
  ["() => { let a = 1\n let b = a\n function go() { return b }\n return go() }", ""],
  [
    "() => { const f = Symbol.for('x'), g = function () {}, h = class K {}; return [f, g, h] }",
    "Symbol",
  ],
  ["() => ({ key: 1, 'other': 2, method() { return 3 }, get x() { return 4 } })", ""],
  ["() => ({ data })", "data"],
  ["(c) => c ? yes : no", "yes no"],
  ["(c) => c ? { yes: 1 } : { no: c }", ""],
  ["() => { outer: for (;;) { break outer } }", ""],
  ["() => { try { } catch (error) { return error } }", ""],
  ["() => { class A { #p = 1; q = 2; static s; m(x) { return x + this.#p } } return new A() }", ""],
  ["() => new Thing()", "Thing"],
  ["() => typeof missing === 'undefined'", ""],
  ["(s) => s.replace(/a\\/[b/]\"c/g, 'x').length / 2 / s", ""],
  ["(s) => { if (s) /quoted 'name/.test(s) }", ""],
  ["(s) => `a ${s + `b ${inner} c`} d ${'outer'}`", "inner"],
  ['() => \'not name\' + "nor \\" this" // nor this\n /* nor this */', ""],
  ["() => [1e5, 0xff, 1_000n, .5, 1.e3]", ""],
  ["(o) => o?.name ?? o.default?.(1)", ""],
  ["async () => { for await (const x of source) console.log(x) }", "source console"],
  ["() => { using r = open(); return r }", "open"],
];

for (const [source, free] of CASES) {
  Deno.test(`freeNames() of ${source} are [${free}]`, () => {
    assertEquals([...freeNames(source)].join(" "), free);
  });
}
