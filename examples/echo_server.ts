/**
 * A TCP server that sends back what it gets, no faster than its clients take it. Ctrl-C gives its
 * connections a second to end, and closes the rest in good order.
 *
 * deno run --allow-net=127.0.0.1:8007 examples/echo_server.ts
 *
 * Prints, for one run of examples/echo_client.ts, for instance:
 *     Listening on 127.0.0.1:8007
 *     127.0.0.1:50312 connected
 *     127.0.0.1:50312 gone after 12 bytes
 *     ^C
 *
 * @module
 */
import { getRunningLoop, Protocol, runMain, type Transport } from "@gyre/asyncio";

class EchoProtocol extends Protocol {
  #transport: Transport | null = null;
  #name = "";
  #size = 0;

  override connectionMade(transport: Transport<Deno.NetAddr>): void {
    const peer = transport.getExtraInfo("peername");
    this.#transport = transport;
    this.#name = `${peer?.hostname}:${peer?.port}`;
    console.log(`${this.#name} connected`);
  }

  override dataReceived(data: Uint8Array): void {
    this.#size += data.length;
    this.#transport?.write(data);
  }

  override pauseWriting(): void {
    this.#transport?.pauseReading();
  }

  override resumeWriting(): void {
    this.#transport?.resumeReading();
  }

  override connectionLost(): void {
    console.log(`${this.#name} gone after ${this.#size} bytes`);
  }
}

await runMain(async () => {
  const options = { hostname: "127.0.0.1", port: 8007 };
  const server = await getRunningLoop().createServer(() => new EchoProtocol(), options);
  console.log("Listening on 127.0.0.1:8007");
  await server.serveForever({ grace: 1 });
});
