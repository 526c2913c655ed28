import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CancelledError,
  createCallbackPort,
  EventLoop,
  getRunningLoop,
  InvalidStateError,
  run,
  runCoroutineThreadsafe,
  sleep,
} from "../../mod.ts";

/** Runs `body` on one loop while `other` runs too. */
async function withOther(body: (other: EventLoop) => Promise<void>): Promise<void> {
  const other = new EventLoop();
  const running = other.runForever();
  await run(() => body(other));
  other.stop();
  await running;
  other.close();
}

Deno.test("runCoroutineThreadsafe() runs on the other loop and answers on this one", () =>
  withOther(async (other) => {
    const future = runCoroutineThreadsafe(function* () {
      yield* sleep(0);
      return getRunningLoop() === other;
    }, other);
    assert(future.getLoop() === getRunningLoop());
    assertEquals(await future, true);
  }));

Deno.test("runCoroutineThreadsafe() passes on errors", () =>
  withOther(async (other) => {
    const future = runCoroutineThreadsafe(() => Promise.reject(new RangeError("no")), other);
    await assertRejects(async () => await future, RangeError, "no");
    const wrong = runCoroutineThreadsafe(5 as never, other);
    await assertRejects(async () => await wrong, TypeError);
  }));

Deno.test("Cancelling the result of runCoroutineThreadsafe() cancels the task", () =>
  withOther(async (other) => {
    const here = getRunningLoop();
    const started = here.createFuture<void>();
    const ended = here.createFuture<string>();
    const future = runCoroutineThreadsafe(function* () {
      here.callSoonThreadsafe(() => started.setResult());
      try {
        yield* sleep(Infinity);
      } catch (error) {
        here.callSoonThreadsafe(() => ended.setResult(String(error)));
        throw error;
      }
    }, other);
    await started;
    future.cancel("enough");
    await assertRejects(async () => await future, CancelledError, "enough");
    assertEquals(await ended, "CancelledError: enough");
  }));

Deno.test("runCoroutineThreadsafe() and createCallbackPort() refuse a closed loop", () => {
  const loop = new EventLoop();
  loop.close();
  assertThrows(() => runCoroutineThreadsafe(() => 1, loop), InvalidStateError, "is closed");
  assertThrows(() => createCallbackPort(() => {}, { loop }), InvalidStateError, "is closed");
});
