// Whatever user code throws or returns, it is reported with a text, and the loop goes on.
import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { createTask, EventLoop, type ExceptionContext, sleep } from "../../loop/mod.ts";
import { describe, describeThrown } from "../../loop/values/_describe.ts";
import { VirtualClock } from "./_virtual_clock.ts";

const planted = () => {
  throw new Error("planted");
};
const trapped = new Proxy({}, new Proxy({}, { get: planted }));
const revoked = Proxy.revocable(() => {}, {});
revoked.revoke();

/** Values that code which names, compares or shows them may stumble on. */
const ODD: Readonly<Record<string, unknown>> = {
  "undefined": undefined,
  "null": null,
  "a text": "text",
  "a symbol": Symbol("planted"),
  "a big number": 10n,
  "a function": () => {},
  "a promise": Promise.resolve(),
  "an object without a prototype": Object.create(null),
  "an object whose conversions throw": {
    toString: planted,
    valueOf: planted,
    toJSON: planted,
    [Symbol.toPrimitive]: planted,
    get [Symbol.toStringTag]() {
      return planted();
    },
    get constructor() {
      return planted();
    },
    [Symbol.for("Deno.customInspect")]: planted,
    get then() {
      return planted();
    },
  },
  "a proxy that throws": trapped,
  "a proxy that was revoked": revoked.proxy,
  "an error whose parts throw": Object.defineProperties(new Error(), {
    name: { get: planted },
    message: { get: planted },
    stack: { get: planted },
  }),
  "an error whose parts are no texts": Object.assign(new Error(), { stack: [1], name: Symbol() }),
  "an error that is its own cause": (() => {
    const error = new Error("circle");
    return Object.assign(error, { cause: error });
  })(),
};

Deno.test("describe() and describeThrown() give any value a text", () => {
  for (const value of Object.values(ODD)) {
    for (const text of [describe(value), describeThrown(value)]) assertMatch(text, /./);
  }
  assertEquals(describe(ODD["a proxy that was revoked"]), "a value without a text (function)");
  assertEquals(describeThrown(new TypeError("of a kind")), "TypeError: of a kind");
  assertEquals(describeThrown("text"), '"text"');
});

/** A loop in virtual time, and what its exception handler was told. */
function createLoop(): [EventLoop, ExceptionContext[]] {
  const loop = new EventLoop({ clock: new VirtualClock() });
  const reports: ExceptionContext[] = [];
  loop.setExceptionHandler((_loop, context) => void reports.push(context));
  return [loop, reports];
}

/** What calls `hook` once, in a task of `loop`. */
const HOOKS: Readonly<Record<string, (loop: EventLoop, hook: () => unknown) => void>> = {
  "callSoon()": (loop, hook) => loop.callSoon(hook),
  "callLater()": (loop, hook) => loop.callLater(1, hook),
  "callAt()": (loop, hook) => loop.callAt(0, hook),
  "addDoneCallback()": (loop, hook) => {
    const future = loop.createFuture<void>();
    future.addDoneCallback(hook);
    future.setResult();
  },
};

for (const [what, value] of Object.entries(ODD)) {
  for (const [name, schedule] of Object.entries(HOOKS)) {
    Deno.test(`a callback of ${name} that throws ${what} is reported, and the loop goes on`, async () => {
      const [loop, reports] = createLoop();
      const kinds = [
        () => {
          throw value;
        },
        async () => {
          await sleepIn(loop);
          throw value;
        },
      ];
      await loop.runUntilComplete(function* () {
        for (const kind of kinds) schedule(loop, kind);
        yield* sleep(9);
      });
      loop.close();
      assertEquals(reports.length, 2);
      for (const { exception } of reports) assertStrictEquals(exception, value);
    });

    Deno.test(`a callback of ${name} that returns ${what} does not end the loop`, async () => {
      const [loop] = createLoop();
      await loop.runUntilComplete(function* () {
        schedule(loop, () => value);
        yield* sleep(9);
      });
      loop.close();
    });
  }

  Deno.test(`a task that throws ${what} is reported`, async () => {
    const [loop, reports] = createLoop();
    await loop.runUntilComplete(function* () {
      createTask(() => {
        throw value;
      });
      createTask(async () => {
        await sleep(0);
        throw value;
      });
      yield* sleep(9);
    });
    loop.close();
    assertEquals(reports.length, 2);
    for (const { exception } of reports) assertStrictEquals(exception, value);
  });

  Deno.test(`an exception handler that throws or returns ${what} does not end the loop`, async () => {
    const logged: string[] = [];
    const original = console.error;
    console.error = (text: string, thrown: unknown) => {
      Deno.inspect(thrown);
      logged.push(text);
    };
    try {
      const [loop] = createLoop();
      const handlers = [
        () => {
          throw value;
        },
        async () => {
          await Promise.resolve();
          throw value;
        },
        () => value as never,
      ];
      await loop.runUntilComplete(function* () {
        for (const handler of handlers) {
          loop.setExceptionHandler(handler);
          loop.callExceptionHandler({ message: "planted" });
          yield* sleep(1);
        }
      });
      loop.close();
    } finally {
      console.error = original;
    }
    const kinds = logged.map((text) => text.split("\n", 1)[0]);
    const both = ["Unhandled error in exception handler", "planted"];
    assertEquals(kinds.slice(0, 4), [...both, ...both]);
  });

  Deno.test(`the default exception handler shows ${what} in each part of its report`, () => {
    const shown: string[] = [];
    const original = console.error;
    console.error = (...words: unknown[]) =>
      void shown.push(
        words.map((word) => typeof word === "string" ? word : Deno.inspect(word)).join(" "),
      );
    try {
      const [loop] = createLoop();
      loop.defaultExceptionHandler({
        message: "planted",
        exception: value,
        protocol: value,
        transport: value,
        [what]: value,
      } as ExceptionContext);
      loop.close();
    } finally {
      console.error = original;
    }
    assertEquals(shown.length, 1);
    assertMatch(shown[0] ?? "", /^planted\n.*protocol: ./s);
  });
}

function sleepIn(loop: EventLoop): Promise<void> {
  return new Promise((resolve) => loop.callLater(0.5, resolve));
}
