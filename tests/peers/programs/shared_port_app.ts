// What a worker of the probe of permissions runs.
import { type ServedAddress, startServer } from "../../../mod.ts";

export async function main(listen: ServedAddress): Promise<void> {
  await using server = await startServer(() => {}, listen);
  await server.serveForever({ grace: 0 });
}
