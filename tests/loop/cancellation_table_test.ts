// Where a cancellation meets each kind of wait: what CPython 3.13 does, as cancellation_table.py
// has recorded it, with coroutines and with async functions.
import { assertEquals } from "@std/assert";
import {
  CancelledError,
  Condition,
  type Coroutine,
  Event,
  type EventLoop,
  type Future,
  gather,
  Lock,
  Queue,
  Semaphore,
  shield,
  sleep,
  taskGroup,
  timeout,
  timeoutAt,
  TimeoutError,
  wait,
  waitFor,
} from "../../loop/mod.ts";
import { type Kind, KINDS } from "./_outcome.ts";
import { runVirtual } from "./_test_loop.ts";
import recorded from "./cancellation_table.json" with { type: "json" };

/** A function that waits, and what ends that wait at 2. */
interface Row {
  wait: () => PromiseLike<unknown>;
  trigger: () => void;
}

type Table = Record<string, Record<string, string[]>>;

/**
 * Where two things happen in one turn, an async function is some microtasks late: the sibling has
 * failed before the cancelled body has told the group of its end. Waits that take a turn more
 * themselves are as late in CPython.
 */
const LATE = "just before a sibling fails";
const AS_LATE: readonly string[] = ["taskGroup", "gather", "gather returnExceptions"];

function expectedOf(name: string, moment: string, kind: Kind, recorded: string[]): string[] {
  if (kind === "coroutine" || moment !== LATE || AS_LATE.includes(name)) return recorded;
  return [...recorded.slice(0, -1), "1 ended [ValueError(planted)] 1"];
}

function rows(loop: EventLoop, kind: Kind): Record<string, () => Row> {
  const future = loop.createFuture<unknown>();
  const resolve = () => void (future.done() || future.setResult("value"));
  /** Both kinds of body for the same steps. */
  const bodyOf = (steps: () => Coroutine<unknown>, plain: () => Promise<unknown>) =>
    (kind === "coroutine" ? steps : plain) as () => Promise<unknown>;
  const inFuture = bodyOf(function* () {
    return yield* future;
  }, async () => await future);
  const locked = (thing: Lock | Semaphore) => {
    void thing.acquire();
    const body = bodyOf(function* () {
      yield* thing.acquire();
      thing.release();
      return null;
    }, async () => {
      await thing.acquire();
      thing.release();
      return null;
    });
    return { wait: body, trigger: () => thing.release() };
  };
  const queue = new Queue<string>();
  const full = new Queue<number>({ maxSize: 1 });
  const event = new Event();
  const condition = new Condition();
  return {
    "future": () => ({ wait: inFuture, trigger: resolve }),
    "timeout": () => ({ wait: () => timeout(3, inFuture), trigger: resolve }),
    "timeoutAt": () => ({ wait: () => timeoutAt(3, inFuture), trigger: resolve }),
    "waitFor": () => ({ wait: () => waitFor(future, 3), trigger: resolve }),
    "taskGroup": () => ({
      wait: bodyOf(function* () {
        yield* taskGroup((group) => void group.createTask(inFuture));
        return null;
      }, async () => {
        await taskGroup((group) => void group.createTask(inFuture));
        return null;
      }),
      trigger: resolve,
    }),
    "taskGroup body": () => ({
      wait: () =>
        taskGroup((group) => {
          group.createTask(() => sleep(0));
          return inFuture();
        }),
      trigger: resolve,
    }),
    "gather": () => ({ wait: () => gather([future, () => sleep(1.5, "slept")]), trigger: resolve }),
    "gather returnExceptions": () => ({
      wait: bodyOf(function* () {
        return (yield* gather([future, inFuture], { returnExceptions: true })).length;
      }, async () => (await gather([future, inFuture], { returnExceptions: true })).length),
      trigger: resolve,
    }),
    "shield": () => ({ wait: () => shield(future), trigger: resolve }),
    "wait": () => ({
      wait: bodyOf(function* () {
        const { done, pending } = yield* wait([future]);
        return [done.size, pending.size];
      }, async () => {
        const { done, pending } = await wait([future]);
        return [done.size, pending.size];
      }),
      trigger: resolve,
    }),
    "lock": () => locked(new Lock()),
    "semaphore": () => locked(new Semaphore(1)),
    "condition": () => ({
      wait: bodyOf(function* () {
        yield* condition.acquire();
        try {
          yield* condition.wait();
        } finally {
          condition.release();
        }
        return condition.locked();
      }, async () => {
        {
          using _held = await condition.acquire();
          await condition.wait();
        }
        return condition.locked();
      }),
      trigger: () =>
        void loop.createTask(function* () {
          yield* condition.acquire();
          condition.notify();
          condition.release();
        }),
    }),
    "queue get": () => ({ wait: () => queue.get(), trigger: () => queue.putNowait("item") }),
    "queue put": () => {
      full.putNowait(0);
      const put = bodyOf(function* () {
        yield* full.put(1);
        return null;
      }, async () => {
        await full.put(1);
        return null;
      });
      return { wait: put, trigger: () => void full.getNowait() };
    },
    "event": () => ({ wait: () => event.wait(), trigger: () => event.set() }),
    "sleep": () => ({ wait: () => sleep(2, "slept"), trigger: () => {} }),
  };
}

