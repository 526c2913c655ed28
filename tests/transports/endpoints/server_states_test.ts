// Every action on a server in every state: where it stands then, what it is refused with, and that
// it comes to its end whatever came before.
import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  type Coroutine,
  EventLoop,
  type Future,
  InvalidStateError,
  isFuture,
} from "../../../mod.ts";
import type { Acceptor, ByteChannel, Listener } from "../../../loop/platform/platform.ts";
import { Server } from "../../../transports/endpoints/server.ts";
import { VirtualClock } from "../../loop/_virtual_clock.ts";
import { passIterations } from "../_backend.ts";
import { MemoryWire } from "../_memory_wire.ts";

/** A listener in memory. It reports its end when a test lets it. */
class MemoryListener implements Listener {
  readonly address: Deno.Addr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
  acceptor: Acceptor | null = null;
  #isClosed = false;
  #hasReported = false;

  start(acceptor: Acceptor): void {
    this.acceptor = acceptor;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Reports that it is closed, if it was started and is. */
  report(): void {
    if (this.acceptor === null || !this.#isClosed || this.#hasReported) return;
    this.#hasReported = true;
    this.acceptor.closed();
  }
}

/** A server with what is around it. */
class Subject {
  readonly loop: EventLoop;
  readonly listeners = [new MemoryListener(), new MemoryListener()];
  readonly server: Server;
  /** The accepted ends of connections. */
  readonly wires: MemoryWire[] = [];
  /** What has begun and may still go on. */
  readonly pending: Future<unknown>[] = [];
  /** How a handshake ends. */
  readonly secured: Future<void>;

  constructor(loop: EventLoop, isSecure: boolean) {
    this.loop = loop;
    const secured = this.secured = loop.createFuture<void>();
    const secure = function* (channel: ByteChannel): Coroutine<ByteChannel> {
      try {
        yield* secured;
      } catch (error) {
        channel.abort();
        throw error;
      }
      return channel;
    };
    this.server = new Server(loop, this.listeners, () => ({}), {
      secure: isSecure ? secure : null,
    });
  }

  /** Lets a connection come, if the server accepts. */
  connect(): void {
    const [wire] = MemoryWire.pair(this.loop);
    if (!this.server.isServing()) return;
    this.wires.push(wire);
    this.listeners[0]?.acceptor?.accepted(wire);
  }

  /** Where the server stands, as its users can see. */
  stand(): string {
    if (this.server.isServing()) return "serving";
    if (this.server.addresses.length > 0) return "bound";
    const waiter = this.server.waitClosed();
    const isClosed = waiter.done();
    waiter.cancel();
    return isClosed ? "closed" : "closing";
  }
}

interface State {
  readonly isSecure?: boolean;
  enter(subject: Subject): void;
  readonly stands: string;
  /** Where each action leads at once that does not leave it where it is. */
  readonly moves: Readonly<Record<string, string>>;
}

const CLOSING = { close: "closing", shutdown: "closing" };
const REFUSING = { startServing: "refused", serveForever: "refused" };

function serve({ server }: Subject): void {
  server.startServing();
}

/** How to get into each state, and what the actions do there. */
const STATES: Readonly<Record<string, State>> = {
  "bound": {
    enter() {},
    stands: "bound",
    // Its listeners were never started: they have nothing to report.
    moves: {
      startServing: "serving",
      serveForever: "serving",
      close: "closed",
      shutdown: "closed",
    },
  },
  "serving": { enter: serve, stands: "serving", moves: CLOSING },
  "serving a connection": {
    enter(subject) {
      serve(subject);
      subject.connect();
    },
    stands: "serving",
    moves: CLOSING,
  },
  "serving, in a handshake": {
    isSecure: true,
    enter(subject) {
      serve(subject);
      subject.connect();
    },
    stands: "serving",
    moves: CLOSING,
  },
  "served for ever": {
    enter: ({ server, pending }) => void pending.push(server.serveForever()),
    stands: "serving",
    moves: { ...CLOSING, serveForever: "refused" },
  },
  "closing": {
    enter(subject) {
      serve(subject);
      subject.server.close();
    },
    stands: "closing",
    moves: { ...REFUSING, "the listeners end": "closed" },
  },
  "closing, with a connection": {
    enter(subject) {
      serve(subject);
      subject.connect();
      subject.server.close();
    },
    stands: "closing",
    moves: REFUSING,
  },
  "closing, in a handshake": {
    isSecure: true,
    enter(subject) {
      serve(subject);
      subject.connect();
      subject.server.close();
    },
    stands: "closing",
    moves: REFUSING,
  },
  "closed": {
    enter: ({ server }) => server.close(),
    stands: "closed",
    moves: REFUSING,
  },
  "closed after it has served": {
    enter(subject) {
      serve(subject);
      subject.server.close();
      for (const listener of subject.listeners) listener.report();
    },
    stands: "closed",
    moves: REFUSING,
  },
};

/** What can be done, by the program and by the world. Some give what they have begun. */
const ACTIONS: Readonly<Record<string, (subject: Subject) => unknown>> = {
  startServing: ({ server }) => server.startServing(),
  serveForever: ({ server }) => server.serveForever(),
  close: ({ server }) => server.close(),
  shutdown: ({ server }) => server.shutdown(),
  waitClosed: ({ server }) => server.waitClosed(),
  closeClients: ({ server }) => server.closeClients(),
  abortClients: ({ server }) => server.abortClients(),
  "a connection comes": (subject) => subject.connect(),
  "a handshake ends": ({ secured }) => secured.done() || secured.setResult(),
  "connections break": ({ wires }) =>
    wires.forEach((wire) => wire.fail(new Deno.errors.ConnectionReset("planted"))),
  "accepting fails": ({ listeners }) => listeners[0]?.acceptor?.failed(new Error("planted")),
  "the listeners end": ({ listeners }) => listeners.forEach((listener) => listener.report()),
};

/** Does an action; gives the error that it is refused with. */
function attempt(subject: Subject, name: string): unknown {
  const begun = ACTIONS[name]?.(subject);
  if (!isFuture(begun)) return null;
  subject.pending.push(begun);
  return begun.done() && !begun.cancelled() ? begun.exception() : null;
}

/** Closes the server, ends what goes on, and waits until it says that it is closed. */
function* finish(subject: Subject): Coroutine<void> {
  const { server, listeners, wires, pending } = subject;
  server.close();
  const closed = server.waitClosed();
  server.abortClients();
  for (const listener of listeners) listener.report();
  yield* closed;
  yield* passIterations(3);
  assertEquals(subject.stand(), "closed");
  assertEquals(wires.map((wire) => wire.isOver), wires.map(() => true));
  assertEquals(pending.filter((future) => !future.done()), []);
  for (const future of pending) if (!future.cancelled()) future.exception();
}

/** Runs `main` on a loop in virtual time. Nothing but the planted failure is reported. */
async function runStates(main: (loop: EventLoop) => Coroutine<void>): Promise<void> {
  const loop = new EventLoop({ clock: new VirtualClock() });
  const reports: unknown[] = [];
  loop.setExceptionHandler((_loop, { exception }) => {
    if ((exception as Error).message !== "planted") reports.push(exception);
  });
  await loop.runUntilComplete(main(loop));
  loop.close();
  assertEquals(reports, []);
}

function* enter(loop: EventLoop, { isSecure, enter }: State): Coroutine<Subject> {
  const subject = new Subject(loop, isSecure ?? false);
  enter(subject);
  yield* passIterations(2);
  return subject;
}

for (const [name, state] of Object.entries(STATES)) {
  Deno.test(`Server that is ${name} moves or refuses by each action as the table says`, () =>
    runStates(function* (loop) {
      for (const action of Object.keys(ACTIONS)) {
        const subject = yield* enter(loop, state);
        assertEquals(subject.stand(), state.stands);
        const error = attempt(subject, action);
        if (error !== null) assertInstanceOf(error, InvalidStateError);
        const now = error === null ? subject.stand() : "refused";
        assertEquals([action, now], [action, state.moves[action] ?? state.stands]);
        yield* finish(subject);
      }
    }));

  Deno.test(`Server that is ${name} comes to its end after any two actions`, () =>
    runStates(function* (loop) {
      // At once, or with some iterations between: each second time.
      let count = 0;
      for (const first of Object.keys(ACTIONS)) {
        for (const second of Object.keys(ACTIONS)) {
          const subject = yield* enter(loop, state);
          const errors = [attempt(subject, first)];
          yield* passIterations(2 * (count++ % 2));
          errors.push(attempt(subject, second));
          for (const error of errors) {
            if (error !== null) assertInstanceOf(error, InvalidStateError);
          }
          yield* finish(subject);
        }
      }
    }));
}
