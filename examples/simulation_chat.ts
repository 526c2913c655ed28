/**
 * A chat server whose clients are cut off from it for a while: everybody reads everything, late.
 *
 * deno run examples/simulation_chat.ts
 *
 * Prints:
 *      0.0 ann: hello
 *      2.0 bob: anybody there?
 *      3.0 (the network is mended)
 *      3.0 bob reads: hello
 *      3.4 ann reads: anybody there?
 *
 * @module
 */
import { openConnection, sleep, startServer, type StreamWriter } from "@gyre/asyncio";
import { simulate, type SimulatedHost } from "@gyre/asyncio/simulation";

const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];

/** Sends each line that a client writes to all the others. */
async function serveChat(): Promise<void> {
  const members = new Set<StreamWriter>();
  await startServer(async (reader, writer) => {
    members.add(writer);
    for await (const line of reader) {
      for (const member of members) if (member !== writer) member.write(line);
    }
    members.delete(writer);
    writer.close();
  }, { port: 6667 });
}

await simulate(async ({ host, network, loop }) => {
  const log = (text: string) => console.log(`${loop.time().toFixed(1).padStart(4)} ${text}`);
  await host("server").run(serveChat);

  /** Joins as `member`, and returns what sends a line. */
  const join = async (member: SimulatedHost) => {
    const connect = () => openConnection({ hostname: "server", port: 6667 });
    const [reader, writer] = await member.run(connect);
    member.run(async () => {
      for await (const line of reader) log(`${member.name} reads: ${decoder.decode(line).trim()}`);
    });
    return (text: string) => {
      log(`${member.name}: ${text}`);
      writer.write(encoder.encode(`${text}\n`));
    };
  };
  const ann = await join(host("ann"));
  const bob = await join(host("bob"));

  network.partition("bob", "server");
  ann("hello");
  await sleep(2);
  bob("anybody there?");
  await sleep(1);
  log("(the network is mended)");
  network.heal();
  await sleep(10);
}, { seed: 1 });
