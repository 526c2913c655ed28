// The rows H01 to H03 of "Exception handler". H03, the report of slow callbacks, is in
// debug_mode_test.ts.
import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { EventLoop, type ExceptionContext } from "../../loop/mod.ts";
import { VirtualClock } from "./_virtual_clock.ts";

/** Calls `work`, and gives what it wrote with `console.error`, one entry for each call. */
function errorsLoggedBy(work: () => void): unknown[][] {
  const logged: unknown[][] = [];
  const original = console.error;
  console.error = (...args: unknown[]) => void logged.push(args);
  try {
    work();
  } finally {
    console.error = original;
  }
  return logged;
}

function createLoop(): EventLoop {
  return new EventLoop({ clock: new VirtualClock() });
}

const planted = new Error("planted");

Deno.test("H01 an error in the exception handler is logged, and so is what it was told", () => {
  const loop = createLoop();
  loop.setExceptionHandler(() => {
    throw new Error("of the handler");
  });

  const logged = errorsLoggedBy(() => {
    loop.callExceptionHandler({ message: "the first report", exception: planted });
  });

  const texts = logged.map((args) => args.map(String).join(" "));
  assertEquals(texts.length, 2);
  assertMatch(texts[0] ?? "", /^Unhandled error in exception handler[^]*Error: of the handler/);
  assertMatch(texts[1] ?? "", /^the first report[^]*Error: planted/);
});

Deno.test("H02 the default handler logs the message, then the other keys in order, then the error", () => {
  const loop = createLoop();
  const transport = new (class TestTransport {})();
  const protocol = new (class TestProtocol {})();

  const logged = errorsLoggedBy(() => {
    loop.callExceptionHandler({
      transport,
      protocol,
      message: "Fatal write error",
      exception: planted,
    });
    loop.defaultExceptionHandler({ message: "no error" });
    loop.defaultExceptionHandler({ message: "" });
  });

  assertEquals(logged, [
    ["Fatal write error\nprotocol: TestProtocol\ntransport: TestTransport\n", planted],
    ["no error"],
    ["Unhandled exception in event loop"],
  ]);
});

Deno.test("setExceptionHandler() replaces the default handler until null restores it", () => {
  const loop = createLoop();
  const seen: ExceptionContext[] = [];
  const handler = (_loop: EventLoop, context: ExceptionContext) => void seen.push(context);
  assertEquals(loop.getExceptionHandler(), null);

  loop.setExceptionHandler(handler);
  assertEquals(loop.getExceptionHandler(), handler);
  const quiet = errorsLoggedBy(() => loop.callExceptionHandler({ message: "to the handler" }));
  loop.setExceptionHandler(null);
  const logged = errorsLoggedBy(() => loop.callExceptionHandler({ message: "to the console" }));

  assertEquals(quiet, []);
  assertEquals(seen, [{ message: "to the handler" }]);
  assertEquals(logged, [["to the console"]]);
  assertThrows(
    () => loop.setExceptionHandler("text" as unknown as null),
    TypeError,
    "Cannot set the exception handler",
  );
});

Deno.test("an exception handler gets the loop that it belongs to", () => {
  const loop = createLoop();
  let seen: EventLoop | null = null;
  loop.setExceptionHandler((of) => {
    seen = of;
  });

  loop.callExceptionHandler({ message: "planted" });

  assertEquals(seen === loop, true);
});

Deno.test("an overridden default handler that throws does not end the run", async () => {
  class OwnLoop extends EventLoop {
    override defaultExceptionHandler(): void {
      throw new Error("of the default handler");
    }
  }
  const loop = new OwnLoop({ clock: new VirtualClock() });
  const log: string[] = [];
  loop.callSoon(() => {
    throw planted;
  });
  loop.callSoon(() => log.push("next"));
  loop.stop();

  let run: Promise<void> = Promise.resolve();
  const logged = errorsLoggedBy(() => run = loop.runForever());
  await run;

  assertEquals(log, ["next"]);
  assertEquals(logged.map((args) => args[0]), ["Exception in default exception handler"]);
  loop.close();
});

Deno.test("EventLoop.callSoon() reports the rejection of a callback that is an async function", async () => {
  const loop = new EventLoop();
  const reports: ExceptionContext[] = [];
  loop.setExceptionHandler((_loop, context) => {
    reports.push(context);
    loop.stop();
  });
  const error = new Error("late");
  const handle = loop.callSoon(async () => {
    await Promise.resolve();
    throw error;
  });
  await loop.runForever();
  loop.close();
  assertEquals(reports.map(({ exception }) => exception), [error]);
  assertStrictEquals(reports[0]?.handle, handle);
});
