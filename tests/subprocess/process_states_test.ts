// Every action on the transport of a process in every state: where it stands then, what it is
// refused with, and that each event is told once whatever came before. The process is not real.
import { assertEquals } from "@std/assert";
import { type Coroutine, EventLoop, type Future, type SubprocessTransport } from "../../mod.ts";
import * as inside from "../../loop/inside.ts";
import type { ChildProcess, ProcessSink } from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import { ProcessTransport } from "../../subprocess/_process_transport.ts";
import { SubprocessProtocol } from "../../subprocess/mod.ts";
import { VirtualClock } from "../loop/_virtual_clock.ts";
import { passIterations } from "../transports/_backend.ts";
import { MemoryWire } from "../transports/_memory_wire.ts";

/** A process in memory. What it has started holds its pipes, also when it has ended. */
class MemoryChild implements ChildProcess {
  readonly pid = 42;
  readonly stderr: null = null;
  readonly handle: null = null;
  readonly stdin: MemoryWire;
  readonly stdout: MemoryWire;
  readonly #output: MemoryWire;
  readonly #loop: EventLoop;
  readonly #sink: ProcessSink;
  #hasEnded = false;

  constructor(loop: EventLoop, sink: ProcessSink) {
    this.#loop = loop;
    this.#sink = sink;
    [this.stdin] = MemoryWire.pair(loop);
    [this.stdout, this.#output] = MemoryWire.pair(loop);
  }

  kill(): void {
    this.exit(-9);
  }

  killGroup(): void {
    this.exit(-9);
  }

  noteDescendants(): void {}

  destroy(): void {
    this.exit(-9);
  }

  exit(returncode: number): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#loop[inside.enter]({ [inside.run]: () => this.#sink.exited(returncode) });
  }

  /** Nobody holds its output any more. */
  endOutput(): void {
    this.#output.closeWrite();
  }
}

class Recorder extends SubprocessProtocol {
  readonly events: string[] = [];

  override connectionMade(_transport: SubprocessTransport): void {
    this.events.push("made");
  }

  override pipeConnectionLost(fd: number): void {
    this.events.push(`pipe ${fd} lost`);
  }

  override processExited(): void {
    this.events.push("exited");
  }

  override connectionLost(): void {
    this.events.push("lost");
  }
}

/** A transport with what is around it. */
class Subject {
  readonly protocol = new Recorder();
  readonly transport: ProcessTransport;
  readonly opened: Future<void>;
  readonly child: MemoryChild;
  readonly waits: Future<void>[];

  constructor(eventLoop: EventLoop, startNewSession: boolean) {
    let child: MemoryChild | null = null;
    const spawn = (loop: EventLoop, _program: unknown, _options: unknown, sink: ProcessSink) =>
      child = new MemoryChild(loop, sink);
    const loop = Object.assign(eventLoop, { platform: { processes: { spawn } } });
    this.opened = loop.createFuture();
    this.transport = new ProcessTransport(
      loop as unknown as PlatformLoop,
      this.protocol,
      { commandLine: "" },
      { stdin: "piped", stdout: "piped", stderr: "null", startNewSession },
      this.opened,
    );
    this.child = child as unknown as MemoryChild;
    this.waits = [this.transport.waitFor("exited"), this.transport.waitFor("ended")];
  }

  /** Where the transport stands, as one can see. */
  stand(): string {
    if (this.transport.isEnded()) return "ended";
    if (this.transport.getReturncode() !== null) return "exited";
    return this.opened.done() ? "running" : "starting";
  }
}

/** What can be done, by the program and by the process. */
const ACTIONS: Readonly<Record<string, (subject: Subject) => void>> = {
  sendSignal: ({ transport }) => transport.sendSignal("SIGINT"),
  terminate: ({ transport }) => transport.terminate(),
  kill: ({ transport }) => transport.kill(),
  killGroup: ({ transport }) => transport.killGroup(),
  close: ({ transport }) => transport.close(),
  askToEnd: ({ transport }) => transport.askToEnd(),
  destroy: ({ transport }) => transport.destroy(),
  dropPipes: ({ transport }) => transport.dropPipes(),
  "stdin closes": ({ transport }) => transport.getPipeTransport(0)?.close(),
  "the output ends": ({ child }) => child.endOutput(),
  "the process exits": ({ child }) => child.exit(0),
};

interface State {
  enter(subject: Subject): Coroutine<void>;
  readonly stands: string;
  /** Where it is soon after an action that does not leave it where it is. */
  readonly after: Readonly<Record<string, string>>;
}

