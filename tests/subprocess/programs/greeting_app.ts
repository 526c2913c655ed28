// Greets each connection with the number of its process, and answers one line.
import { type ServedAddress, type ServedWorker, startServer } from "../../../mod.ts";

const encoder = new TextEncoder();

export async function main(listen: ServedAddress, { grace }: ServedWorker): Promise<void> {
  await using server = await startServer(async (reader, writer) => {
    await using output = writer;
    output.write(encoder.encode(`${Deno.pid}\n`));
    output.write(await reader.readLine());
  }, listen);
  await server.serveForever({ grace });
}
