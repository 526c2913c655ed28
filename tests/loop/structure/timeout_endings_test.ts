// How a timeout of two seconds ends, for each way that its body can end and each time of a
// cancellation from outside. Measured on CPython 3.13, with equal deadlines in order of creation.
import { assertEquals } from "@std/assert";
import { createTask, type Future, sleep, type Timeout, timeout } from "../../../loop/mod.ts";
import { bodyOf, reportOn } from "../_endings.ts";
import { type Kind, KINDS, type Part } from "../_outcome.ts";
import { runVirtual } from "../_test_loop.ts";

/** A part, and whether it takes another second to clean up. */
type Ending = Part & { cleansUp?: boolean };

const BODIES: Readonly<Record<string, Ending>> = {
  "returns in time": { at: 1, does: "returns", whenCancelled: "ends" },
  "throws in time": { at: 1, does: "throws", whenCancelled: "ends" },
  "waits": { at: 9, does: "returns", whenCancelled: "ends" },
  "swallows": { at: 9, does: "returns", whenCancelled: "swallows" },
  "throws when cancelled": { at: 9, does: "returns", whenCancelled: "throws" },
};

/** When the task is cancelled from outside. */
const CANCELS: Readonly<Record<string, { at: number; first?: boolean }>> = {
  "never": { at: Infinity },
  "before the deadline": { at: 1.5 },
  "at the deadline, first": { at: 2, first: true },
  "at the deadline, second": { at: 2 },
  "after the deadline": { at: 2.5 },
};

/**
 * For each body, in the order of the cancellations: what the timeout gives, the count of
 * cancellations left, whether it expired, and when.
 */
const OUTCOMES: Readonly<Record<string, readonly string[]>> = {
  "returns in time": [
    "body 0 1",
    "body 0 1",
    "body 0 1",
    "body 0 1",
    "body 0 1",
  ],
  "throws in time": [
    "body 0 1",
    "body 0 1",
    "body 0 1",
    "body 0 1",
    "body 0 1",
  ],
  "waits": [
    "timeout 0 expired 2",
    "cancelled 1 1.5",
    "cancelled 1 expired 2",
    "cancelled 1 expired 2",
    "timeout 0 expired 2",
  ],
  "swallows": [
    "body 0 expired 2",
    "body 1 1.5",
    "body 1 expired 2",
    "body 1 expired 2",
    "body 0 expired 2",
  ],
  "throws when cancelled": [
    "body 0 expired 2",
    "body 1 1.5",
    "body 1 expired 2",
    "body 1 expired 2",
    "body 0 expired 2",
  ],
  "returns in time and cleans up": [
    "timeout 0 expired 2",
    "cancelled 1 1.5",
    "cancelled 1 expired 2",
    "cancelled 1 expired 2",
    "timeout 0 expired 2",
  ],
  "throws in time and cleans up": [
    "timeout 0 expired 2",
    "cancelled 1 1.5",
    "cancelled 1 expired 2",
    "cancelled 1 expired 2",
    "timeout 0 expired 2",
  ],
  "waits and cleans up": [
    "timeout 0 expired 3",
    "cancelled 1 expired 2",
    "cancelled 1 expired 3",
    "cancelled 1 expired 3",
    "cancelled 1 expired 2.5",
  ],
  "swallows and cleans up": [
    "body 0 expired 3",
    "cancelled 1 expired 2",
    "body 1 expired 3",
    "body 1 expired 3",
    "cancelled 1 expired 2.5",
  ],
  "throws when cancelled and cleans up": [
    "body 0 expired 3",
    "cancelled 1 expired 2",
    "body 1 expired 3",
    "body 1 expired 3",
    "cancelled 1 expired 2.5",
  ],
};

for (const kind of KINDS) {
  for (const [bodyName, body] of Object.entries(BODIES)) {
    for (const cleansUp of [false, true]) {
      const name = cleansUp ? `${bodyName} and cleans up` : bodyName;
      for (const [index, [when, cancel]] of Object.entries(CANCELS).entries()) {
        Deno.test(`timeout() of ${kind}s: body ${name}, cancelled ${when}`, async () => {
          const outcome = await outcomeOf(kind, { ...body, cleansUp }, cancel);
          assertEquals(outcome, OUTCOMES[name]?.[index]);
        });
      }
    }
  }
}

/** Runs a timeout and describes how it ended. */
function outcomeOf(
  kind: Kind,
  body: Ending,
  cancel: { at: number; first?: boolean },
): Promise<string> {
  return runVirtual(function* (loop) {
    let limit: Timeout | undefined;
    const region = (): Future<string> =>
      timeout(2, (scope) => {
        limit = scope;
        return body.cleansUp ? cleaningUp(kind, body)() : bodyOf(kind, "body", body)();
      });
    const task = createTask(reportOn(kind, region));
    if (cancel.first) loop.callAt(cancel.at, () => task.cancel());
    yield* sleep(0);
    if (!cancel.first) loop.callAt(cancel.at, () => task.cancel());

    const report = yield* task;

    return `${report}${limit?.expired() ? " expired" : ""} ${loop.time()}`;
  });
}

/** A body that takes a second more to clean up, however it ends. */
function cleaningUp(kind: Kind, part: Part) {
  if (kind === "coroutine") {
    const body = bodyOf("coroutine", "body", part);
    return function* () {
      try {
        return yield* body() as Generator<unknown, string>;
      } finally {
        yield* sleep(1);
      }
    };
  }
  const body = bodyOf("async function", "body", part);
  return async () => {
    try {
      return await (body() as Promise<string>);
    } finally {
      await sleep(1);
    }
  };
}
