// Deno's own datagrams on hosts of a simulation; the task `test:unstable` has the flag that they need.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { sleep } from "../../mod.ts";
import { simulate } from "../../simulation/mod.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What `Deno.listenDatagram()` gives, which is unstable. */
interface Datagrams extends AsyncIterable<[Uint8Array, object]> {
  readonly addr: { transport: string };
  receive(memory?: Uint8Array): Promise<[Uint8Array, object]>;
  send(bytes: Uint8Array, address: object): Promise<number>;
  close(): void;
}

/** Calls what Deno has with `--unstable-net` only. */
function listenDatagram(options: object): Datagrams {
  return (Deno as unknown as { listenDatagram(options: object): Datagrams })
    .listenDatagram(options);
}

Deno.test({
  name: "Deno.listenDatagram() sends between hosts, and its iterator ends with it",
  fn: () =>
    simulate(async ({ host, network }) => {
      host("server").run(async () => {
        const server = listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 9 });
        for await (const [bytes, from] of server) await server.send(bytes, from);
      });
      await sleep(0.1);
      const client = listenDatagram({ transport: "udp", hostname: "0.0.0.0" });
      assertEquals(client.addr.transport, "udp");
      const [hostname] = await Deno.resolveDns("server", "A");
      const server = { transport: "udp", hostname, port: 9 };
      assertEquals(await client.send(utf8("first"), server), 5);
      assertEquals(textOf((await client.receive())[0]), "first");
      await client.send(utf8("second"), server);
      const memory = new Uint8Array(3);
      assertEquals(textOf((await client.receive(memory))[0]), "sec");
      assertEquals(textOf(memory), "sec");

      network.partition("main", "server");
      await client.send(utf8("lost"), server);
      const waiting = assertRejects(() => client.receive(), Deno.errors.BadResource);
      const seen = Array.fromAsync(client);
      await sleep(1);
      client.close();
      await waiting;
      assertEquals(await seen, []);
      assertThrows(() => client.close(), Deno.errors.BadResource);
      await assertRejects(
        async () => await client.send(utf8("late"), server),
        Deno.errors.BadResource,
      );
      const path = { transport: "unixpacket", path: "/x" };
      assertThrows(() => listenDatagram(path), Error, "on a path");
    }, { seed: 1, web: true }),
});
