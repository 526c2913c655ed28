// Never ends by itself once somebody has said something.
import { type ServedAddress, startServer } from "../../../mod.ts";

export async function main(listen: ServedAddress): Promise<void> {
  await using server = await startServer(async (reader, writer) => {
    writer.write(new TextEncoder().encode(`${Deno.pid}\n`));
    await reader.readLine();
    console.log("stuck");
    for (;;);
  }, listen);
  await server.serveForever();
}
