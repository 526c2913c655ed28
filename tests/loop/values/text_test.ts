// What objects look like in a log: String(), inspectors, JSON.stringify().
import { assert, assertEquals, assertMatch } from "@std/assert";
import { inspect } from "node:util";
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Context,
  ContextVar,
  createTask,
  Event,
  type EventLoop,
  type Future,
  gather,
  Lock,
  PriorityQueue,
  Queue,
  Runner,
  Semaphore,
  shield,
  sleep,
  taskGroup,
  timeout,
} from "../../../loop/mod.ts";
import { runVirtual, TestLoop } from "../_test_loop.ts";

/** The text of `shown`. Fails unless every way to show it gives the same. */
function textOf(shown: object): string {
  const text = String(shown);
  assertEquals(Deno.inspect(shown), text);
  assertEquals(inspect(shown), text);
  assertEquals(JSON.parse(JSON.stringify({ shown })).shown, text);
  return text;
}

Deno.test("a task shows its name, where it stands and what it waits for", async () => {
  await runVirtual(function* (loop) {
    const inner = createTask(() => sleep(5, "five"), { name: "inner" });
    const outer = createTask(function* () {
      return yield* inner;
    }, { name: 'the "outer"' });
    const several = createTask(async () => {
      await Promise.all([sleep(1), inner, shield(inner), gather([inner]), sleep(3)]);
    }, { name: "several" });
    assertEquals(textOf(outer), '<Task pending name="the \\"outer\\"">');
    yield* sleep(0.5);

    assertEquals(textOf(inner), '<Task pending name="inner" awaiting=<Sleep pending>>');
    assertEquals(
      textOf(outer),
      '<Task pending name="the \\"outer\\"" awaiting=<Task pending name="inner">>',
    );
    assertEquals(
      textOf(several),
      '<Task pending name="several" awaiting=[<Sleep pending>, <Task pending name="inner">, ' +
        "<Shield pending>, 2 more]>",
    );
    yield* several;
    assertEquals(textOf(inner), '<Task finished name="inner" result="five">');

    const failing = createTask(() => {
      throw new TypeError("planted");
    }, { name: "failing" });
    const cancelled = createTask(() => sleep(1), { name: "cancelled" });
    yield* sleep(0);
    cancelled.cancel();
    assertEquals(
      textOf(cancelled),
      '<Task cancelling name="cancelled" awaiting=<Sleep pending>>',
    );
    yield* sleep(0);
    assertEquals(textOf(cancelled), '<Task cancelled name="cancelled">');
    assertEquals(textOf(failing), '<Task failed name="failing" exception=TypeError: planted>');
    yield* sleep(2);
    assertEquals(loop.takeReports().length, 1, "to be shown is not to be looked at");
  });
});

Deno.test("a future shows where it stands, and a long result by its beginning", async () => {
  await runVirtual((loop) => {
    const [pending, done, failed] = [0, 1, 2].map(() => loop.createFuture<unknown>());
    assert(pending && done && failed);
    done.setResult("x".repeat(1000));
    failed.setException(undefined);
    assertEquals(textOf(pending), "<Future pending>");
    assertEquals(textOf(done), `<Future finished result="${"x".repeat(99)}…>`);
    assertEquals(textOf(failed), "<Future failed exception=undefined>");
    assertEquals(failed.exception(), undefined);

    const self = loop.createFuture<unknown>();
    self.setResult(self);
    assertEquals(textOf(self), "<Future finished result=<Future done>>");
    assertEquals(Object.prototype.toString.call(self), "[object Future]");
    const task = createTask(() => {});
    assertEquals(Object.prototype.toString.call(task), "[object Task]");
  });
});

Deno.test("tasks that wait for each other in a circle have a text", async () => {
  await runVirtual(function* () {
    const tasks: Future<void>[] = [0, 1].map((index) =>
      createTask(function* () {
        yield* tasks[1 - index] as Future<void>;
      }, { name: index })
    );
    yield* sleep(0);
    assertEquals(
      tasks.map(textOf),
      [0, 1].map((index) =>
        `<Task pending name="${index}" awaiting=<Task pending name="${1 - index}">>`
      ),
    );
    tasks[0]?.cancel();
    yield* sleep(0);
  });
});

