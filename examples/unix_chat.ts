/**
 * A chat server on a Unix socket, and two of its members.
 *
 * deno run --allow-net=unix:/tmp/gyre-chat.sock --allow-read=/tmp/gyre-chat.sock --allow-write=/tmp/gyre-chat.sock examples/unix_chat.ts
 *
 * Prints:
 *     ann hears: bob is here
 *     bob hears: ann: hello
 *     ann hears: bob: and goodbye
 *     ann hears: bob is gone
 *
 * @module
 */
import { openUnixConnection, run, startUnixServer } from "@gyre/asyncio";
import type { ClientConnected, StreamWriter } from "@gyre/asyncio";

const PATH = "/tmp/gyre-chat.sock";
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
const members = new Set<StreamWriter>();

const serve: ClientConnected = async (reader, writer) => {
  await using output = writer;
  const name = decode(await reader.readLine());
  const say = (text: string) => {
    for (const member of members) if (member !== output) send(member, text);
  };
  say(`${name} is here`);
  members.add(output);
  send(output, "welcome");
  for await (const line of reader) say(`${name}: ${decode(line)}`);
  members.delete(output);
  say(`${name} is gone`);
};

function send(writer: StreamWriter, text: string): void {
  writer.write(new TextEncoder().encode(`${text}\n`));
}

async function join(name: string): Promise<[hear: () => Promise<void>, writer: StreamWriter]> {
  const [reader, writer] = await openUnixConnection({ path: PATH });
  send(writer, name);
  await reader.readLine();
  const hear = async () => console.log(`${name} hears: ${decode(await reader.readLine())}`);
  return [hear, writer];
}

await run(async () => {
  await using _server = await startUnixServer(serve, { path: PATH });
  const [annHears, ann] = await join("ann");
  await using _ann = ann;
  const [bobHears, bob] = await join("bob");
  await annHears();
  send(ann, "hello");
  await bobHears();
  send(bob, "and goodbye");
  await annHears();
  bob.close();
  await annHears();
});
