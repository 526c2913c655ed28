import { assertEquals } from "@std/assert";
import { normalPath, PathGrant } from "../../../loop/permissions/_path_grant.ts";
import { onSystem } from "../_system.ts";

/** For each path, what it is without detours. */
const PATHS: Record<string, string> = {
  "/run/app/../db.sock": "/run/db.sock",
  "/run//app/./x/": "/run/app/x",
  "/../../etc": "/etc",
  "a/../../b": "../b",
  "./a": "a",
  "/": "/",
  "C:\\Data\\..\\x": "c:/x",
  "\\\\host\\share\\a": "//host/share/a".slice(1),
  "\0name": "\0name",
};

for (const [path, normal] of Object.entries(PATHS)) {
  Deno.test(`normalPath() takes ${JSON.stringify(path)} for ${JSON.stringify(normal)}`, () => {
    assertEquals(normalPath(path), normal);
  });
}

Deno.test("PathGrant.allows() a path, and what is in a folder, but no detour out of it", () => {
  const grant = new PathGrant(["/run/app", new URL("file:///tmp/a%20b/"), "sockets"]);
  const allowed = ["/run/app", "/run/app/", "/run/app/x/y", "/run/x/../app/z", "/tmp/a b/c"];
  const refused = ["/run/app2", "/run/app/../x", "/run", "/", "/sockets", "../sockets", "app"];
  for (const path of [...allowed, "sockets/x", "./sockets"]) {
    assertEquals(grant.allows(path), true, path);
  }
  for (const path of refused) assertEquals(grant.allows(path), false, path);
});

Deno.test("PathGrant.allows() everything below the root, or with true, and nothing with false", () => {
  assertEquals(new PathGrant(["/"]).allows("/etc/passwd"), true);
  assertEquals(new PathGrant(true).allows("/etc/passwd"), true);
  assertEquals(new PathGrant(false).allows("/etc/passwd"), false);
});

Deno.test("PathGrant.allows() what is in the current folder, where that is listed", () => {
  for (const folder of ["", ".", "./"]) {
    const grant = new PathGrant([folder]);
    const answers = ["a", "./a/b", ".", "..", "../a", "/etc/passwd", "\0name", "C:\\x", "..a"]
      .map((path) => grant.allows(path));
    assertEquals(answers, [true, true, true, false, false, false, false, false, true]);
  }
});

Deno.test("PathGrant.admit() returns what was checked, and with true what was given", () => {
  const grant = new PathGrant(["/run/app", "sockets", "C:\\Data"]);
  const admitted = {
    "/run/app/x": "/run/app/x",
    "/run/app/link/../x": "/run/app/x",
    "/run/app/./x//": "/run/app/x",
    "./sockets/a/../x": "sockets/x",
    "C:\\Data\\X": "C:\\Data\\X",
  };
  for (const [path, opened] of Object.entries(admitted)) assertEquals(grant.admit(path), opened);
  assertEquals(grant.admit("/run/app/../x"), null);
  assertEquals(new PathGrant([""]).admit("./"), ".");
  assertEquals(new PathGrant(true).admit("/run/app/link/../x"), "/run/app/link/../x");
});

Deno.test("PathGrant takes both slashes and any capitals on Windows, and leaves no way out", () =>
  onSystem("windows", () => {
    const grant = new PathGrant(["logs", "/data", new URL("file:///C:/App%20Data")]);
    const allowed = ["logs\\today", "LOGS/today", "\\data\\x", "c:\\app data\\x", "C:/App Data"];
    const refused = ["logs/..\\..\\secret", "logs\\..\\x", "/data/..\\x", "C:\\App Data\\..\\x"];
    for (const path of allowed) assertEquals(grant.allows(path), true, path);
    for (const path of refused) assertEquals(grant.allows(path), false, path);
    assertEquals(grant.admit("logs\\Today"), "logs\\Today");
  }));

Deno.test("PathGrant takes a backslash for a part of a name elsewhere", () => {
  const grant = new PathGrant(["logs"]);
  assertEquals(["logs/..\\x", "logs\\x"].map((path) => grant.allows(path)), [true, false]);
});
