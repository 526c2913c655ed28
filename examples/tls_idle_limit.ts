/**
 * A TLS server of a line protocol that hangs up on who is idle, and that ends within bounded time
 * although a client stays.
 *
 * deno run --allow-net=127.0.0.1 examples/tls_idle_limit.ts
 *
 * Prints:
 *     idle client: HELLO
 *     idle client: idle for too long
 *     talker: the server is going down
 *     the server has ended
 *
 * @module
 */
import {
  CancelledError,
  createTask,
  openConnection,
  run,
  sleep,
  startServer,
  type StreamReader,
  type StreamWriter,
  timeout,
  TimeoutError,
} from "@gyre/asyncio";
import { CERT, KEY } from "./_certificate.ts";

/** Seconds that a client may be silent. */
const IDLE_LIMIT = 0.3;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

async function serve(reader: StreamReader, writer: StreamWriter): Promise<void> {
  await using output = writer;
  try {
    while (true) {
      const line = await timeout(IDLE_LIMIT, () => reader.readLine());
      if (line.length === 0) return;
      output.write(encoder.encode(decoder.decode(line).toUpperCase()));
      await output.drain();
    }
  } catch (error) {
    if (error instanceof TimeoutError) output.write(encoder.encode("idle for too long\n"));
    else {
      if (error instanceof CancelledError) {
        output.write(encoder.encode("the server is going down\n"));
      }
      throw error;
    }
  }
}

async function connect(port: number): Promise<[StreamReader, StreamWriter]> {
  return await openConnection({ port, tls: { caCerts: [CERT] }, serverHostname: "localhost" });
}

/** Says hello once, and prints all that it hears. */
async function beIdle(port: number): Promise<void> {
  const [reader, writer] = await connect(port);
  await using output = writer;
  output.write(encoder.encode("hello\n"));
  for await (const line of reader) console.log(`idle client: ${decoder.decode(line).trim()}`);
}

/** Talks as long as it is answered, and prints the last answer. */
async function talk(port: number): Promise<void> {
  const [reader, writer] = await connect(port);
  await using output = writer;
  let last = "";
  const talking = createTask(async () => {
    while (true) {
      output.write(encoder.encode("still here\n"));
      await sleep(0.05);
    }
  });
  for await (const line of reader) last = decoder.decode(line).trim();
  talking.cancel();
  console.log(`talker: ${last}`);
}

await run(async () => {
  const server = await startServer(serve, { hostname: "127.0.0.1", tls: { cert: CERT, key: KEY } });
  const { port } = server.address;
  const talker = createTask(() => talk(port));
  await beIdle(port);
  await server.shutdown({ grace: 0.5 });
  await talker;
  console.log("the server has ended");
});
