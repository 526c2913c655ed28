import { AsyncLocalStorage } from "node:async_hooks";
import { assertEquals } from "@std/assert";
import type { Coroutine, DenoEventLoop, Future, ProtocolLike, Transport } from "../../mod.ts";
import { type Backend, endStream, Recorder, runOn, utf8 } from "./_backend.ts";

const storage = new AsyncLocalStorage<string>();
const store = () => storage.getStore() ?? "nothing";

/** Notes in which foreign context each of its methods is called. */
class Watcher extends Recorder {
  /** Methods and contexts, each pair once. */
  readonly seen: Set<string> = new Set();
  #note(method: string): void {
    this.seen.add(`${method} ${store()}`);
  }

  override connectionMade(transport: Transport): void {
    this.#note("made");
    super.connectionMade(transport);
  }

  override dataReceived(data: Uint8Array): void {
    this.#note("data");
    super.dataReceived(data);
  }

  override eofReceived(): boolean {
    this.#note("eof");
    return super.eofReceived();
  }

  override resumeWriting(): void {
    this.#note("resume");
    super.resumeWriting();
  }

  override connectionLost(error: Error | null): void {
    this.#note("lost");
    super.connectionLost(error);
  }
}

/** The same with memory of its own. */
class BufferedWatcher extends Watcher {
  readonly #memory = new Uint8Array(1024);

  getBuffer(): Uint8Array {
    this.seen.add(`buffer ${store()}`);
    return this.#memory;
  }

  bufferUpdated(count: number): void {
    this.dataReceived(this.#memory.slice(0, count));
  }
}

/** Tests in which foreign context the protocols of `backend` are called. */
export function testContexts(backend: Backend): void {
  for (const Kind of [Watcher, BufferedWatcher]) {
    for (const [ours, theirs] of [["A", "B"], ["nothing", "B"], ["A", "nothing"]] as const) {
      Deno.test(
        `${backend.name}: callbacks of a ${Kind.name} see the foreign context of who created it (${ours}, ${theirs})`,
        () =>
          runOn(backend, function* ({ loop }) {
            const { client, peer } = yield* connectIn(backend, loop, [Kind, ours, theirs]);
            peer.transport?.pauseReading();
            client.transport?.setWriteBufferLimits({ high: 0 });
            client.transport?.write(new Uint8Array(256 * 1024));
            yield* loop.createTask(function* (): Coroutine<void> {
              const arrived = peer.received(256 * 1024);
              storage.run("C", () => peer.transport?.resumeReading());
              yield* arrived;
            });
            storage.run("C", () => peer.transport?.write(utf8("answer")));
            yield* client.received(6);
            endStream(client.transport as Transport);
            yield* peer.eof;
            yield* client.lost;
            yield* peer.lost;
            const buffered = Kind === BufferedWatcher ? ["buffer"] : [];
            const paused = client.log.includes("pause") ? ["resume"] : [];
            // Our own end closes first where there is no half close.
            const told = client.log.includes("eof") ? ["eof"] : [];
            const expected = (methods: string[], context: string) =>
              methods.map((method) => `${method} ${context}`).toSorted();
            assertEquals(
              [...client.seen].toSorted(),
              expected(["made", ...buffered, "data", ...paused, ...told, "lost"], ours),
            );
            assertEquals(
              [...peer.seen].toSorted(),
              expected(["made", ...buffered, "data", "eof", "lost"], theirs),
            );
          }),
      );
    }
  }
}

/** Starts a server and connects to it, each in a foreign context of its own. */
function* connectIn(
  backend: Backend,
  loop: DenoEventLoop,
  [Kind, ours, theirs]: [typeof Watcher, string, string],
): Coroutine<{ client: Watcher; peer: Watcher }> {
  const within = <T>(context: string, work: () => Future<T>): Future<T> =>
    context === "nothing" ? work() : storage.run(context, work);
  const [client, peer] = [new Kind(loop), new Kind(loop)];
  const accepted = loop.createFuture<void>();
  const factory = (): ProtocolLike => {
    accepted.setResult();
    return peer;
  };
  const server = yield* within(theirs, () => backend.serve(loop, factory));
  yield* within(ours, () => backend.connect(loop, server.address, () => client));
  yield* accepted;
  while (peer.transport === null) yield;
  server.close();
  return { client, peer };
}
