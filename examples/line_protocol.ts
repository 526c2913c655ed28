/**
 * A server of a line protocol, GET and SET on streams, and a client that asks it some things.
 *
 * deno run --allow-net=127.0.0.1 examples/line_protocol.ts
 *
 * Prints:
 *     SET colour deep blue -> OK
 *     GET colour           -> VALUE deep blue
 *     GET shape            -> NONE
 *     JUMP                 -> ERROR unknown command "JUMP"
 *     QUIT                 -> BYE
 *
 * @module
 */
import { type ClientConnected, openConnection, run, startServer } from "@gyre/asyncio";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const values = new Map<string, string>();

const serve: ClientConnected = async (reader, writer) => {
  await using output = writer;
  for await (const bytes of reader) {
    const reply = answer(decoder.decode(bytes).trimEnd());
    output.write(encoder.encode(`${reply}\n`));
    await output.drain();
    if (reply === "BYE") return;
  }
};

function answer(line: string): string {
  const [command, key = "", ...rest] = line.split(" ");
  switch (command) {
    case "GET":
      return values.has(key) ? `VALUE ${values.get(key)}` : "NONE";
    case "SET":
      values.set(key, rest.join(" "));
      return "OK";
  }
  return command === "QUIT" ? "BYE" : `ERROR unknown command "${command}"`;
}

await run(async () => {
  await using server = await startServer(serve, { hostname: "127.0.0.1" });
  const { port } = server.address;

  const [reader, writer] = await openConnection({ hostname: "127.0.0.1", port });
  await using output = writer;
  for (const line of ["SET colour deep blue", "GET colour", "GET shape", "JUMP", "QUIT"]) {
    output.write(encoder.encode(`${line}\n`));
    const reply = decoder.decode(await reader.readLine()).trimEnd();
    console.log(`${line.padEnd(20)} -> ${reply}`);
  }
});
