// Every action on a transport in every state: what it is refused with, and that nothing is lost of
// the connection's end whatever came before.
import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  type Coroutine,
  EventLoop,
  type Future,
  InvalidStateError,
  type Transport,
} from "../../../mod.ts";
import { sendfile, startTls } from "../../../transports/mod.ts";
import type { PlatformLoop } from "../../../loop/platform/platform_loop.ts";
import { denoTls } from "../../../transports/tls/_deno_tls_context.ts";
import { DenoTlsChannel } from "../../../transports/tls/deno_tls_channel.ts";
import { StreamTransport } from "../../../transports/core/stream_transport.ts";
import { VirtualClock } from "../../loop/_virtual_clock.ts";
import { passIterations, Recorder, utf8 } from "../_backend.ts";
import { MemoryWire } from "../_memory_wire.ts";
import { certificate, trusting } from "../_tls.ts";

/** A transport with what is around it. */
class Subject {
  readonly loop: EventLoop;
  readonly wire: MemoryWire;
  readonly other: MemoryWire;
  readonly protocol: Recorder;
  /** What actions go to. */
  transport: Transport;
  /** All transports that the connection has had. */
  readonly transports: Transport[];
  /** What has begun and may still go on. */
  readonly pending: Future<unknown>[] = [];

  constructor(loop: EventLoop) {
    this.loop = loop;
    [this.wire, this.other] = MemoryWire.pair(loop);
    this.protocol = new Recorder(loop);
    this.transport = new StreamTransport(loop, this.wire, this.protocol);
    this.transports = [this.transport];
  }

  /** Writes what does not go out. */
  fill(size = 10): void {
    this.wire.isFull = true;
    this.transport.write(new Uint8Array(size));
  }

  startTls(): Future<Transport> {
    const securing = startTls(this.loop as PlatformLoop, this.transport, this.protocol, {
      tls: trusting,
      serverHostname: "localhost",
    });
    securing.addDoneCallback(() => {
      if (!securing.cancelled() && securing.exception() === null) {
        this.transports.push(securing.result());
      }
    });
    this.pending.push(securing);
    return securing;
  }

  /** Starts TLS, and gives what it needs at the other end. */
  *secure(): Coroutine<Transport> {
    const peer = new DenoTlsChannel(this.loop, this.other, denoTls.serverContext(SERVER));
    const transport = yield* this.startTls();
    yield* peer.secured;
    // It reads, so that it learns of the end. It is silent and confirms none.
    peer.resume();
    return transport;
  }

  sendfile(): Future<number> {
    const gate: Future<number | null> = this.loop.createFuture();
    const sending = sendfile(this.loop, this.transport, {
      read: () => gate as Promise<number | null>,
      seek: () => Promise.resolve(0),
    });
    sending.addDoneCallback(() => sending.cancelled() || sending.exception());
    this.pending.push(sending, gate);
    return sending;
  }
}

const SERVER = certificate("server");

/** How to get into each state, and the actions that are refused there. */
const STATES: Readonly<
  Record<string, { enter(subject: Subject): Coroutine<void>; refused: readonly string[] }>
> = {
  "opening": { *enter() {}, refused: [] },
  "open": { enter: () => passIterations(2), refused: [] },
  "paused": {
    *enter(subject) {
      yield* passIterations(2);
      subject.transport.pauseReading();
    },
    refused: [],
  },
  "above the high mark": {
    *enter(subject) {
      yield* passIterations(2);
      subject.fill(100_000);
    },
    refused: [],
  },
  "half closed": {
    *enter(subject) {
      yield* passIterations(2);
      subject.transport.writeEof();
    },
    refused: ["write", "writelines", "startTls", "sendfile"],
  },
  "about to be half closed": {
    *enter(subject) {
      yield* passIterations(2);
      subject.fill();
      subject.transport.writeEof();
    },
    refused: ["write", "writelines", "startTls", "sendfile"],
  },
  "half closed by the peer": {
    *enter(subject) {
      subject.protocol.keepOpen = true;
      subject.other.closeWrite();
      yield* subject.protocol.eof;
    },
    refused: ["startTls"],
  },
  "flushing": {
    *enter(subject) {
      yield* passIterations(2);
      subject.fill();
      subject.transport.close();
    },
    refused: ["startTls", "sendfile"],
  },
  "lent to sendfile()": {
    *enter(subject) {
      yield* passIterations(2);
      subject.sendfile();
      yield* passIterations(2);
    },
    refused: ["write", "writelines", "writeEof", "startTls", "sendfile"],
  },
  "closing": {
    *enter(subject) {
      yield* passIterations(2);
      subject.transport.close();
    },
    refused: ["startTls", "sendfile"],
  },
  "closed": {
    *enter(subject) {
      yield* passIterations(2);
      subject.transport.close();
      yield* subject.protocol.lost;
    },
    refused: ["startTls", "sendfile"],
  },
  "leaving": {
    *enter(subject) {
      yield* passIterations(2);
      subject.fill();
      subject.startTls();
    },
    refused: ["write", "writelines", "writeEof", "startTls", "sendfile"],
  },
  "leaving, above the high mark": {
    *enter(subject) {
      subject.fill(100_000);
      subject.startTls();
      yield* passIterations(2);
    },
    refused: ["write", "writelines", "writeEof", "startTls", "sendfile"],
  },
  "left": {
    *enter(subject) {
      yield* passIterations(2);
      subject.startTls();
      yield* passIterations(2);
    },
    refused: ["write", "writelines", "writeEof", "startTls", "sendfile"],
  },
  "moved": {
    *enter(subject) {
      yield* subject.secure();
      yield* passIterations(2);
    },
    refused: ["write", "writelines", "writeEof", "startTls", "sendfile"],
  },
  "secured and opening": {
    *enter(subject) {
      subject.transport = yield* subject.secure();
    },
    refused: ["writeEof"],
  },
  "secured": {
    *enter(subject) {
      subject.transport = yield* subject.secure();
      yield* passIterations(2);
    },
    refused: ["writeEof"],
  },
  "secured and flushing": {
    *enter(subject) {
      subject.transport = yield* subject.secure();
      subject.fill();
      subject.transport.close();
    },
    refused: ["writeEof", "startTls", "sendfile"],
  },
  "secured and closing": {
    *enter(subject) {
      subject.transport = yield* subject.secure();
      yield* passIterations(2);
      subject.transport.close();
      yield* passIterations(2);
    },
    refused: ["writeEof", "startTls", "sendfile"],
  },
};

