// The list of asyncio's names is that of CPython 3.13.
import { assertEquals } from "@std/assert";
import recorded from "../house/asyncio_names/cpython.json" with { type: "json" };

const PROGRAM = `
import asyncio, json, sys
loop = [name for name in dir(asyncio.AbstractEventLoop) if not name.startswith("_")]
print(json.dumps([list(sys.version_info[:2]), sorted(asyncio.__all__), loop]))
`;

const output = new Deno.Command("python3", { args: ["-W", "ignore", "-c", PROGRAM] }).outputSync();
const [version, module, loop] = JSON.parse(new TextDecoder().decode(output.stdout));

Deno.test({
  name: "tests/house/asyncio_names/cpython.json has the names of CPython 3.13",
  // Other versions have other names.
  ignore: version.join(".") !== "3.13",
  fn: () => assertEquals({ module, loop }, recorded),
});