Deno.test("handles and loops show what they call and where they stand", async () => {
  const loop = new TestLoop();
  const tick = () => {};
  const handle = loop.callSoon(tick);
  const timer = loop.callAt(1.5, tick);
  assertEquals(textOf(handle), "<Handle tick()>");
  assertEquals(textOf(timer), "<TimerHandle tick() when=1.5>");
  assertEquals(textOf(loop.callSoon(() => {})), "<Handle (anonymous)>");
  timer.cancel();
  assertEquals(textOf(timer), "<TimerHandle cancelled when=1.5>");
  assertEquals(textOf(loop), "<TestLoop stopped>");
  await loop.runUntilComplete(() => assertEquals(textOf(loop), "<TestLoop running>"));
  loop.close();
  assertEquals(textOf(loop), "<TestLoop closed>");
});

Deno.test("in debug mode futures and handles show where they were created", async () => {
  const loop = new TestLoop({ debug: true });
  function start(of: EventLoop): object[] {
    return [of.createFuture(), of.callSoon(() => {})];
  }
  for (const created of start(loop)) {
    assertMatch(
      textOf(created),
      /^<(Future|Handle) .* created=at start \(.*text_test\.ts:\d+:\d+\)>$/,
    );
  }
  await loop.runOnce();
  loop.close();
});

Deno.test("contexts, their variables and runners show where they stand", async () => {
  const plain = new ContextVar<string>("plain");
  const variables = [plain, new ContextVar("user", { default: "nobody" })];
  assertEquals(variables.map(textOf), [
    '<ContextVar name="plain">',
    '<ContextVar name="user" default="nobody">',
  ]);
  const context = new Context();
  assertEquals(textOf(context), "<Context>");
  context.run(() => plain.set("secret"));
  assertEquals(textOf(context), "<Context size=1>");

  const runner = new Runner({ loopFactory: () => new TestLoop(), signals: [] });
  const texts = [textOf(runner)];
  await runner.run(() => texts.push(textOf(runner)));
  texts.push(textOf(runner));
  const closing = runner.close();
  texts.push(textOf(runner));
  await closing;
  texts.push(textOf(runner));
  assertEquals(texts.slice(0, 3), ["<Runner created>", "<Runner running>", "<Runner open>"]);
  assertEquals(texts.at(-1), "<Runner closed>");
});

Deno.test("what synchronises shows where it stands and how many wait", async () => {
  await runVirtual(function* () {
    const lock = new Lock();
    const event = new Event();
    const semaphore = new Semaphore(3);
    const barrier = new Barrier(2);
    const condition = new Condition();
    const queue = new Queue<string>({ maxSize: 5 });
    assertEquals([lock, event, semaphore, barrier, condition, queue].map(textOf), [
      "<Lock unlocked>",
      "<Event unset>",
      "<Semaphore unlocked value=3>",
      "<Barrier filling waiting=0/2>",
      "<Condition unlocked>",
      "<Queue size=0 maxSize=5>",
    ]);
    yield* lock.acquire();
    yield* semaphore.acquire();
    const waits = [lock.acquire(), event.wait(), barrier.wait(), queue.get()];
    queue.putNowait("secret");
    assertEquals([lock, event, semaphore, barrier, queue].map(textOf), [
      "<Lock locked waiters=1>",
      "<Event unset waiters=1>",
      "<Semaphore unlocked value=2>",
      "<Barrier filling waiting=1/2>",
      "<Queue size=1 maxSize=5 getters=1 unfinished=1>",
    ]);
    lock.release();
    event.set();
    yield* barrier.wait();
    yield* gather(waits);
    queue.shutdown();
    assertEquals([event, queue].map(textOf), [
      "<Event set>",
      "<Queue shut down size=0 maxSize=5 unfinished=1>",
    ]);
    assertEquals(textOf(new BoundedSemaphore(2)), "<BoundedSemaphore unlocked value=2>");
    assertEquals(textOf(new PriorityQueue()), "<PriorityQueue size=0>");
  });
});

Deno.test("timeouts and groups show their deadline and their children", async () => {
  await runVirtual(async () => {
    await timeout(2, (limit) => {
      assertEquals(textOf(limit), "<Timeout active when=2>");
    });
    const group = await taskGroup((group) => {
      group.createTask(() => {});
      assertEquals(textOf(group), "<TaskGroup open tasks=1>");
      return group;
    });
    assertEquals(textOf(group), "<TaskGroup closed>");
  });
});
