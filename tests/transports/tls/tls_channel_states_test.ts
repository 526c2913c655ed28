// Every action on a TLS channel in every state: where it stands then, and that its end is told once.
import { assertEquals, assertThrows } from "@std/assert";
import { type Coroutine, EventLoop, sleep } from "../../../mod.ts";
import * as inside from "../../../loop/inside.ts";
import type { ByteSink } from "../../../loop/platform/platform.ts";
import { DenoTlsChannel } from "../../../transports/tls/deno_tls_channel.ts";
import { VirtualClock } from "../../loop/_virtual_clock.ts";
import { passIterations, utf8 } from "../_backend.ts";
import { host } from "../_host.ts";
import { MemoryWire } from "../_memory_wire.ts";
import { certificate, trusting } from "../_tls.ts";

const CLIENT = host.tls.clientContext(trusting, "localhost");
const SERVER = host.tls.serverContext(certificate("server"));

/** A TLS channel with what is around it. */
class Subject {
  readonly wire: MemoryWire;
  readonly other: MemoryWire;
  readonly channel: DenoTlsChannel;
  /** What the sink was told. */
  readonly log: string[] = [];
  readonly #sink: ByteSink = {
    buffer: () => new Uint8Array(1024),
    received: () => void this.log.push("received"),
    ended: () => void this.log.push("ended"),
    failed: () => void this.log.push("failed"),
    sent: () => void this.log.push("sent"),
    closed: () => void this.log.push("closed"),
  };

  constructor(loop: EventLoop) {
    [this.wire, this.other] = MemoryWire.pair(loop);
    this.channel = new DenoTlsChannel(loop, this.wire, CLIENT);
    this.channel.secured.addDoneCallback((secured) => secured.cancelled() || secured.exception());
  }

  /** Shakes hands with a peer that then reads no more, so that it confirms no end. */
  *secure(loop: EventLoop): Coroutine<void> {
    const peer = new DenoTlsChannel(loop, this.other, SERVER);
    yield* this.channel.secured;
    yield* peer.secured;
  }

  attach(): void {
    this.channel.attach(this.#sink);
    this.channel.resume();
  }

  /** What one can see of where the channel stands, and what the sink was told since. */
  stand(): string {
    const { secured } = this.channel;
    const begin = !secured.done()
      ? "handshaking"
      : secured.exception() === null
      ? "open"
      : "failed";
    return [begin, ...this.log, ...this.wire.isOver ? ["over"] : []].join(" ");
  }
}

const GARBAGE = utf8("GET / HTTP/1.1\r\n\r\n");

/** What can be done, by the transport and by the world. */
const ACTIONS: Readonly<Record<string, (subject: Subject) => unknown>> = {
  write: ({ channel }) => channel.write(utf8("x")),
  pause: ({ channel }) => channel.pause(),
  resume: ({ channel }) => channel.resume(),
  close: ({ channel }) => channel.close(),
  abort: ({ channel }) => channel.abort(),
  "the loop closes": ({ channel }) => channel[inside.release](),
  "garbage comes": ({ wire }) => wire.arrive(GARBAGE),
  "the end comes": ({ wire }) => wire.arrive(null),
  // It says no more once it is closed.
  "the wire fails": ({ wire }) =>
    wire.isOver || wire.fail(new Deno.errors.ConnectionReset("planted")),
  "time passes": () => sleep(100),
};

/** An action that is our bug there. */
const ILLEGAL = "illegal";

interface State {
  enter(subject: Subject, loop: EventLoop): Coroutine<void>;
  readonly stands: string;
  /** What comes of each action that changes anything. */
  readonly after: Readonly<Record<string, string>>;
}

const STATES: Readonly<Record<string, State>> = {
  "handshaking": {
    *enter() {},
    stands: "handshaking",
    after: {
      close: ILLEGAL,
      abort: "failed over",
      "the loop closes": "failed over",
      "garbage comes": "failed over",
      "the end comes": "failed over",
      "the wire fails": "failed over",
      "time passes": "failed over",
    },
  },
  "open, with nobody on it": {
    enter: (subject, loop) => subject.secure(loop),
    stands: "open",
    after: { abort: "open over", "the loop closes": "open over", "time passes": "open" },
  },
  "open": {
    *enter(subject, loop) {
      yield* subject.secure(loop);
      subject.attach();
    },
    stands: "open",
    after: {
      abort: "open closed over",
      "the loop closes": "open closed over",
      "garbage comes": "open failed",
      "the end comes": "open ended",
      "the wire fails": "open failed",
    },
  },
  "closing": {
    *enter(subject, loop) {
      yield* subject.secure(loop);
      subject.attach();
      subject.channel.close();
    },
    stands: "open",
    after: {
      close: ILLEGAL,
      abort: "open closed over",
      "the loop closes": "open closed over",
      "garbage comes": "open closed over",
      "the end comes": "open closed over",
      "the wire fails": "open closed over",
      "time passes": "open closed over",
    },
  },
  "closed": {
    *enter(subject, loop) {
      yield* subject.secure(loop);
      subject.attach();
      subject.channel.abort();
    },
    stands: "open closed over",
    after: {},
  },
};

for (const [name, { enter, stands, after }] of Object.entries(STATES)) {
  Deno.test(`DenoTlsChannel that is ${name} moves by each action as the table says`, async () => {
    const loop = new EventLoop({ clock: new VirtualClock() });
    await loop.runUntilComplete(function* (): Coroutine<void> {
      for (const [action, act] of Object.entries(ACTIONS)) {
        const subject = new Subject(loop);
        yield* enter(subject, loop);
        yield* passIterations(3);
        assertEquals([action, subject.stand()], [action, stands]);
        const expected = after[action] ?? stands;
        if (expected === ILLEGAL) assertThrows(() => act(subject), Error, "a TLS channel moved");
        else {
          const waiting = act(subject);
          if (waiting instanceof Object) yield* waiting as ReturnType<typeof sleep>;
          // The engine tells some things a tick later.
          yield* sleep(1);
          assertEquals([action, subject.stand()], [action, expected]);
        }
        subject.channel.abort();
        subject.other.abort();
        yield* passIterations(5);
        assertEquals(subject.wire.isOver, true);
        const isAttached = name !== "handshaking" && name !== "open, with nobody on it";
        const ends = subject.log.filter((entry) => entry === "closed");
        assertEquals([action, ends], [action, isAttached ? ["closed"] : []]);
      }
    });
    loop.close();
  });
}
