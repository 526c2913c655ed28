// Greets each connection with the name of its worker, and answers one line.
import { threadId } from "node:worker_threads";
import { type ServedAddress, type ServedWorker, startServer } from "../../../mod.ts";

const encoder = new TextEncoder();

export async function main(listen: ServedAddress, { grace }: ServedWorker): Promise<void> {
  await using server = await startServer(async (reader, writer) => {
    await using output = writer;
    output.write(encoder.encode(`${Deno.pid} ${threadId}\n`));
    output.write(await reader.readLine());
  }, listen);
  await server.serveForever({ grace });
}
