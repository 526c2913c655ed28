/**
 * A client that asks by datagram until it is answered, on a network that loses 40 % of them: how
 * long a hundred questions take. A seed gives the same run each time.
 *
 * deno run examples/simulation_retry.ts
 *
 * Prints:
 *     seed 1: 226 sent, 146.010 seconds
 *     seed 2: 258 sent, 679.110 seconds
 *     seed 1: 226 sent, 146.010 seconds
 *
 * @module
 */
import { type DatagramTransport, type Future, timeout, TimeoutError } from "@gyre/asyncio";
import { simulate, type SimulatedHost, type Simulation } from "@gyre/asyncio/simulation";

/** Answers each datagram with the same bytes. */
async function serve({ loop }: SimulatedHost): Promise<void> {
  const [transport] = await loop.createDatagramEndpoint(() => ({
    datagramReceived: (data, address) => transport.sendto(data, address),
  }), { localAddress: { hostname: "0.0.0.0", port: 53 } });
}

/** A client that keeps asking, with twice the patience each time. */
class Client {
  sent = 0;
  #answer: Future<void> | null = null;
  #transport: DatagramTransport | null = null;

  async connect({ loop }: Simulation): Promise<void> {
    [this.#transport] = await loop.createDatagramEndpoint(() => ({
      datagramReceived: () => {
        if (this.#answer?.done() === false) this.#answer.setResult();
      },
    }), { remoteAddress: { hostname: "10.0.0.2", port: 53 } });
  }

  async ask({ loop }: Simulation, question: number): Promise<void> {
    for (let patience = 0.1;; patience *= 2) {
      const answer = this.#answer = loop.createFuture<void>();
      this.#transport?.sendto(new Uint8Array([question]));
      this.sent += 1;
      try {
        return await timeout(patience, async () => await answer);
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
      }
    }
  }
}

for (const seed of [1, 2, 1]) {
  await simulate(async (sim) => {
    const server = sim.host("server");
    await server.run(() => serve(server));
    const client = new Client();
    await client.connect(sim);
    for (let question = 0; question < 100; question += 1) await client.ask(sim, question);
    console.log(`seed ${seed}: ${client.sent} sent, ${sim.loop.time().toFixed(3)} seconds`);
  }, { seed, network: { loss: 0.4 } });
}
