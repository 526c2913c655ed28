/**
 * Sends numbered datagrams to a server that drops every third, and tells how long each took.
 *
 * deno run --allow-net=127.0.0.1 examples/udp_ping.ts
 *
 * Prints, for instance:
 *     ping 1: 0.91 ms
 *     ping 2: 0.34 ms
 *     ping 3: lost
 *     ping 4: 0.29 ms
 *     ping 5: 0.30 ms
 *     4 of 5 came back
 *
 * @module
 */
import { DatagramProtocol, type DatagramTransport, type SocketAddress } from "@gyre/asyncio";
import { type Future, getRunningLoop, run } from "@gyre/asyncio";
import { TimeoutError, waitFor } from "@gyre/asyncio";

class UnreliableEcho extends DatagramProtocol {
  #transport: DatagramTransport | null = null;

  override connectionMade(transport: DatagramTransport): void {
    this.#transport = transport;
  }

  override datagramReceived(data: Uint8Array, address: SocketAddress): void {
    if (Number(data[0]) % 3 > 0) this.#transport?.sendto(data, address);
  }
}

await run(async () => {
  const loop = getRunningLoop();
  const [server] = await loop.createDatagramEndpoint(() => new UnreliableEcho(), {
    localAddress: { hostname: "127.0.0.1", port: 0 },
  });
  const answers = new Map<number, Future<number>>();
  const [client] = await loop.createDatagramEndpoint(() => ({
    datagramReceived: ([number]: Uint8Array) => answers.get(Number(number))?.setResult(loop.time()),
  }), { remoteAddress: server.getExtraInfo("sockname") });

  let count = 0;
  for (let number = 1; number <= 5; number += 1) {
    const answer = loop.createFuture<number>();
    answers.set(number, answer);
    const start = loop.time();
    client.sendto(new Uint8Array([number]));
    try {
      const milliseconds = (await waitFor(answer, 0.25) - start) * 1000;
      console.log(`ping ${number}: ${milliseconds.toFixed(2)} ms`);
      count += 1;
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      console.log(`ping ${number}: lost`);
    }
  }
  console.log(`${count} of 5 came back`);
});