/** What can be done, by the program and by the peer. Some give what they have begun. */
const ACTIONS: Readonly<Record<string, (subject: Subject) => Future<unknown> | void>> = {
  write: ({ transport }) => transport.write(utf8("x")),
  writelines: ({ transport }) => transport.writelines([utf8("x"), utf8("y")]),
  writeEof: ({ transport }) => transport.writeEof(),
  close: ({ transport }) => transport.close(),
  abort: ({ transport }) => transport.abort(),
  pauseReading: ({ transport }) => transport.pauseReading(),
  resumeReading: ({ transport }) => transport.resumeReading(),
  setProtocol: ({ transport, protocol }) => transport.setProtocol(protocol),
  setWriteBufferLimits: ({ transport }) => transport.setWriteBufferLimits({ high: 0 }),
  startTls: (subject) => subject.startTls(),
  sendfile: (subject) => subject.sendfile(),
  "the wire takes all": ({ wire }) => wire.release(),
  "data comes": ({ other }) => void other.write(new Uint8Array([22, 3, 3, 0, 1, 0])),
  "the end comes": ({ other }) => other.closeWrite(),
  "the wire fails": ({ wire }) => wire.fail(new Deno.errors.ConnectionReset("planted")),
};

/** Does an action; gives the error that it is refused with. */
function attempt(subject: Subject, name: string): unknown {
  try {
    const begun = ACTIONS[name]?.(subject);
    return begun?.done() === true ? begun.exception() : null;
  } catch (error) {
    return error;
  }
}

/** Ends what goes on, and waits until the connection is over. */
function* finish(subject: Subject): Coroutine<void> {
  const { protocol, pending, transports, wire } = subject;
  wire.release();
  yield* passIterations(3);
  for (const future of pending) future.cancel();
  yield* passIterations(3);
  for (const transport of transports) transport.abort();
  yield* protocol.lost;
  yield* passIterations(3);
  subject.other.abort();
  yield* passIterations(3);
  assertEquals(protocol.log.filter((entry) => entry === "lost"), ["lost"]);
  assertEquals(protocol.log.filter((entry) => entry === "made"), ["made"]);
  assertEquals(wire.isOver, true);
  assertEquals(transports.map((transport) => transport.getWriteBufferSize()), [
    ...transports.map(() => 0),
  ]);
}

/** Runs `main` on a loop in virtual time. Whatever is reported fails. */
async function runStates(main: (loop: EventLoop) => Coroutine<void>): Promise<void> {
  // Of its platform nothing but TLS is asked.
  const loop = Object.assign(new EventLoop({ clock: new VirtualClock() }), { platform: {} });
  const reports: unknown[] = [];
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  await loop.runUntilComplete(main(loop));
  loop.close();
  assertEquals(reports, []);
}

for (const [state, { enter, refused }] of Object.entries(STATES)) {
  Deno.test(`StreamTransport that is ${state} takes or refuses each action`, () =>
    runStates(function* (loop) {
      for (const name of Object.keys(ACTIONS)) {
        const subject = new Subject(loop);
        yield* enter(subject);
        const error = attempt(subject, name);
        assertEquals([name, error !== null], [name, refused.includes(name)]);
        if (error !== null) assertInstanceOf(error, InvalidStateError);
        yield* finish(subject);
      }
    }));

  Deno.test(`StreamTransport that is ${state} ends once after any two actions`, () =>
    runStates(function* (loop) {
      // At once, or with some iterations between: each second time.
      let count = 0;
      for (const first of Object.keys(ACTIONS)) {
        for (const second of Object.keys(ACTIONS)) {
          const subject = new Subject(loop);
          yield* enter(subject);
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
