// The registry of event loop policies, and what it decides.
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  DefaultEventLoopPolicy,
  DenoEventLoop,
  EventLoop,
  type EventLoopPolicy,
  eventLoopPolicyNames,
  getEventLoop,
  getEventLoopPolicy,
  getRunningLoop,
  InvalidStateError,
  newEventLoop,
  registerEventLoopPolicy,
  run,
  setEventLoop,
  setEventLoopPolicy,
} from "../../loop/mod.ts";
import { runVirtual, TestLoop } from "./_test_loop.ts";

/** A policy whose loops run in virtual time. */
class VirtualPolicy implements EventLoopPolicy {
  readonly made: EventLoop[] = [];
  #loop: EventLoop | null = null;

  getEventLoop(): EventLoop {
    return this.#loop ??= this.newEventLoop();
  }

  setEventLoop(loop: EventLoop | null): void {
    this.#loop = loop;
  }

  newEventLoop(): EventLoop {
    const loop = new TestLoop();
    this.made.push(loop);
    return loop;
  }
}

/** Adds a test that leaves the default policy in force. */
function testPolicy(name: string, work: () => void | Promise<void>): void {
  Deno.test(name, async () => {
    setEventLoopPolicy(null);
    try {
      await work();
    } finally {
      setEventLoopPolicy(null);
    }
  });
}

testPolicy("getEventLoopPolicy() gives a DefaultEventLoopPolicy, always the same", () => {
  const policy = getEventLoopPolicy();
  assertInstanceOf(policy, DefaultEventLoopPolicy);
  assertStrictEquals(getEventLoopPolicy(), policy);
});

testPolicy("setEventLoopPolicy() takes a policy, a name, or null for a new default one", () => {
  const policy = new VirtualPolicy();
  setEventLoopPolicy(policy);
  assertStrictEquals(getEventLoopPolicy(), policy);
  setEventLoopPolicy("default");
  assertInstanceOf(getEventLoopPolicy(), DefaultEventLoopPolicy);
  setEventLoopPolicy(policy);
  setEventLoopPolicy(null);
  assertInstanceOf(getEventLoopPolicy(), DefaultEventLoopPolicy);
});

testPolicy("setEventLoopPolicy() refuses an unknown name and what is no policy", () => {
  assertThrows(
    () => setEventLoopPolicy("uvloop"),
    RangeError,
    'Cannot set event loop policy "uvloop": only default',
  );
  for (const value of [1, undefined, {}, { getEventLoop() {} }]) {
    assertThrows(
      () => setEventLoopPolicy(value as never),
      TypeError,
      "Cannot set the event loop policy: expected a policy, a name or null",
    );
  }
  assertInstanceOf(getEventLoopPolicy(), DefaultEventLoopPolicy);
});

testPolicy("registerEventLoopPolicy() adds a name, and a factory that each set calls anew", () => {
  registerEventLoopPolicy("virtual", () => new VirtualPolicy());
  assertEquals(eventLoopPolicyNames().includes("virtual"), true);
  assertEquals(eventLoopPolicyNames()[0], "default");
  setEventLoopPolicy("virtual");
  const first = getEventLoopPolicy();
  assertInstanceOf(first, VirtualPolicy);
  setEventLoopPolicy("virtual");
  assertNotStrictEquals(getEventLoopPolicy(), first);

  const replacement = new VirtualPolicy();
  registerEventLoopPolicy("virtual", () => replacement);
  setEventLoopPolicy("virtual");
  assertStrictEquals(getEventLoopPolicy(), replacement);
  assertEquals(eventLoopPolicyNames().filter((name) => name === "virtual").length, 1);
});

testPolicy("registerEventLoopPolicy() refuses an empty name and what is no function", () => {
  for (const name of ["", 1]) {
    assertThrows(
      () => registerEventLoopPolicy(name as string, () => new VirtualPolicy()),
      TypeError,
      "Cannot register an event loop policy: its name is",
    );
  }
  assertThrows(
    () => registerEventLoopPolicy("virtual", new VirtualPolicy() as never),
    TypeError,
    'Cannot register event loop policy "virtual": expected a function',
  );
});

testPolicy("getEventLoop() of the default policy makes one loop and keeps it", () => {
  const loop = getEventLoop();
  assertInstanceOf(loop, DenoEventLoop);
  assertStrictEquals(getEventLoop(), loop);
  assert(!loop.isRunning());
  loop.close();
});

testPolicy("getEventLoop() gives what setEventLoop() set, and after null throws", () => {
  const loop = new EventLoop();
  setEventLoop(loop);
  assertStrictEquals(getEventLoop(), loop);
  setEventLoop(null);
  assertThrows(
    () => getEventLoop(),
    InvalidStateError,
    "Cannot get the event loop: none is set in this isolate",
  );
  loop.close();
});

testPolicy("setEventLoop() refuses what is no loop", () => {
  for (const value of [undefined, 1, {}]) {
    assertThrows(
      () => setEventLoop(value as never),
      TypeError,
      "Cannot set the event loop: expected an EventLoop or null",
    );
  }
});

testPolicy("newEventLoop() makes a loop without setting it", () => {
  const loop = new EventLoop();
  setEventLoop(loop);
  const other = newEventLoop();
  assertNotStrictEquals(other, loop);
  assertStrictEquals(getEventLoop(), loop);
  for (const each of [loop, other]) each.close();
});

testPolicy("getEventLoop() gives the running loop, whatever is set", async () => {
  const loop = new EventLoop();
  setEventLoop(loop);
  await runVirtual((running) => {
    assertStrictEquals(getEventLoop(), running);
  });
  assertStrictEquals(getEventLoop(), loop);
  loop.close();
});

testPolicy(
  "run() makes its loop by the policy, and leaves the loop that is set alone",
  async () => {
    const policy = new VirtualPolicy();
    setEventLoopPolicy(policy);
    const set = getEventLoop();
    const running = await run(() => getRunningLoop());
    assertEquals(policy.made, [set, running]);
    assertEquals([running.isClosed(), set.isClosed()], [true, false]);
    assertStrictEquals(getEventLoop(), set);
    set.close();
  },
);

testPolicy("a policy may extend DefaultEventLoopPolicy and make other loops", () => {
  class DebugPolicy extends DefaultEventLoopPolicy {
    override newEventLoop(): DenoEventLoop {
      return new DenoEventLoop({ debug: true });
    }
  }
  setEventLoopPolicy(new DebugPolicy());
  const loop = getEventLoop();
  assertEquals(loop.getDebug(), true);
  loop.close();
});
