// Tasks that wait for themselves, or for each other in a circle: refused where the task is awaited
// itself, and ended by a cancellation everywhere, whatever they wait through.
import { assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import {
  CancelledError,
  Condition,
  type Coroutine,
  createTask,
  currentTask,
  EventLoop,
  gather,
  InvalidStateError,
  shield,
  sleep,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
  waitFor,
} from "../../../loop/mod.ts";
import { startOperation } from "../../../loop/tasks/start_operation.ts";
import { type Kind, KINDS } from "../_outcome.ts";
import { runVirtual } from "../_test_loop.ts";

type Wait = (task: () => Task<unknown>) => PromiseLike<unknown>;

/** A group whose child is cancelled ends well. */
const CHILD = "a child of taskGroup()";

/** How a task waits for another. */
const HOSTS: Readonly<Record<string, Wait>> = {
  "a task": (task) => task(),
  "an operation": (task) =>
    startOperation(
      task().getLoop(),
      function* (): Coroutine<void> {
        yield* task();
      }(),
    ),
  "timeout() of a coroutine": (task) =>
    timeout(50, function* (): Coroutine<void> {
      yield* task();
    }),
  "timeout() of an async function": (task) => timeout(50, async () => void await task()),
  "waitFor()": (task) => waitFor(task(), 50),
  "taskGroup() of a coroutine": (task) =>
    taskGroup(function* (): Coroutine<void> {
      yield* task();
    }),
  "taskGroup() of an async function": (task) => taskGroup(async () => void await task()),
  [CHILD]: (task) => {
    const awaited = task();
    return taskGroup((group) => void group.createTask(async () => void await awaited));
  },
  "a child of start() in taskGroup()": (task) => {
    const awaited = task();
    return taskGroup(function* (group): Coroutine<void> {
      yield* group.start(function* (): Coroutine<void> {
        yield* awaited;
      });
    });
  },
  "gather()": (task) => gather([task(), sleep(3)]),
  "gather() of gather()": (task) => gather([gather([task()])]),
  "shield()": (task) => shield(task()),
};

/** What only wraps the task, so that nobody awaits it itself. */
const WRAPS = new Set([
  CHILD,
  "a child of start() in taskGroup()",
  "gather()",
  "gather() of gather()",
  "shield()",
]);

function start(kind: Kind, wait: () => PromiseLike<unknown>): Task<unknown> {
  if (kind === "async function") {
    return createTask(async () => {
      await sleep(0);
      await wait();
    });
  }
  return createTask(function* (): Coroutine<void> {
    yield* sleep(0);
    yield* wait() as unknown as Coroutine<void>;
  });
}

function errorIn(task: Task<unknown>): unknown {
  const error = task.cancelled() ? new CancelledError() : task.exception();
  return error instanceof AggregateError ? error.errors[0] : error;
}

for (const kind of KINDS) {
  for (const [name, wait] of Object.entries(HOSTS)) {
    if (!WRAPS.has(name)) {
      Deno.test(`a task (${kind}) that awaits itself in ${name} gets one and the same error at once`, async () => {
        await runVirtual(function* (loop) {
          const task = start(kind, () => wait(() => currentTask() as Task<unknown>));
          task.setName("self");
          yield* sleep(0.5);
          const error = errorIn(task);
          assertInstanceOf(error, InvalidStateError);
          assertEquals(error.message, 'Cannot wait in task "self": it awaits itself');
          assertEquals(loop.time(), 0.5);
        });
      });
    }
    for (const size of [1, 2, 3]) {
      if (size === 1 && !WRAPS.has(name)) continue;
      for (const victim of [0, size - 1]) {
        Deno.test(`cancel() of task ${victim} in a circle of ${size} ${kind}s through ${name} ends all of them cancelled`, async () => {
          await runVirtual(function* (loop) {
            const tasks: Task<unknown>[] = [];
            for (let index = 0; index < size; index += 1) {
              tasks.push(start(kind, () => wait(() => tasks[(index + 1) % size] as Task<unknown>)));
            }
            yield* sleep(1);
            assertEquals(tasks.map((task) => task.done()), tasks.map(() => false));

            tasks[victim]?.cancel("stop");
            yield* sleep(0.5);

            assertEquals(tasks.map((task) => task.cancelled()), tasks.map(() => true));
            assertEquals(loop.time(), 1.5);
          });
        });
      }
    }
  }

  Deno.test(`timeout() ends a ${kind} that gathers its own task with its TimeoutError`, async () => {
    await runVirtual(function* (loop) {
      const itself = () => gather([currentTask() as Task<unknown>]);
      const task = start(kind, () => timeout(0.5, itself));
      yield* sleep(1);
      assertInstanceOf(errorIn(task), TimeoutError);
      assertEquals(loop.time(), 1);
    });
  });

  Deno.test(`a circle of ${kind}s through a condition's operation ends with a cancellation`, async () => {
    await runVirtual(function* () {
      const condition = new Condition();
      const tasks: Task<unknown>[] = [];
      const wait = (other: number) => async () => {
        using _held = await condition.acquire();
        await condition.waitFor(() => false);
        await tasks[other];
      };
      tasks.push(
        start(kind, () => waitFor(wait(1), 50)),
        start(kind, () => tasks[0] as Task<unknown>),
      );
      yield* sleep(1);
      tasks[1]?.cancel();
      yield* sleep(1);
      assertEquals(tasks.map((task) => task.cancelled()), [true, true]);
      assertEquals(condition.locked(), false);
    });
  });
}

for (const first of KINDS) {
  for (const second of KINDS) {
    Deno.test(`a circle of a ${first} and a ${second} ends with a cancellation of either, whatever each waits through`, async () => {
      const bad: string[] = [];
      for (const [there, wait] of Object.entries(HOSTS)) {
        for (const [back, waitBack] of Object.entries(HOSTS)) {
          for (const victim of [0, 1]) {
            await runVirtual(function* () {
              const tasks: Task<unknown>[] = [
                start(first, () => wait(() => tasks[1] as Task<unknown>)),
                start(second, () => waitBack(() => tasks[0] as Task<unknown>)),
              ];
              yield* sleep(1);
              tasks[victim]?.cancel("stop");
              yield* sleep(0.5);
              const ended = (task: Task<unknown>, how: string) =>
                task.cancelled() || (how === CHILD && task.done() && task.exception() === null);
              if (
                !ended(tasks[0] as Task<unknown>, there) || !ended(tasks[1] as Task<unknown>, back)
              ) {
                bad.push(`${there}, ${back}, ${victim}`);
              }
            });
          }
        }
      }
      assertEquals(bad, []);
    });
  }
}

Deno.test("a future of another loop is refused in the same words everywhere", async () => {
  await runVirtual(async (loop) => {
    const other = new EventLoop();
    const messages: string[] = [];
    for (const kind of KINDS) {
      const task = start(kind, () => other.createFuture());
      task.setName("home");
      await sleep(0.5);
      messages.push((task.exception() as Error).message);
    }
    const inOperation = startOperation(
      loop,
      function* (): Coroutine<void> {
        yield* other.createFuture<void>();
      }(),
    );
    messages.push(await inOperation.then(() => "no error", (error) => (error as Error).message));
    for (const message of messages) {
      assertMatch(message, /^Cannot wait in task ".*": the future belongs to another loop$/);
    }
    other.close();
  });
});
