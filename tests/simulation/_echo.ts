import {
  type Future,
  openConnection,
  startServer,
  type StreamReader,
  type StreamWriter,
} from "../../mod.ts";
import type { SimulatedHost } from "../../simulation/mod.ts";

/** Where the echo server of {@linkcode startEcho} listens. */
export const PORT = 7;

/** Starts a server on `host` that sends back what it gets, until its clients end or are lost. */
export async function startEcho(host: SimulatedHost): Promise<void> {
  await host.run(async () => {
    await startServer(async (reader, writer) => {
      try {
        for (let chunk = await reader.read(65_536); chunk.length > 0;) {
          writer.write(chunk);
          await writer.drain();
          chunk = await reader.read(65_536);
        }
      } catch (error) {
        if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      }
      writer.close();
    }, { port: PORT });
  });
}

/** Connects to it. */
export function connectEcho(
  host: SimulatedHost,
): Future<[reader: StreamReader, writer: StreamWriter]> {
  return openConnection({ hostname: host.name, port: PORT });
}

/** Returns `text` in UTF-8. */
export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
