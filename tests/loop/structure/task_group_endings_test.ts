// How a group ends, for each way that its body and a child can end. Measured on CPython 3.13.
import { assertEquals } from "@std/assert";
import { createTask, type Future, type Task, taskGroup } from "../../../loop/mod.ts";
import { bodyOf, reportOn } from "../_endings.ts";
import { type Kind, KINDS, type Part } from "../_outcome.ts";
import { runVirtual } from "../_test_loop.ts";

/** A part, and when its task is cancelled from outside. */
type Ending = Part & { cancelledAt?: number };

const BODIES: Readonly<Record<string, Ending>> = {
  "returns": { at: 1, does: "returns", whenCancelled: "ends" },
  "throws": { at: 1, does: "throws", whenCancelled: "ends" },
  "returns late": { at: 3, does: "returns", whenCancelled: "ends" },
  "throws late": { at: 3, does: "throws", whenCancelled: "ends" },
  "swallows": { at: 5, does: "returns", whenCancelled: "swallows" },
  "throws when cancelled": { at: 5, does: "returns", whenCancelled: "throws" },
  "is cancelled": { at: 9, does: "returns", whenCancelled: "ends", cancelledAt: 2.5 },
  "is cancelled at its end": { at: 1, does: "returns", whenCancelled: "ends", cancelledAt: 2.5 },
  "is cancelled and swallows": {
    at: 9,
    does: "returns",
    whenCancelled: "swallows",
    cancelledAt: 2.5,
  },
  "is cancelled and throws": { at: 9, does: "returns", whenCancelled: "throws", cancelledAt: 2.5 },
};

const CHILDREN: Readonly<Record<string, Ending>> = {
  "returns early": { at: 0.5, does: "returns", whenCancelled: "ends" },
  "throws early": { at: 0.5, does: "throws", whenCancelled: "ends" },
  "returns": { at: 2, does: "returns", whenCancelled: "ends" },
  "throws": { at: 2, does: "throws", whenCancelled: "ends" },
  "is cancelled": { at: 9, does: "returns", whenCancelled: "ends", cancelledAt: 2 },
  "returns late": { at: 4, does: "returns", whenCancelled: "ends" },
  "throws late": { at: 4, does: "throws", whenCancelled: "ends" },
  "swallows": { at: 4, does: "returns", whenCancelled: "swallows" },
  "throws when cancelled": { at: 4, does: "returns", whenCancelled: "throws" },
};

/**
 * For each body, in the order of the children: what the group gives (`[…]` is an AggregateError)
 * with the count of cancellations left, `!` if the next await throws; how the child ended; and when.
 */
