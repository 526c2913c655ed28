import { assertEquals } from "@std/assert";

const FOLDER = new URL("../../transports/native/", import.meta.url);

/** The names of the files of the native backend that `pattern` is found in. */
async function filesWith(pattern: RegExp): Promise<string[]> {
  const found = [];
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (pattern.test(await Deno.readTextFile(new URL(name, FOLDER)))) found.push(name);
  }
  return found.sort();
}

Deno.test("one file of the native backend opens libraries", async () => {
  assertEquals(await filesWith(/Deno\.dlopen\(/), ["native_libc.ts"]);
});

Deno.test("addresses are made and read in one file of the native backend, but for that of errno", async () => {
  assertEquals(await filesWith(/UnsafePointer\.(create|of|value)/), ["native_memory.ts"]);
  assertEquals(await filesWith(/UnsafePointerView/), ["native_libc.ts", "native_memory.ts"]);
});
