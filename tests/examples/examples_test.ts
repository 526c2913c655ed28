// Every example runs with the command in its header, and prints what is said there.
import { assert } from "@std/assert";
import type { ExpectedOutput } from "./_header.ts";
import { assertOutput, readHeader, startExample } from "./_run_example.ts";

const paths = Deno.readDirSync("examples").filter(({ isFile, name }) => {
  return isFile && name.endsWith(".ts") && !name.startsWith("_");
}).map(({ name }) => `examples/${name}`).toArray().sort();

Deno.test("examples/ has examples", () => assert(paths.length > 10, String(paths.length)));

/** Runs one alone, and compares what it prints with `expected`. */
async function runAlone(command: string, expected: ExpectedOutput | undefined): Promise<void> {
  assert(expected !== undefined);
  assertOutput(await startExample(command, expected).ended, expected);
}

/** Runs the peer of an example meanwhile, and compares what both print. */
async function runWithPeer(command: string, expected: ExpectedOutput, peer: string): Promise<void> {
  const server = await readHeader(peer);
  const [expectedOfServer] = server.outputs;
  assert(expectedOfServer !== undefined);
  const running = startExample(server.command, expectedOfServer);
  await running.started;
  const text = await startExample(command, expected).ended;
  assertOutput(await running.ended, expectedOfServer);
  assertOutput(text, expected);
}

const peers = new Set(
  await Promise.all(paths.map(async (path) => {
    return await readHeader(path).then(({ peer }) => peer, () => null);
  })),
);

for (const path of paths) {
  Deno.test(`${path} prints what its header says`, async (t) => {
    const { command, outputs: [usual, ...others], peer } = await readHeader(path);
    assert(usual !== undefined);
    assert(command.includes(path), `its command runs another file: ${command}`);
    if (peer !== null) {
      await t.step(`with ${peer}`, () => runWithPeer(command, usual, peer));
      for (const other of others) await t.step("without", () => runAlone(command, other));
    } else if (!peers.has(path)) {
      await runAlone(command, usual);
    }
  });
}
