// A cancellation from outside that meets one of a timeout's or a group's own: neither is lost.
import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  createTask,
  currentTask,
  sleep,
  type Task,
  type TaskGroup,
  taskGroup,
  timeout,
  timeoutAt,
  TimeoutError,
  waitFor,
} from "../../../loop/mod.ts";
import { type Kind, KINDS } from "../_outcome.ts";
import { runVirtual } from "../_test_loop.ts";

type Wait = () => PromiseLike<unknown>;

/** A function of `kind` that awaits what each of `waits` gives, one after the other. */
function bodyOf(kind: Kind, ...waits: Wait[]): () => Promise<unknown> {
  if (kind === "async function") {
    return async () => {
      for (const wait of waits) await wait();
    };
  }
  return function* (): Coroutine<void> {
    for (const wait of waits) yield* wait() as unknown as Coroutine<void>;
  } as unknown as () => Promise<unknown>;
}

function* outcomeOf(task: Task<unknown>): Coroutine<unknown> {
  try {
    yield* task;
  } catch (error) {
    return error;
  }
  return "no error";
}

/** Takes 2 seconds to clean up. */
function* slowToStop(): Coroutine<void> {
  try {
    yield* sleep(90);
  } finally {
    yield* sleep(2);
  }
}

for (const kind of KINDS) {
  const groupOf =
    (...waits: ((group: TaskGroup) => PromiseLike<unknown> | void)[]) => (): PromiseLike<unknown> =>
      kind === "async function"
        ? taskGroup(async (group) => {
          for (const wait of waits) await wait(group);
        })
        : taskGroup(function* (group): Coroutine<void> {
          for (const wait of waits) {
            const future = wait(group);
            if (future !== undefined) yield* future as unknown as Coroutine<void>;
          }
        });

  /** The group is cancelled at 0.5, in its body or as that ends, and ends at 2.5. */
  const CANCELLED_GROUPS: Readonly<Record<string, Wait>> = {
    "at the end of its body": groupOf(
      (group) => void group.createTask(slowToStop),
      () => sleep(0.5),
      (group) => group.cancel(),
    ),
    "in its body": groupOf(
      (group) => void group.createTask(slowToStop),
      () => sleep(0.5),
      (group) => group.cancel(),
      () => sleep(50),
    ),
    "by a child": groupOf(
      (group) => void group.createTask(slowToStop),
      (group) =>
        void group.createTask(function* () {
          yield* sleep(0.5);
          group.cancel();
        }),
      () => sleep(50),
    ),
  };

  for (const [name, group] of Object.entries(CANCELLED_GROUPS)) {
    for (const times of [1, 2]) {
      Deno.test(`TaskGroup.cancel() (${kind}) ${name} loses no cancellation from outside, asked for ${times} times`, async () => {
        await runVirtual(function* (loop) {
          const task = createTask(bodyOf(kind, group, () => sleep(50)));
          yield* sleep(1);
          for (let time = 0; time < times; time += 1) {
            task.cancel("outside");
            yield* sleep(0.1);
          }
          const error = yield* outcomeOf(task);
          assertInstanceOf(error, CancelledError);
          assertEquals([error.message, loop.time(), task.cancelling()], ["outside", 2.5, times]);
        });
      });
    }

    for (const [limitName, limit] of [["timeout()", timeout], ["waitFor()", undefined]] as const) {
      Deno.test(`TaskGroup.cancel() (${kind}) ${name} loses no deadline of ${limitName}`, async () => {
        await runVirtual(function* (loop) {
          const body = bodyOf(kind, group, () => sleep(50));
          const limited = () => limit === undefined ? waitFor(body, 1) : limit(1, body);
          const error = yield* outcomeOf(createTask(limited));
          assertInstanceOf(error, TimeoutError);
          assertEquals(loop.time(), 2.5);
        });
      });
    }

    Deno.test(`TaskGroup.cancel() (${kind}) ${name} loses no failure of an outer group`, async () => {
      await runVirtual(function* (loop) {
        const outer = createTask(groupOf(
          (tasks) =>
            void tasks.createTask(function* () {
              yield* sleep(1);
              throw new Error("planted");
            }),
          group,
          () => sleep(50),
        ));
        assertInstanceOf(yield* outcomeOf(outer), AggregateError);
        assertEquals(loop.time(), 2.5);
      });
    });

    Deno.test(`TaskGroup.cancel() (${kind}) ${name} is quiet, and leaves nothing behind`, async () => {
      await runVirtual(function* (loop) {
        const task = createTask(bodyOf(kind, group, () => sleep(0), () => sleep(0.5)));
        assertEquals(yield* outcomeOf(task), "no error");
        assertEquals([loop.time(), task.cancelling()], [3, 0]);
      });
    });
  }

  for (const first of ["group.cancel()", "a failure"]) {
    Deno.test(`An eager child of a group (${kind}) that ends it by ${first} is cancelled, and so are others`, async () => {
      await runVirtual(function* (loop) {
        const seen: string[] = [];
        const child = (name: string, begin: () => void) =>
          async function (): Promise<void> {
            begin();
            try {
              await sleep(50);
            } catch (error) {
              seen.push(`${name} ${(error as Error).name}`);
              throw error;
            }
          };
        const task = createTask(groupOf((group) => {
          group.createTask(child("other", () => {}), { eager: true });
          const end = first === "group.cancel()" ? () => group.cancel() : () => {
            group.createTask(() => {
              throw new Error("planted");
            }, { eager: true });
          };
          group.createTask(child("eager", end), { eager: true });
        }));
        const error = yield* outcomeOf(task);
        if (first === "group.cancel()") assertEquals(error, "no error");
        else assertInstanceOf(error, AggregateError);
        assertEquals([seen.sort(), loop.time()], [
          ["eager CancelledError", "other CancelledError"],
          0,
        ]);
      });
    });
  }

  const EXPIRED: Readonly<Record<string, (body: Wait) => PromiseLike<unknown>>> = {
    "timeout(0)": (body) => timeout(0, bodyOf(kind, body)),
    "timeout(-1)": (body) => timeout(-1, bodyOf(kind, body)),
    "timeoutAt() of the past": (body) => timeoutAt(-5, bodyOf(kind, body)),
    "timeout(0) in timeout(0)": (body) =>
      timeout(0, bodyOf(kind, () => timeout(0, bodyOf(kind, body)))),
    "a group that is cancelled at once": (body) => groupOf((group) => group.cancel(), body)(),
    "a group whose eager child fails": (body) =>
      groupOf((group) =>
        void group.createTask(() => {
          throw new Error("planted");
        }, { eager: true }), body)(),
  };
  for (const [name, start] of Object.entries(EXPIRED)) {
    Deno.test(`${name} (${kind}) does not take a cancellation that was due before`, async () => {
      await runVirtual(function* () {
        const task = createTask(bodyOf(kind, () => {
          currentTask()?.cancel("outside");
          return start(() => sleep(50));
        }, () => sleep(50)));
        const error = yield* outcomeOf(task);
        if (error instanceof AggregateError) return; // it hides the cancellation, which comes next
        assertInstanceOf(error, CancelledError);
        assertEquals([error.message, task.cancelled()], ["outside", true]);
      });
    });
  }
}
