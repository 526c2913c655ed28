// Locks and semaphores under a cancellation at every point.
import { assert, assertEquals } from "@std/assert";
import { type Coroutine, createTask, Lock, Semaphore, sleep, timeout } from "../../../loop/mod.ts";
import { type Scenario, testEveryPoint } from "../_cancellation_points.ts";

/** Takes `lock` or a permit `times` times, and counts who is inside. */
interface Inside {
  now: number;
  most: number;
  visits: number;
}

function* visit(lock: Lock | Semaphore, inside: Inside): Coroutine<void> {
  for (let times = 0; times < 2; times += 1) {
    using _held = yield* lock.acquire();
    enter(inside);
    try {
      yield* sleep(0);
    } finally {
      inside.now -= 1;
    }
  }
}

async function visitAsync(lock: Lock | Semaphore, inside: Inside): Promise<void> {
  for (let times = 0; times < 2; times += 1) {
    using _held = await lock.acquire();
    enter(inside);
    try {
      await sleep(0);
    } finally {
      inside.now -= 1;
    }
  }
}

function enter(inside: Inside): void {
  inside.visits += 1;
  inside.now += 1;
  inside.most = Math.max(inside.most, inside.now);
}

/** Several tasks that visit what `create` makes, `capacity` at a time. */
function visitors(
  name: string,
  capacity: number,
  create: () => Lock | Semaphore,
  free: (lock: Lock | Semaphore) => boolean,
): Scenario {
  return {
    name,
    victims: 3,
    start(kind) {
      const lock = create();
      const inside = { now: 0, most: 0, visits: 0 };
      const body = kind === "coroutine" ? visit : visitAsync;
      const tasks = Array.from({ length: 4 }, () => createTask(() => body(lock, inside)));
      return {
        tasks,
        *check() {
          assert(inside.most <= capacity, "too many were inside");
          assertEquals(inside.now, 0);
          assert(free(lock), "a permit is lost");
          // Who comes now gets through at once.
          for (let count = 0; count < capacity; count += 1) {
            const acquiring = lock.acquire();
            assert(acquiring.done(), "a newcomer waits");
          }
          yield* sleep(0);
        },
      };
    },
  };
}

/** Two that wait for a lock inside a deadline that passes while they wait. */
const lockWithDeadline: Scenario = {
  name: "Lock under a deadline is passed on",
  victims: 3,
  start(kind) {
    const lock = new Lock();
    const inside = { now: 0, most: 0, visits: 0 };
    const body = kind === "coroutine" ? visit : visitAsync;
    const limited = () => timeout(0, () => body(lock, inside));
    const tasks = [0, 1, 2, 3].map((index) =>
      createTask(
        index % 2 === 0 ? () => body(lock, inside) : async () => {
          await limited().catch(() => {});
        },
      )
    );
    return {
      tasks,
      *check() {
        assertEquals([inside.now, inside.most, lock.locked()], [0, 1, false]);
        yield* sleep(0);
      },
    };
  },
};

testEveryPoint(
  visitors("Lock is never lost", 1, () => new Lock(), (lock) => !lock.locked()),
);
testEveryPoint(visitors(
  "Semaphore loses no permit",
  2,
  () => new Semaphore(2),
  (semaphore) => (semaphore as Semaphore).value === 2,
));
testEveryPoint(lockWithDeadline);
