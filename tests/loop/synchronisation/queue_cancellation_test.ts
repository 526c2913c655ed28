// Queues under a cancellation at every point.
import { assert, assertEquals } from "@std/assert";
import {
  type Coroutine,
  createTask,
  PriorityQueue,
  Queue,
  sleep,
  type Task,
} from "../../../loop/mod.ts";
import { type Scenario, settle, testEveryPoint } from "../_cancellation_points.ts";

function* take<T>(queue: Queue<T>, taken: T[], count: number): Coroutine<void> {
  for (; count > 0; count -= 1) taken.push(yield* queue.get());
}

async function takeAsync<T>(queue: Queue<T>, taken: T[], count: number): Promise<void> {
  for (; count > 0; count -= 1) taken.push(await queue.get());
}

function* give(queue: Queue<string>, given: string[], name: string): Coroutine<void> {
  for (let count = 0; count < 3; count += 1) {
    yield* queue.put(`${name}${count}`);
    given.push(`${name}${count}`);
  }
}

async function giveAsync(queue: Queue<string>, given: string[], name: string): Promise<void> {
  for (let count = 0; count < 3; count += 1) {
    await queue.put(`${name}${count}`);
    given.push(`${name}${count}`);
  }
}

/** Two that take and two that give, at a queue that is too small for them. */
function exchange(name: string, create: () => Queue<string>): Scenario {
  return {
    name,
    victims: 4,
    start(kind) {
      const queue = create();
      const [taken, given]: [string[], string[]] = [[], []];
      const [taking, giving] = kind === "coroutine" ? [take, give] : [takeAsync, giveAsync];
      const tasks: Task<unknown>[] = [
        createTask(() => taking(queue, taken, 3)),
        createTask(() => giving(queue, given, "a")),
        createTask(() => taking(queue, taken, 3)),
        createTask(() => giving(queue, given, "b")),
      ];
      return {
        tasks,
        *check() {
          assertNobodyWaitsInVain(queue, [0, 2].map(taskAt(tasks)), [1, 3].map(taskAt(tasks)));
          // Who is left alone goes on when partners come.
          while (tasks.some((task) => !task.done())) {
            const before = [queue.size, taken.length, given.length].join();
            if (!queue.empty()) taken.push(queue.getNowait());
            else {
              queue.putNowait("more");
              given.push("more");
            }
            yield* sleep(0);
            yield* sleep(0);
            assert(before !== [queue.size, taken.length, given.length].join(), "nothing moves");
            assert(given.length < 50, "a getter hangs");
          }
          while (!queue.empty()) taken.push(queue.getNowait());
          assertEquals(taken.toSorted(), given.toSorted());
        },
      };
    },
  };
}

/** Checks that no wake-up is lost: who waits to get finds no item, who waits to put no room. */
function assertNobodyWaitsInVain(
  queue: Queue<string>,
  getters: Task<unknown>[],
  putters: Task<unknown>[],
): void {
  const waits = (task: Task<unknown>) => !task.done();
  assert(queue.empty() || !getters.some(waits), "an item is there, and a getter was not woken");
  assert(queue.full() || !putters.some(waits), "there is room, and a putter was not woken");
}

function taskAt(tasks: Task<unknown>[]): (index: number) => Task<unknown> {
  return (index) => tasks[index] as Task<unknown>;
}

/** Three that wait for an item each, of which two come. */
const getters: Scenario = {
  name: "Queue wakes another getter",
  victims: 3,
  start(kind) {
    const queue = new Queue<string>();
    const taken: string[] = [];
    const taking = kind === "coroutine" ? take : takeAsync;
    const tasks = [0, 1, 2].map(() => createTask(() => taking(queue, taken, 1)));
    const giver = createTask(function* () {
      for (const item of ["a", "b"]) {
        yield* sleep(0);
        yield* sleep(0);
        queue.putNowait(item);
      }
    });
    return {
      tasks: [...tasks, giver],
      *check() {
        assertNobodyWaitsInVain(queue, tasks, []);
        assertEquals(taken.length + queue.size, 2);
        queue.shutdown();
        yield* settle();
      },
    };
  },
};

/** Three that wait for room for an item each; one is taken, then another. */
const putters: Scenario = {
  name: "Queue wakes another putter",
  victims: 3,
  start(kind) {
    const queue = new Queue<string>({ maxSize: 1 });
    queue.putNowait("first");
    const given: string[] = [];
    const tasks = ["a", "b", "c"].map((item) =>
      createTask(
        kind === "coroutine"
          ? function* () {
            yield* queue.put(item);
            given.push(item);
          }
          : async () => {
            await queue.put(item);
            given.push(item);
          },
      )
    );
    const taken: string[] = [];
    const taker = createTask(function* () {
      for (let count = 0; count < 2; count += 1) {
        yield* sleep(0);
        yield* sleep(0);
        if (!queue.empty()) taken.push(queue.getNowait());
      }
    });
    return {
      tasks: [...tasks, taker],
      *check() {
        assertNobodyWaitsInVain(queue, [], tasks);
        while (!queue.empty()) {
          taken.push(queue.getNowait());
          yield* settle();
        }
        assertEquals(taken.toSorted(), [...given, "first"].toSorted());
      },
    };
  },
};

testEveryPoint(exchange("Queue loses no item", () => new Queue({ maxSize: 1 })));
testEveryPoint(exchange("PriorityQueue loses no item", () => new PriorityQueue({ maxSize: 2 })));
testEveryPoint(getters);
testEveryPoint(putters);
