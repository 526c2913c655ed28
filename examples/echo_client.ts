/**
 * A client of examples/echo_server.ts: sends a line, ends its half, and prints what comes back.
 *
 * Start examples/echo_server.ts first.
 *
 * deno run --allow-net=127.0.0.1:8007 examples/echo_client.ts
 *
 * Prints:
 *     Sent "Hello World!", received "Hello World!"
 * or, when no server runs:
 *     Cannot connect to "127.0.0.1:8007": connection refused (os error 111)
 *
 * @module
 */
import { type Future, getRunningLoop, Protocol, run, type Transport } from "@gyre/asyncio";

class EchoClient extends Protocol {
  readonly #message: string;
  readonly #answer: Future<string>;
  readonly #decoder = new TextDecoder();
  #received = "";

  constructor(message: string, answer: Future<string>) {
    super();
    this.#message = message;
    this.#answer = answer;
  }

  override connectionMade(transport: Transport): void {
    transport.write(new TextEncoder().encode(this.#message));
    transport.writeEof();
  }

  override dataReceived(data: Uint8Array): void {
    this.#received += this.#decoder.decode(data, { stream: true });
  }

  override connectionLost(error: Error | null): void {
    if (error === null) this.#answer.setResult(this.#received);
    else this.#answer.setException(error);
  }
}

await run(async () => {
  const loop = getRunningLoop();
  const answer = loop.createFuture<string>();
  try {
    await loop.createConnection(() => new EchoClient("Hello World!", answer), { port: 8007 });
    console.log(`Sent "Hello World!", received "${await answer}"`);
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    console.error(error.message);
    Deno.exitCode = 1;
  }
});
