// Our side of unix_test.ts, which does as _unix_peer.py.
import { openUnixConnection, run, startUnixServer } from "../../../mod.ts";

const [mode, path = ""] = Deno.args;

/** Says when it listens, and serves until its input ends. */
async function serve(): Promise<void> {
  await using _server = await startUnixServer(async (reader, writer) => {
    await using output = writer;
    for (let data = await reader.read(65_536); data.length > 0; data = await reader.read(65_536)) {
      output.write(data);
      await output.drain();
    }
  }, { path });
  console.log("listening");
  for await (const _chunk of Deno.stdin.readable);
}

/** Sends a million bytes in pieces, and checks what comes back. */
async function connect(): Promise<void> {
  const [reader, writer] = await openUnixConnection({ path });
  const answer = reader.read();
  for (let number = 0; number < 1000; number += 1) {
    writer.write(new Uint8Array(1000).fill(number % 251));
    await writer.drain();
  }
  writer.writeEof();
  const data = await answer;
  writer.close();
  await writer.waitClosed();
  console.log(data.length, data.reduce((sum, byte) => sum + byte));
}

await run(mode === "serve" ? serve : connect);
