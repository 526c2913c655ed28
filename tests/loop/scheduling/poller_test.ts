import { assert, assertEquals } from "@std/assert";
import * as inside from "../../../loop/inside.ts";
import { EventLoop, type Future } from "../../../mod.ts";
import { Step } from "../../../loop/scheduling/step.ts";
import type { Poller } from "../../../loop/platform/platform.ts";
import { openResources, releaseOpenResources } from "../../../transports/core/open_resources.ts";

/** Has events ready when it is told to, and writes down what it is asked. */
class ScriptedPoller implements Poller {
  readonly log: string[] = [];
  readonly #loop: EventLoop;
  readonly #events: (() => void)[] = [];

  constructor(loop: EventLoop) {
    this.#loop = loop;
    loop[inside.setPoller](this);
  }

  /** `event` is ready from now on. */
  ready(event: () => void): void {
    this.#events.push(event);
  }

  poll(): boolean {
    const event = this.#events.shift();
    if (event === undefined) return false;
    this.log.push("found");
    this.#loop[inside.enqueue](new Step(event));
    return true;
  }

  idle(): void {
    this.log.push("idle");
  }

  rest(): void {
    this.log.push("rest");
  }
}

/** Is done by the host, which gets its turn when the loop waits. */
function waitBriefly(loop: EventLoop): Future<void> {
  const done = loop.createFuture<void>();
  setTimeout(() => done.setResult());
  return done;
}

Deno.test("A poller is asked before the loop waits, then told that it waits, and that it has stopped", async () => {
  const loop = new EventLoop();
  const poller = new ScriptedPoller(loop);
  poller.ready(() => poller.log.push("handled"));
  await loop.runUntilComplete(waitBriefly(loop));
  loop.close();
  assertEquals(poller.log, ["found", "handled", "idle", "rest"]);
});

Deno.test("A poller is asked again and again while callbacks keep the loop from waiting", async () => {
  const loop = new EventLoop();
  const poller = new ScriptedPoller(loop);
  let turns = 0;
  let handledAt = 0;
  const spin = () => {
    turns += 1;
    if (turns === 100) poller.ready(() => (handledAt = turns, loop.stop()));
    if (turns < 100_000) loop.callSoon(spin);
    else loop.stop();
  };
  loop.callSoon(spin);
  await loop.runForever();
  loop.close();
  assert(handledAt > 0, "the loop was never asked while it was busy");
  assert(!poller.log.includes("idle"));
});

Deno.test("A poller that is set while the loop waits is told so; one that was taken away is not asked", async () => {
  const loop = new EventLoop();
  const first = new ScriptedPoller(loop);
  loop[inside.setPoller](null);
  let second: ScriptedPoller | null = null;
  const done = loop.createFuture<void>();
  setTimeout(() => {
    assert(loop[inside.isWaiting]);
    second = new ScriptedPoller(loop);
    done.setResult();
  });
  await loop.runUntilComplete(done);
  loop.close();
  assertEquals(first.log, []);
  assertEquals((second as ScriptedPoller | null)?.log, ["idle", "rest"]);
});

Deno.test("A loop that is closed releases what was opened last first", () => {
  const loop = new EventLoop();
  const log: string[] = [];
  for (const name of ["selector", "channel", "secured"]) {
    openResources(loop).add({ [inside.release]: () => void log.push(name) });
  }
  releaseOpenResources(loop);
  loop.close();
  assertEquals(log, ["secured", "channel", "selector"]);
});
