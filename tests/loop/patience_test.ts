// What was cut short and goes on is named once, after seconds in which nothing else says why.
import { assertEquals } from "@std/assert";
import {
  type Coroutine,
  createTask,
  type Future,
  sleep,
  taskGroup,
  timeout,
  waitFor,
} from "../../loop/mod.ts";
import { runVirtual } from "./_test_loop.ts";

/** Goes on for so many seconds, whatever it is asked. */
async function refuse(seconds: number): Promise<void> {
  for (let left = seconds; left > 0; left -= 0.7) {
    try {
      await sleep(0.7);
    } catch {
      // Goes on.
    }
  }
}

/** The same in a coroutine. */
function* refuseInCoroutine(seconds: number): Coroutine<void> {
  for (let left = seconds; left > 0; left -= 0.7) {
    try {
      yield* sleep(0.7);
    } catch {
      // Goes on.
    }
  }
}

/** What is printed while `body` runs, and when, in seconds from its start. */
async function printedBy(body: () => Future<unknown>): Promise<string[]> {
  const { error } = console;
  const lines: string[] = [];
  try {
    await runVirtual(async (loop) => {
      const start = loop.time();
      console.error = (text: string) => {
        lines.push(
          `${(loop.time() - start).toFixed(1)} ${text.replaceAll(/ [\d.]+ s (left|late)/g, "")}`,
        );
      };
      await createTask(async () => await body(), { name: "caller" }).catch(() => {});
    });
  } finally {
    console.error = error;
  }
  return lines;
}

const LIMIT = "A time limit has passed, and its body goes on: ";
const GROUP = "Tasks of a group were cancelled and go on: ";

const CUT: Readonly<Record<string, [(seconds: number) => Future<unknown>, string]>> = {
  "a body of timeout()": [
    (seconds) => timeout(1, () => refuse(seconds)),
    `${LIMIT}task "caller" waits for timeout: sleep`,
  ],
  "a coroutine in timeout()": [
    (seconds) => timeout(1, () => refuseInCoroutine(seconds)),
    `${LIMIT}task "caller" waits for timeout: sleep`,
  ],
  "what waitFor() waits for": [
    (seconds) => waitFor(createTask(() => refuse(seconds), { name: "stubborn" }), 1),
    `${LIMIT}task "caller" waits for timeout: task "stubborn"`,
  ],
  "a child of a failed group": [
    (seconds) =>
      taskGroup((group) => {
        group.createTask(() => refuse(seconds), { name: "stubborn" });
        group.createTask(async () => {
          await sleep(1);
          throw new Error("planted");
        });
      }),
    `${GROUP}task "stubborn" waits for sleep`,
  ],
};

for (const [what, [body, text]] of Object.entries(CUT)) {
  Deno.test(`${what} that goes on is named once, 3 seconds after it was cut short`, async () => {
    assertEquals(await printedBy(() => body(20)), [`4.0 ${text}`]);
  });

  Deno.test(`${what} that ends within 3 seconds is not named`, async () => {
    assertEquals(await printedBy(() => body(2)), []);
  });
}

Deno.test("a body of timeout() that ends in time is not named later, nor one that is extended", async () => {
  const body = () =>
    taskGroup(async () => {
      await timeout(1, () => sleep(0.5));
      await timeout(1, async (limit) => {
        limit.reschedule(limit.when() as number + 5);
        await refuse(5);
      });
      await timeout(1, () => sleep(2)).catch(() => {});
      await sleep(20);
    });
  assertEquals(await printedBy(body), []);
});