function text(error: unknown): string {
  if (error instanceof AggregateError) return `[${error.errors.map(text).join(", ")}]`;
  const { message } = error as Error;
  if (error instanceof CancelledError) return `CancelledError${message && `(${message})`}`;
  return error instanceof TimeoutError ? "TimeoutError" : `ValueError(${message})`;
}

/** Runs one cell of the table; returns its log. */
async function run(name: string, moment: string, kind: Kind): Promise<string[]> {
  const log: string[] = [];
  await runVirtual(function* (loop) {
    const { wait: begin, trigger } = (rows(loop, kind)[name] as () => Row)();
    const note = (event: string) => void log.push(`${loop.time()} ${event}`);
    const json = (value: unknown) => JSON.stringify(value).replaceAll(",", ", ");
    function* steps(): Coroutine<void> {
      try {
        note(`got ${json(yield* begin() as unknown as Coroutine<unknown>)}`);
        yield* sleep(0);
        note("went on");
      } catch (error) {
        note(`threw ${text(error)}`);
        throw error;
      } finally {
        if (moment === "in the cleanup") yield* sleep(1);
        note("cleaned up");
      }
    }
    async function plain(): Promise<void> {
      try {
        note(`got ${json(await begin())}`);
        await sleep(0);
        note("went on");
      } catch (error) {
        note(`threw ${text(error)}`);
        throw error;
      } finally {
        if (moment === "in the cleanup") await sleep(1);
        note("cleaned up");
      }
    }
    const body = (kind === "coroutine" ? steps : plain) as () => Promise<void>;
    const cancel = () => void task.cancel("stop");
    loop.callAt(2, () => {
      trigger();
      if (moment === "as the wake-up is on its way") cancel();
    });
    if (moment.startsWith("just before")) loop.callAt(1, cancel);
    const fail = function* (): Coroutine<void> {
      yield* sleep(1);
      throw new Error("planted");
    };
    const outer = moment.endsWith("deadline")
      ? () => timeout(1, body)
      : moment.includes("sibling")
      ? () =>
        taskGroup((group) => {
          group.createTask(fail);
          return body();
        })
      : body;
    const task = loop.createTask(
      kind === "coroutine"
        ? function* (): Coroutine<unknown> {
          return yield* outer() as unknown as Coroutine<unknown>;
        }
        : async () => await outer(),
    );
    if (moment === "before the first wait") cancel();
    if (["while waiting", "twice", "in the cleanup"].includes(moment)) loop.callAt(1, cancel);
    if (moment === "twice") loop.callAt(1, cancel);
    if (moment === "in the cleanup") loop.callAt(1.5, cancel);
    if (moment.startsWith("just after")) {
      loop.callSoon(() => loop.callSoon(() => loop.callSoon(() => loop.callAt(1, cancel))));
    }
    let ended = "returned";
    try {
      yield* shield(task) as Future<unknown>;
    } catch (error) {
      ended = text(error);
    }
    note(`ended ${ended} ${task.cancelling()}`);
  });
  return log;
}

for (const [name, moments] of Object.entries(recorded as Table)) {
  for (const kind of KINDS) {
    Deno.test(`${name} (${kind}) does what CPython's does, whenever it is cancelled`, async () => {
      for (const [moment, expected] of Object.entries(moments)) {
        const right = expectedOf(name, moment, kind, expected);
        assertEquals(await run(name, moment, kind), right, moment);
      }
    });
  }
}
