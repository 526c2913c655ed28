import { assertEquals } from "@std/assert";
import { describeOldVersion } from "../../../loop/platform/deno_version.ts";

Deno.test("describeOldVersion() finds nothing to say of 2.9.0 and what came after", () => {
  for (const version of ["2.9.0", "2.9.6", "2.10.0", "3.0.0", "2.9.0-rc.1", "2.9.1+f4c5ab4"]) {
    assertEquals(describeOldVersion(version), null, version);
  }
});

Deno.test("describeOldVersion() says what to expect of versions before 2.9.0", () => {
  for (const version of ["2.8.2", "2.7.14", "2.0.1", "1.46.3"]) {
    assertEquals(
      describeOldVersion(version),
      `Deno ${version} is too old for @gyre/asyncio: TLS fails or hangs. Use 2.9.0 or newer`,
    );
  }
});

Deno.test("describeOldVersion() names the hang of 2.8.3", () => {
  assertEquals(
    describeOldVersion("2.8.3"),
    "Deno 2.8.3 is too old for @gyre/asyncio: connections hang when they close, and TLS fails or " +
      "hangs. Use 2.9.0 or newer",
  );
});
