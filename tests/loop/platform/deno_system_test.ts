import { assertEquals, assertThrows } from "@std/assert";
import { filePath, isLinux, isWindows } from "../../../loop/platform/deno_system.ts";
import { onSystem } from "../_system.ts";

/** For each URL, the path on Linux and macOS, and on Windows. */
const PATHS: Record<string, [posix: string, windows: string]> = {
  "file:///tmp/a": ["/tmp/a", "\\tmp\\a"],
  "file:///tmp/a%20b/": ["/tmp/a b/", "\\tmp\\a b\\"],
  "file:///tmp/50%": ["/tmp/50%", "\\tmp\\50%"],
  "file:///tmp/%C3%A9": ["/tmp/é", "\\tmp\\é"],
  "file:///C:/Users/a": ["/C:/Users/a", "C:\\Users\\a"],
  "file://server/share/a": ["/share/a", "\\\\server\\share\\a"],
};

for (const [url, [posix, windows]] of Object.entries(PATHS)) {
  Deno.test(`filePath() of ${url} is ${posix}, and ${windows} on Windows`, async () => {
    for (const os of ["linux", "darwin"] as const) {
      await onSystem(os, () => assertEquals(filePath(new URL(url)), posix));
    }
    await onSystem("windows", () => assertEquals(filePath(new URL(url)), windows));
  });
}

Deno.test("filePath() of a text is the text, and a URL of no file is refused", () => {
  assertEquals(["a%20b", "C:\\x", ""].map(filePath), ["a%20b", "C:\\x", ""]);
  assertThrows(
    () => filePath(new URL("https://example.com/a")),
    TypeError,
    `Cannot use "https://example.com/a" as a path: it is no URL of a file`,
  );
});

Deno.test("isWindows() and isLinux() ask each time, and no system is both", async () => {
  const answers: Record<string, boolean[]> = {};
  for (const os of ["linux", "darwin", "windows"] as const) {
    await onSystem(os, () => void (answers[os] = [isLinux(), isWindows()]));
  }
  const expected = { linux: [true, false], darwin: [false, false], windows: [false, true] };
  assertEquals(answers, expected);
});
