import { assert, assertEquals } from "@std/assert";
import type { Coroutine, DenoEventLoop, Future, Transport } from "../../mod.ts";
import { type Backend, connectPair, runOn } from "./_backend.ts";

/** Tells when its connection has made something happen. */
class Events {
  readonly made: Future<Transport>;
  readonly received: Future<void>;
  readonly lost: Future<void>;

  constructor(loop: DenoEventLoop) {
    this.made = loop.createFuture();
    this.received = loop.createFuture();
    this.lost = loop.createFuture();
  }

  connectionMade(transport: Transport): void {
    this.made.setResult(transport);
  }

  dataReceived(_data: Uint8Array): void {
    this.received.setResult();
  }

  connectionLost(): void {
    this.lost.setResult();
  }
}

/** Tests what a snapshot tells of connections and servers of a kind. */
export function testSnapshots(backend: Backend, kind: string): void {
  const name = (text: string) => `${text}, on ${backend.name}`;

  Deno.test(
    name("snapshot() has both ends of a connection, with what went over it"),
    () =>
      runOn(backend, function* ({ loop }): Coroutine<void> {
        const [ours, theirs] = [new Events(loop), new Events(loop)];
        const { client, peer } = yield* connectPair(backend, loop, ours, theirs);
        client.write(new Uint8Array(100));
        yield* theirs.received;
        peer.pauseReading();
        const { transports } = loop.snapshot();
        assertEquals(transports.length, 2);
        const out = transports.find((each) => each.server === null);
        const back = transports.find((each) => each.server !== null);
        assertEquals([out?.what, back?.what], [wordsOf(client, "to"), wordsOf(peer, "from")]);
        assertEquals([out?.kind, back?.kind], [kind, kind]);
        assertEquals([out?.bytesOut, out?.bytesIn, out?.state], [100, 0, "open"]);
        assertEquals([back?.bytesOut, back?.bytesIn, back?.state], [0, 100, "open"]);
        assertEquals([out?.readingPaused, back?.readingPaused], [false, true]);
        assert(back !== undefined && back.age >= 0);
        client.close();
        peer.close();
        yield* ours.lost;
        yield* theirs.lost;
        assertEquals(loop.snapshot().transports, []);
      }),
  );

  Deno.test(
    name("snapshot() has a server, its connections, and who waits for it"),
    () =>
      runOn(backend, function* ({ loop }): Coroutine<void> {
        const accepted: Events[] = [];
        const server = yield* backend.serve(loop, () => {
          accepted.push(new Events(loop));
          return accepted.at(-1) as Events;
        });
        const client = new Events(loop);
        const [transport] = yield* backend.connect(loop, server.address, () => client);
        transport.write(new Uint8Array(1));
        while (accepted.length === 0) yield;
        yield* (accepted[0] as Events).received;
        const waiter = loop.createTask(() => server.serveForever(), { name: "waiter" });
        const closed = loop.createTask(() => server.waitClosed(), { name: "closed" });
        yield;
        yield;
        const { servers, transports, tasks } = loop.snapshot();
        const [found] = servers;
        const place = found?.addresses.join();
        assertEquals([found?.state, found?.accepted, found?.connections], ["serving", 1, 1]);
        assertEquals(found?.what, `server on ${place}`);
        assertEquals(transports.filter((each) => each.server === found?.id).length, 1);
        const waits = (task: string) => tasks.find((each) => each.name === task)?.waitsFor;
        assertEquals(waits("waiter"), [`serveForever of server on ${place}`]);
        assertEquals(waits("closed"), [`waitClosed of server on ${place}`]);
        waiter.cancel();
        transport.close();
        yield* client.lost;
        yield* closed;
        assertEquals(loop.snapshot().servers, []);
      }),
  );

  Deno.test(
    name("messages tell connections apart"),
    () =>
      runOn(backend, function* ({ loop, takeReports }): Coroutine<void> {
        const theirs = new Events(loop);
        theirs.dataReceived = () => {
          throw new Error("bad protocol");
        };
        const { client, peer } = yield* connectPair(backend, loop, {}, theirs);
        client.write(new Uint8Array(1));
        yield* theirs.lost;
        const [report] = takeReports();
        const texts: string[] = [];
        const { error } = console;
        console.error = (text: string) => void texts.push(text);
        try {
          loop.defaultExceptionHandler(report ?? { message: "nothing was reported" });
        } finally {
          console.error = error;
        }
        assert(
          texts[0]?.includes(`transport: ${wordsOf(peer, "from")} <StreamTransport`),
          texts[0],
        );
        client.close();
      }),
  );
}

/** What a transport is called. */
function wordsOf(transport: Transport, way: "to" | "from"): string {
  const peer = placeOf(transport.getExtraInfo("peername"));
  if (peer !== "") return `connection ${way} ${peer}`;
  const local = placeOf(transport.getExtraInfo("sockname"));
  return local === "" ? "connection" : `connection at ${local}`;
}

function placeOf(address: Deno.Addr | undefined): string {
  if (address === undefined) return "";
  // Deno has `null` for an end without a name, whatever the type says.
  if ("path" in address) return address.path || "";
  return "hostname" in address ? `${address.hostname}:${address.port}` : "";
}
