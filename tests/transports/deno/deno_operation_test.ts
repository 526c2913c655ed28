import { assertEquals, assertInstanceOf } from "@std/assert";
import { CancelledError, type Coroutine, DenoEventLoop } from "../../../mod.ts";
import { DenoOperation } from "../../../transports/deno/_deno_operation.ts";
import { passIterations } from "../_backend.ts";

/** Runs `main` with a loop that is closed at the end. */
async function runOn(main: (loop: DenoEventLoop) => Coroutine<void>): Promise<void> {
  const loop = new DenoEventLoop();
  try {
    await loop.runUntilComplete(main(loop));
  } finally {
    loop.close();
  }
}

/** Lets immediates of the host run, which end an operation that was given up. */
function* passHostTurn(loop: DenoEventLoop): Coroutine<void> {
  const turn = loop.createFuture<void>();
  setTimeout(() => turn.setResult(), 0);
  yield* turn;
}

Deno.test("DenoOperation gives what the host gives", () =>
  runOn(function* (loop) {
    const discarded: string[] = [];
    const discard = (value: string) => void discarded.push(value);
    assertEquals(yield* new DenoOperation(loop, () => Promise.resolve("late"), discard), "late");
    assertEquals(yield* new DenoOperation(loop, () => "soon", discard), "soon");
    const failure = new Error("failure");
    const failing = new DenoOperation(loop, () => Promise.reject(failure), discard);
    let caught: unknown;
    try {
      yield* failing;
    } catch (error) {
      caught = error;
    }
    assertEquals(caught, failure);
    assertEquals(discarded, []);
  }));

Deno.test("DenoOperation discards what comes after it was cancelled, and aborts the signal", () =>
  runOn(function* (loop) {
    const discarded: string[] = [];
    const work = Promise.withResolvers<string>();
    let given: AbortSignal | null = null;
    const operation = new DenoOperation(loop, (signal) => {
      given = signal;
      return work.promise;
    }, (value) => void discarded.push(value));

    operation.cancel();
    yield* passIterations(2);
    assertInstanceOf(cancellationOf(operation), CancelledError);
    yield* passHostTurn(loop);
    assertEquals((given as AbortSignal | null)?.aborted, true);
    work.resolve("unwanted");
    yield* passIterations(2);

    assertEquals(discarded, ["unwanted"]);
  }));

Deno.test("DenoOperation discards what had come when it is cancelled before its turn", () =>
  runOn(function* (loop) {
    const discarded: string[] = [];
    const operation = new DenoOperation(loop, () => "there", (value) => void discarded.push(value));
    // One microtask after the arrival, and before the loop takes its turn.
    Promise.resolve().then(() => operation.cancel());
    yield* passIterations(3);

    assertEquals(operation.cancelled(), true);
    assertEquals(discarded, ["there"]);
  }));

Deno.test("DenoOperation that is open when its loop closes is given up", async () => {
  const discarded: string[] = [];
  const work = Promise.withResolvers<string>();
  const loop = new DenoEventLoop();
  await loop.runUntilComplete(() => {
    new DenoOperation(loop, () => work.promise, (value) => void discarded.push(value));
  });
  loop.close();
  work.resolve("too late");
  await work.promise;
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(discarded, ["too late"]);
});

/** Returns the error of an operation that was cancelled. */
function cancellationOf<T>(operation: DenoOperation<T>): unknown {
  try {
    return operation.result();
  } catch (error) {
    return error;
  }
}