const OUTCOMES: Readonly<Record<string, readonly string[]>> = {
  "returns": [
    "body 0 returns 1",
    "[child] 0 throws 0.5",
    "body 0 returns 2",
    "[child] 0 throws 2",
    "body 0 cancelled 2",
    "body 0 returns 4",
    "[child] 0 throws 4",
    "body 0 returns 4",
    "body 0 returns 4",
  ],
  "throws": [
    "[body] 0 returns 1",
    "[child] 0 throws 0.5",
    "[body] 0 cancelled 1",
    "[body] 0 cancelled 1",
    "[body] 0 cancelled 1",
    "[body] 0 cancelled 1",
    "[body] 0 cancelled 1",
    "[body] 0 returns 1",
    "[child body] 0 throws 1",
  ],
  "returns late": [
    "body 0 returns 3",
    "[child] 0 throws 0.5",
    "body 0 returns 3",
    "[child] 0 throws 2",
    "body 0 cancelled 3",
    "body 0 returns 4",
    "[child] 0 throws 4",
    "body 0 returns 4",
    "body 0 returns 4",
  ],
  "throws late": [
    "[body] 0 returns 3",
    "[child] 0 throws 0.5",
    "[body] 0 returns 3",
    "[child] 0 throws 2",
    "[body] 0 cancelled 3",
    "[body] 0 cancelled 3",
    "[body] 0 cancelled 3",
    "[body] 0 returns 3",
    "[child body] 0 throws 3",
  ],
  "swallows": [
    "body 0 returns 5",
    "[child] 0 throws 0.5",
    "body 0 returns 5",
    "[child] 0 throws 2",
    "body 0 cancelled 5",
    "body 0 returns 5",
    "[child] 0 throws 4",
    "body 0 returns 5",
    "body 0 returns 5",
  ],
  "throws when cancelled": [
    "body 0 returns 5",
    "[child body] 0 throws 0.5",
    "body 0 returns 5",
    "[child body] 0 throws 2",
    "body 0 cancelled 5",
    "body 0 returns 5",
    "[child body] 0 throws 4",
    "body 0 returns 5",
    "body 0 returns 5",
  ],
  "is cancelled": [
    "cancelled 1 returns 2.5",
    "[child] 0 throws 0.5",
    "cancelled 1 returns 2.5",
    "[child] 0 throws 2",
    "cancelled 1 cancelled 2.5",
    "cancelled 1 cancelled 2.5",
    "cancelled 1 cancelled 2.5",
    "cancelled 1 returns 2.5",
    "[child] 1! throws 2.5",
  ],
  "is cancelled at its end": [
    "body 0 returns 1",
    "[child] 0 throws 0.5",
    "body 0 returns 2",
    "[child] 0 throws 2",
    "body 0 cancelled 2",
    "cancelled 1 cancelled 2.5",
    "cancelled 1 cancelled 2.5",
    "cancelled 1 returns 2.5",
    "[child] 1! throws 2.5",
  ],
  "is cancelled and swallows": [
    "body 1 returns 2.5",
    "[child] 0 throws 0.5",
    "body 1 returns 2.5",
    "[child] 0 throws 2",
    "body 1 cancelled 2.5",
    "body 1 returns 4",
    "[child] 1! throws 4",
    "body 1 returns 4",
    "body 1 returns 4",
  ],
  "is cancelled and throws": [
    "[body] 1! returns 2.5",
    "[child body] 0 throws 0.5",
    "[body] 1! returns 2.5",
    "[child body] 0 throws 2",
    "[body] 1! cancelled 2.5",
    "[body] 1! cancelled 2.5",
    "[body] 1! cancelled 2.5",
    "[body] 1! returns 2.5",
    "[child body] 1! throws 2.5",
  ],
};

for (const kind of KINDS) {
  for (const [bodyName, body] of Object.entries(BODIES)) {
    for (const [index, [childName, child]] of Object.entries(CHILDREN).entries()) {
      Deno.test(`taskGroup() of ${kind}s: body ${bodyName}, child ${childName}`, async () => {
        assertEquals(await outcomeOf(kind, body, child), OUTCOMES[bodyName]?.[index]);
      });
    }
  }
}

/** Runs a group and describes how it ended. */
function outcomeOf(kind: Kind, body: Ending, child: Ending): Promise<string> {
  return runVirtual(function* (loop) {
    let started: Task<string> | undefined;
    const group = (): Future<string> =>
      taskGroup((group) => {
        started = group.createTask(bodyOf(kind, "child", child));
        if (child.cancelledAt !== undefined) loop.callLater(child.cancelledAt, cancel, started);
        return bodyOf(kind, "body", body)();
      });
    const task = createTask(reportOn(kind, group));
    if (body.cancelledAt !== undefined) loop.callLater(body.cancelledAt, cancel, task);

    const report = yield* task;

    return `${report} ${endingOf(started as Task<string>)} ${loop.time()}`;
  });
}

function cancel(task: Task<unknown>): void {
  task.cancel();
}

function endingOf(task: Task<unknown>): string {
  if (task.cancelled()) return "cancelled";
  return task.exception() === null ? "returns" : "throws";
}
