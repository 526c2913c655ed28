// A cancellation goes along tasks that wait for tasks in a walk: their number does not matter.
import { assert, assertEquals } from "@std/assert";
import {
  type Coroutine,
  createTask,
  gather,
  shield,
  sleep,
  type Task,
  taskGroup,
  timeout,
  waitFor,
} from "../../../loop/mod.ts";
import { type Kind, KINDS } from "../_outcome.ts";
import { runVirtual } from "../_test_loop.ts";

/** How many tasks wait for each other: more than a stack has calls, which are about 8,000. */
const DEPTH = 12_000;
/** The same where nothing stands between the tasks. */
const MOST = 50_000;

/** What a task of the chain does with the task before it. */
const WAITS: Readonly<Record<string, (before: Task<unknown>) => PromiseLike<unknown>>> = {
  "task": (before) => before,
  "timeout() of a coroutine": (before) =>
    timeout(9, function* (): Coroutine<void> {
      yield* before;
    }),
  "timeout() of an async function": (before) =>
    timeout(9, async () => {
      await before;
    }),
  "waitFor()": (before) => waitFor(before, 9),
  "gather()": (before) => gather([before]),
  "gather() twice": (before) => gather([gather([before]), sleep(9)]),
  "taskGroup()": (before) =>
    taskGroup(async () => {
      await before;
    }),
  "shield()": (before) => shield(before),
};

function start(kind: Kind, wait: () => PromiseLike<unknown>): Task<unknown> {
  if (kind === "async function") return createTask(async () => void await wait());
  return createTask(function* (): Coroutine<void> {
    yield* wait() as unknown as Coroutine<void>;
  });
}

for (const kind of KINDS) {
  for (const [name, wait] of Object.entries(WAITS)) {
    const depth = name === "task" ? MOST : DEPTH;
    Deno.test(`cancel() of ${depth} ${kind}s that wait through ${name} ends all of them`, async () => {
      await runVirtual(function* () {
        const tasks: Task<unknown>[] = [createTask(() => sleep(5))];
        for (let count = 0; count < depth; count += 1) {
          const before = tasks.at(-1) as Task<unknown>;
          tasks.push(start(kind, () => wait(before)));
        }
        yield* sleep(1);
        const last = tasks.at(-1) as Task<unknown>;

        assertEquals(last.cancel("all", { cause: "deep" }), true);
        // A shield keeps it from the rest, which ends by itself.
        yield* sleep(name === "shield()" ? 5 : 1);

        const ended = tasks.filter((task) =>
          task.done() && (name === "shield()" || task.cancelled())
        );
        assertEquals(ended.length, tasks.length);
        assert(last.cancelled());
        for (const task of tasks) if (!task.cancelled()) task.exception();
      });
    });
  }
}

Deno.test("cancel() goes once through each wait, where tasks share what they wait for at each level", async () => {
  for (const wait of [Promise.all.bind(Promise), gather] as typeof gather[]) {
    await runVirtual(async () => {
      let ended = 0;
      const start = (body: () => PromiseLike<unknown>) =>
        createTask(async () => {
          try {
            await body();
          } finally {
            ended += 1;
          }
        });
      let level = [start(() => sleep(90)), start(() => sleep(90))];
      for (let depth = 0; depth < 30; depth += 1) {
        const below = level;
        level = [start(() => wait(below)), start(() => wait(below))];
      }
      const top = start(() => wait(level));
      await sleep(1);
      top.cancel();
      await top.catch(() => {});
      await sleep(1);
      assertEquals([top.cancelled(), ended], [true, 63]);
    });
  }
});

Deno.test("cancel() counts once for each way to a task that several wait for, as asyncio's", async () => {
  for (const kind of KINDS) {
    await runVirtual(function* (loop) {
      const begin = (of: Task<unknown>[]) =>
        loop.createTask(
          kind === "coroutine"
            ? function* (): Coroutine<unknown> {
              return yield* gather(of, { returnExceptions: true });
            }
            : async () => await gather(of, { returnExceptions: true }),
        );
      const tasks: Task<unknown>[] = [loop.createTask(() => sleep(90))];
      for (let level = 0; level < 4; level += 1) {
        const [last] = tasks.slice(-1) as [Task<unknown>];
        tasks.push(begin([last, begin([last])]));
      }
      yield* sleep(1);
      tasks.at(-1)?.cancel();
      yield* sleep(1);
      assertEquals(tasks.map((task) => task.cancelling()), [16, 8, 4, 2, 1]);
    });
  }
});

/** Blocks of one function, each in the body of the one before. */
const BLOCKS: Readonly<Record<string, (body: () => Promise<void>) => PromiseLike<void>>> = {
  "timeout()": (body) => timeout(9, body),
  "taskGroup()": (body) => taskGroup(body),
};
/** How many: what looks through scopes makes calls of the smallest kind. */
const BLOCKS_DEEP = 20_000;

for (const [name, block] of Object.entries(BLOCKS)) {
  Deno.test(`cancel() of an async function in ${BLOCKS_DEEP} nested blocks of ${name} ends it`, async () => {
    await runVirtual(function* () {
      const nest = async (depth: number): Promise<void> => {
        if (depth === 0) await sleep(5);
        else await block(() => nest(depth - 1));
      };
      const task = createTask(() => nest(BLOCKS_DEEP));
      // While the blocks begin: what is due goes on from each to the next.
      yield* sleep(0);
      yield* sleep(0);
      task.cancel();
      yield* sleep(1);
      assert(task.cancelled());
    });
  });
}