/** Each ends the process, and nothing else: what it has started holds its output. */
const ENDING = {
  sendSignal: "exited",
  terminate: "exited",
  kill: "exited",
  killGroup: "exited",
  askToEnd: "exited",
  "the process exits": "exited",
};
const REFUSED = {
  sendSignal: "NotFound",
  terminate: "NotFound",
  kill: "NotFound",
  askToEnd: "NotFound",
};
const DROPPING = { close: "ended", destroy: "ended" };

/** How to get into each state, and what the actions do there. */
const STATES: Readonly<Record<string, State>> = {
  "starting": {
    *enter() {},
    stands: "starting",
    after: {
      ...ENDING,
      ...DROPPING,
      dropPipes: "running",
      "stdin closes": "running",
      "the output ends": "running",
    },
  },
  "running": {
    enter: () => passIterations(3),
    stands: "running",
    after: { ...ENDING, ...DROPPING },
  },
  "running without pipes": {
    *enter({ transport }) {
      yield* passIterations(3);
      transport.dropPipes();
      yield* passIterations(3);
    },
    stands: "running",
    after: {
      ...Object.fromEntries(Object.keys(ENDING).map((action) => [action, "ended"])),
      destroy: "ended",
    },
  },
  "exited": {
    *enter({ child }) {
      yield* passIterations(3);
      child.exit(3);
      yield* passIterations(3);
    },
    stands: "exited",
    after: { ...REFUSED, ...DROPPING, dropPipes: "ended", "the output ends": "ended" },
  },
  "ended": {
    *enter({ child }) {
      yield* passIterations(3);
      child.exit(3);
      child.endOutput();
      yield* passIterations(5);
    },
    stands: "ended",
    after: REFUSED,
  },
};

/** Does an action; gives the name of the error that it is refused with. */
function attempt(subject: Subject, name: string): string | null {
  try {
    ACTIONS[name]?.(subject);
    return null;
  } catch (error) {
    return (error as Error).name;
  }
}

/** Ends the process, and looks whether each event was told once, in an order that may be. */
function* finish({ transport, protocol, waits }: Subject): Coroutine<void> {
  transport.destroy();
  transport.dropPipes();
  yield* passIterations(8);
  const { events } = protocol;
  assertEquals(events.toSorted(), ["exited", "lost", "made", "pipe 0 lost", "pipe 1 lost"]);
  assertEquals([events[0], events.at(-1)], ["made", "lost"]);
  assertEquals(waits.map((wait) => wait.done()), [true, true]);
}

/** Runs `main` on a loop in virtual time. Whatever is reported fails. */
async function runStates(main: (loop: EventLoop) => Coroutine<void>): Promise<void> {
  const loop = new EventLoop({ clock: new VirtualClock() });
  const reports: unknown[] = [];
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  await loop.runUntilComplete(main(loop));
  loop.close();
  assertEquals(reports, []);
}

for (const [name, { enter, stands, after }] of Object.entries(STATES)) {
  Deno.test(`ProcessTransport that is ${name} moves or refuses by each action as the table says`, () =>
    runStates(function* (loop) {
      for (const action of Object.keys(ACTIONS)) {
        const subject = new Subject(loop, true);
        yield* enter(subject);
        assertEquals([action, subject.stand()], [action, stands]);
        const refusal = attempt(subject, action);
        yield* passIterations(8);
        assertEquals([action, refusal ?? subject.stand()], [action, after[action] ?? stands]);
        yield* finish(subject);
      }
    }));

  Deno.test(`ProcessTransport that is ${name} tells each event once after any two actions`, () =>
    runStates(function* (loop) {
      // At once, or with some iterations between: each second time.
      let count = 0;
      for (const first of Object.keys(ACTIONS)) {
        for (const second of Object.keys(ACTIONS)) {
          const subject = new Subject(loop, true);
          yield* enter(subject);
          attempt(subject, first);
          yield* passIterations(2 * (count++ % 2));
          attempt(subject, second);
          yield* finish(subject);
        }
      }
    }));

  Deno.test(`ProcessTransport that is ${name} refuses killGroup() without a session of its own`, () =>
    runStates(function* (loop) {
      const subject = new Subject(loop, false);
      yield* enter(subject);
      assertEquals(attempt(subject, "killGroup"), "InvalidStateError");
      yield* finish(subject);
    }));
}
