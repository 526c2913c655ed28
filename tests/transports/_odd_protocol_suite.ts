import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  type ClientConnected,
  type Coroutine,
  type DenoEventLoop,
  type ExceptionContext,
  type Future,
  type ProtocolLike,
  type Server,
  StreamReader,
  StreamReaderProtocol,
  type Transport,
} from "../../mod.ts";
import { type Backend, endStream, passIterations, Recorder, runOn, utf8 } from "./_backend.ts";
import { ODD_VALUES } from "./_odd_values.ts";

/** The methods of a protocol; whether the connection ends when one throws. */
const METHODS = {
  connectionMade: false,
  dataReceived: true,
  getBuffer: true,
  bufferUpdated: true,
  eofReceived: true,
  pauseWriting: false,
  resumeWriting: false,
  connectionLost: false,
} as const;

type Method = keyof typeof METHODS;

/** What a server that has met an odd protocol tells. */
interface Aftermath {
  /** What `connectionLost` was called with, each time. */
  readonly lost: (Error | null)[];
  readonly reports: readonly ExceptionContext[];
}

/** Tests over `backend` what comes of protocols whose methods throw or return what they should not. */
export function testOddProtocols(backend: Backend): void {
  for (const method of Object.keys(METHODS) as Method[]) {
    const isFatal = METHODS[method];
    const name = `${backend.name}: a protocol whose ${method}()`;

    for (const kind of ["throws", "rejects"] as const) {
      if (kind === "rejects" && method === "getBuffer") continue;
      Deno.test(`${name} ${kind} is reported once, and told of its end once`, async () => {
        for (const [what, make] of Object.entries(ODD_VALUES)) {
          const value = make();
          const { lost, reports } = await meet(backend, method, () => {
            if (kind === "rejects") return rejecting(value);
            throw value;
          });
          assertEquals(reports.length, 1, what);
          assert(Object.is(reports[0]?.exception, value), what);
          assertEquals(lost.length, 1, what);
          // What an async eofReceived() throws comes when the connection is closing already.
          if (!isFatal || kind === "rejects" && method === "eofReceived") continue;
          const [error] = lost;
          assertInstanceOf(error, Error, what);
          assert(Object.is(error, value) || Object.is(error.cause, value), what);
        }
      });
    }

    Deno.test(`${name} returns anything is told of its end once`, async () => {
      for (const [what, make] of Object.entries(ODD_VALUES)) {
        const { lost, reports } = await meet(backend, method, make);
        assertEquals(lost.length, 1, what);
        assertEquals(reports.length, method === "getBuffer" ? 1 : 0, what);
        if (method === "getBuffer") assertInstanceOf(reports[0]?.exception, Error, what);
      }
    });

    Deno.test(`${name} is a generator function is reported`, async () => {
      const { lost, reports } = await meet(backend, method, function* () {
        yield;
      });
      assertEquals(lost.length, 1);
      assertEquals(reports.map(({ exception }) => exception instanceof TypeError), [true]);
    });
  }

  Deno.test(`${backend.name}: a factory that throws or gives no protocol is reported`, async () => {
    for (const [what, make] of Object.entries(ODD_VALUES)) {
      for (const kind of ["throws", "returns"] as const) {
        const value = make();
        const factory = () => {
          if (kind === "throws") throw value;
          return value as ProtocolLike;
        };
        await runOn(backend, function* ({ loop, takeReports }) {
          const asked = loop.createFuture<void>();
          const server = yield* backend.serve(loop, () => {
            if (asked.done()) return echo();
            asked.setResult();
            return factory();
          });
          const first = yield* connect(backend, loop, server);
          yield* asked;
          const isProtocol = kind === "returns" && isFineAsProtocol(what);
          if (isProtocol) server.closeClients();
          yield* first.lost;
          const reports = takeReports();
          assertEquals(reports.length, isProtocol ? 0 : 1, what);
          if (kind === "throws") assert(Object.is(reports[0]?.exception, value), what);
          else if (!isProtocol) assertInstanceOf(reports[0]?.exception, TypeError, what);
          yield* exchange(backend, loop, server);

          const { address } = server;
          const failure = yield* thrownBy(backend.connect(loop, address, factory));
          if (kind === "throws") assert(failure !== null && Object.is(failure.value, value), what);
          else if (!isProtocol) assertInstanceOf(failure?.value, TypeError, what);
          server.close();
          server.abortClients();
          yield* server.waitClosed();
        });
      }
    }
  });

  for (
    const [kind, make] of Object.entries(
      {
        "a plain function": (value: unknown) => () => {
          throw value;
        },
        "a coroutine function": (value: unknown) =>
          function* () {
            yield;
            throw value;
          },
        "an async function": (value: unknown) => () => rejecting(value),
      } satisfies Record<string, (value: unknown) => ClientConnected>,
    )
  ) {
    Deno.test(`${backend.name}: what ${kind} throws that serves a client is reported`, async () => {
      for (const [what, makeValue] of Object.entries(ODD_VALUES)) {
        const value = makeValue();
        await runOn(backend, function* ({ loop, takeReports }) {
          let count = 0;
          const server = yield* backend.serve(loop, () => {
            if (count++ > 0) return echo();
            const clientConnected = make(value);
            return new StreamReaderProtocol(new StreamReader({ loop }), { loop, clientConnected });
          });
          const client = yield* connect(backend, loop, server);
          yield* client.lost;
          const reports = takeReports();
          assertEquals(reports.length, 1, what);
          assert(Object.is(reports[0]?.exception, value), what);
          yield* exchange(backend, loop, server);
          server.close();
          yield* server.waitClosed();
        });
      }
    });
  }
}

