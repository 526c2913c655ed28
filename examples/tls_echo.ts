/**
 * A TLS server that echoes, and a client that knows its certificate.
 *
 * deno run --allow-net=127.0.0.1 examples/tls_echo.ts
 *
 * Prints:
 *     connected with TLSv1.3 to localhost
 *     server: hello
 *     a client that knows nobody: no trusted authority has signed the certificate of the peer
 *
 * @module
 */
import { openConnection, run, startServer, type StreamReader } from "@gyre/asyncio";
import type { StreamWriter } from "@gyre/asyncio";
import { CERT, KEY } from "./_certificate.ts";

async function echo(reader: StreamReader, writer: StreamWriter): Promise<void> {
  await using output = writer;
  for await (const line of reader) {
    output.writelines([new TextEncoder().encode("server: "), line]);
    await output.drain();
  }
}

async function talk(port: number): Promise<void> {
  const tls = { caCerts: [CERT] };
  const [reader, writer] = await openConnection({ port, tls, serverHostname: "localhost" });
  await using output = writer;
  const info = output.getExtraInfo("tls");
  console.log(`connected with ${info?.version} to ${info?.peerCertificate?.subject.CN}`);
  output.write(new TextEncoder().encode("hello\n"));
  console.log(new TextDecoder().decode(await reader.readLine()).trim());
}

await run(async () => {
  const options = { hostname: "127.0.0.1", tls: { cert: CERT, key: KEY } };
  await using server = await startServer(echo, options);
  const { port } = server.address;
  await talk(port);
  try {
    await openConnection({ port, tls: true, serverHostname: "localhost" });
  } catch (error) {
    console.log(`a client that knows nobody: ${(error as Error).message.split(": ")[1]}`);
  }
});
