/**
 * A chat server: who connects, with `nc 127.0.0.1 8889` for instance, gives a name, and hears what the
 * others say. Ctrl-C or SIGTERM ends it: everyone has a second to say goodbye, then hears the end.
 *
 * deno run --allow-net=127.0.0.1:8889 examples/chat_server.ts
 *
 * Prints:
 *     Listening on 127.0.0.1:8889
 *     ^C
 *
 * @module
 */
import {
  createTask,
  Queue,
  runMain,
  startServer,
  type StreamReader,
  type StreamWriter,
} from "@gyre/asyncio";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** What each client is still to be sent. */
const clients = new Map<string, Queue<string>>();

function broadcast(text: string, from: string): void {
  for (const [name, queue] of clients) {
    // Who does not read for so long misses some.
    if (name !== from && !queue.full()) queue.putNowait(text);
  }
}

/** Sends what is queued, until the queue is shut down. */
async function sendFrom(queue: Queue<string>, writer: StreamWriter): Promise<void> {
  for await (const text of queue) {
    writer.write(encoder.encode(`${text}\n`));
    await writer.drain();
  }
}

async function serve(reader: StreamReader, writer: StreamWriter): Promise<void> {
  await using output = writer;
  output.write(encoder.encode("Your name?\n"));
  const name = decoder.decode(await reader.readLine()).trim();
  if (name === "" || clients.has(name)) return;
  const queue = new Queue<string>({ maxSize: 100 });
  clients.set(name, queue);
  const sending = createTask(() => sendFrom(queue, output));
  broadcast(`* ${name} has come`, name);
  try {
    for await (const line of reader) broadcast(`${name}: ${decoder.decode(line).trim()}`, name);
  } finally {
    // Also when the server ends: then this task is cancelled.
    clients.delete(name);
    broadcast(`* ${name} has left`, name);
    queue.shutdown();
    await sending;
  }
}

await runMain(async () => {
  const server = await startServer(serve, { hostname: "127.0.0.1", port: 8889 });
  console.log("Listening on 127.0.0.1:8889");
  await server.serveForever({ grace: 1 });
}, { grace: 5 });