/**
 * Serves a client with a protocol whose `method` does its work and ends with `odd`, and another
 * client after it, to see that the server goes on.
 */
export async function meet(
  backend: Backend,
  method: Method,
  odd: () => unknown,
): Promise<Aftermath> {
  const lost: (Error | null)[] = [];
  let reports: readonly ExceptionContext[] = [];
  await runOn(backend, function* ({ loop, takeReports }) {
    const called = loop.createFuture<void>();
    const over = loop.createFuture<void>();
    const protocol = recording(lost, over);
    if (method === "getBuffer" || method === "bufferUpdated") {
      protocol.getBuffer = () => new Uint8Array(16);
      protocol.bufferUpdated = () => {};
    }
    if (method === "pauseWriting" || method === "resumeWriting") {
      protocol.connectionMade = (transport) => {
        transport.setWriteBufferLimits({ high: 0 });
        transport.write(new Uint8Array(moreThanAtOnce(backend)));
      };
    }
    spoil(protocol, method, odd, called);

    let count = 0;
    const server = yield* backend.serve(loop, () => count++ === 0 ? protocol : echo());
    const client = yield* connect(backend, loop, server);
    client.transport?.write(utf8("."));
    if (method === "eofReceived") endStream(client.transport as Transport);
    if (method === "connectionLost") client.transport?.abort();
    yield* called;
    // Time for what is told late, and for a server that goes on where it should not.
    yield* passIterations(10);
    client.transport?.abort();
    yield* client.lost;
    yield* over;
    yield* passIterations(10);
    yield* exchange(backend, loop, server);
    server.close();
    yield* server.waitClosed();
    reports = takeReports();
  });
  return { lost, reports };
}

/** How much to write so that some of it stays in the buffer of the transport. */
function moreThanAtOnce({ capacity, writesAtOnce = false }: Backend): number {
  return writesAtOnce ? capacity : Math.min(capacity, 1024 * 1024);
}

function recording(lost: (Error | null)[], over: Future<void>): ProtocolLike {
  return {
    connectionLost(error) {
      lost.push(error);
      if (!over.done()) over.setResult();
    },
  };
}

/** Lets `method` of `protocol` end with `odd`. */
export function spoil(
  protocol: ProtocolLike,
  method: Method,
  odd: () => unknown,
  called: Future<void>,
): void {
  const methods = protocol as Record<string, ((...args: unknown[]) => unknown) | undefined>;
  const original = methods[method];
  methods[method] = (...args) => {
    original?.(...args);
    if (!called.done()) called.setResult();
    return odd();
  };
}

/** Returns a promise that is rejected with `value`, later than at once. */
async function rejecting(value: unknown): Promise<never> {
  await Promise.resolve();
  throw value;
}

/** Whether an odd value of this name is an object that a protocol may be. */
function isFineAsProtocol(what: string): boolean {
  return ["an object without a prototype", "an object whose texts throw", "an error"]
    .includes(what);
}

function echo(): ProtocolLike {
  const protocol: ProtocolLike = {
    connectionMade(transport) {
      protocol.dataReceived = (data) => transport.write(data);
    },
  };
  return protocol;
}

function* connect(backend: Backend, loop: DenoEventLoop, server: Server): Coroutine<Recorder> {
  const recorder = new Recorder(loop);
  yield* backend.connect(loop, server.address, () => recorder);
  return recorder;
}

/** Sends a byte to the echo and back. */
function* exchange(backend: Backend, loop: DenoEventLoop, server: Server): Coroutine<void> {
  const client = yield* connect(backend, loop, server);
  client.transport?.write(utf8("."));
  yield* client.received(1);
  client.transport?.close();
  yield* client.lost;
}

/** Waits for `future`, and gives what it throws. */
function* thrownBy(future: Future<unknown>): Coroutine<{ value: unknown } | null> {
  try {
    yield* future;
    return null;
  } catch (value) {
    return { value };
  }
}
