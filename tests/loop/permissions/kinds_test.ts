// What is none of the permissions is refused wherever permissions are given: nothing of it may reach
// the flags of a child.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProcessPoolExecutor } from "../../../executor/mod.ts";
import {
  copyPermissions,
  LOOP_KINDS,
  WORKER_KINDS,
} from "../../../loop/permissions/permission_kinds.ts";
import { DenoEventLoop } from "../../../loop/mod.ts";
import { simulate } from "../../../simulation/mod.ts";

/** Everything that takes permissions, and the kinds that it takes. */
const TAKERS: [name: string, kinds: string[], take: (permissions: never) => unknown][] = [
  ["DenoEventLoop", Object.keys(LOOP_KINDS), (permissions) => new DenoEventLoop({ permissions })],
  [
    "ProcessPoolExecutor",
    Object.keys(WORKER_KINDS),
    (permissions) => new ProcessPoolExecutor({ permissions }),
  ],
];

const GARBAGE: [name: string, permissions: unknown][] = [
  ["all", { all: true }],
  ["a flag with its value", { "read=/etc": true }],
  ["a flag with a second one", { "read --allow-all": true }],
  ["a nested all", { read: { all: true } }],
  ["a key of the prototype", JSON.parse('{ "__proto__": { "read": true } }')],
  ["constructor", { constructor: true }],
  ["a symbol", { [Symbol("read")]: true }],
  ["a kind in capitals", { READ: true }],
  ["deny flags", { "deny-net": false }],
  ["a text for a list", { read: "/etc" }],
  ["a number for a switch", { read: 1 }],
  ["null for a kind", { read: null }],
  ["a list of lists", { read: [["/etc"]] }],
  ["a list with an object", { read: [{ toString: () => "/etc" }] }],
  ["a list with an empty text", { read: [""] }],
  ["a list with a hole", { read: new Array(1) }],
  ["a set", { read: new Set(["/etc"]) }],
  ["a text", "inherit"],
  ["a list of kinds", ["read"]],
  ["null", null],
];

for (const [name, kinds, take] of TAKERS) {
  for (const [what, permissions] of GARBAGE) {
    Deno.test(`${name} refuses permissions that are no such: ${what}`, () => {
      assertThrows(() => take(permissions as never), TypeError, "Cannot ");
    });
  }

  Deno.test(`${name} takes each of its kinds, granted and denied`, () => {
    for (const kind of kinds) {
      for (const grant of [true, false, undefined]) take({ [kind]: grant } as never);
    }
  });
}

Deno.test("DenoEventLoop refuses a list for what is granted or not, such as threads", () => {
  for (const kind of ["workers", "executors"]) {
    const permissions = { [kind]: ["any"] } as never;
    assertThrows(() => new DenoEventLoop({ permissions }), TypeError, "expected a boolean,");
  }
});

Deno.test("ProcessPoolExecutor refuses unknown kinds in a simulation too", () =>
  simulate(() => {
    const permissions = { all: true } as never;
    assertThrows(() => new ProcessPoolExecutor({ permissions }), TypeError, 'Cannot permit "all"');
  }));

Deno.test("copyPermissions() grants nothing that is inherited", () => {
  const inherited = Object.create({ read: true, net: ["example.com"] }, {
    write: { value: false, enumerable: true },
  });
  const copy = copyPermissions(inherited, LOOP_KINDS) as Record<string, unknown>;
  assertEquals([copy.read, copy.net, copy.write, copy.toString], [
    undefined,
    undefined,
    false,
    undefined,
  ]);
});

Deno.test("copyPermissions() is not changed by what is done to the original later", () => {
  const folder = new URL("file:///tmp/a");
  const given = { read: [folder, "/tmp/b"], run: ["git"], net: false };
  const copy = copyPermissions(given, WORKER_KINDS);
  folder.pathname = "/etc";
  given.run.push("sh");
  given.read[1] = "/etc";
  given.net = true;
  assertEquals(copy.read?.map(String), ["file:///tmp/a", "/tmp/b"]);
  assertEquals([copy.run, copy.net], [["git"], false]);
  assert(copy.read[0] instanceof URL);
});
