/**
 * Runs a cell of the table of cancellations: a kind of wait, and the moment when it is cancelled.
 * cancellation_table.py does the same on CPython: the two must stay alike.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import {
  CancelledError,
  type Coroutine,
  type EventLoop,
  type Future,
  shield,
  sleep,
  taskGroup,
  timeout,
  TimeoutError,
} from "../../loop/mod.ts";
import { type Kind, KINDS } from "./_outcome.ts";
import recorded from "./cancellation_table.json" with { type: "json" };

/** A function that waits, and what ends that wait at 2. */
export interface Row {
  wait: () => PromiseLike<unknown>;
  trigger: () => void;
  /** Turns of the loop from the trigger until the wake-up is on its way; none by default. */
  turns?: number;
}

/** Runs one cell; returns its log. */
export type RunCell = (name: string, moment: string, kind: Kind) => Promise<string[]>;

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

/** Adds the tests of one half of the table: waits of the loop alone, or for the world outside. */
export function testTable(half: "loop" | "world", run: RunCell): void {
  const table: Record<string, Record<string, string[]>> = recorded[half];
  for (const [name, moments] of Object.entries(table)) {
    for (const kind of KINDS) {
      Deno.test(`${name} (${kind}) does what CPython's does, whenever it is cancelled`, async () => {
        for (const [moment, expected] of Object.entries(moments)) {
          const right = expectedOf(name, moment, kind, expected);
          assertEquals(await run(name, moment, kind), right, moment);
        }
      });
    }
  }
}

/** A function for the same steps in both kinds of body. */
export function bodyOf(
  kind: Kind,
  steps: () => Coroutine<unknown>,
  plain: () => Promise<unknown>,
): () => Promise<unknown> {
  return (kind === "coroutine" ? steps : plain) as () => Promise<unknown>;
}

function text(error: unknown): string {
  if (error instanceof AggregateError) return `[${error.errors.map(text).join(", ")}]`;
  const { message } = error as Error;
  if (error instanceof CancelledError) return `CancelledError${message && `(${message})`}`;
  return error instanceof TimeoutError ? "TimeoutError" : `ValueError(${message})`;
}

/** Runs one cell of the table on `loop`; gives its log. */
export function* runCell(
  loop: EventLoop,
  { wait: begin, trigger, turns = 0 }: Row,
  moment: string,
  kind: Kind,
): Coroutine<string[]> {
  const log: string[] = [];
  const note = (event: string) => void log.push(`${loop.time()} ${event}`);
  const json = (value: unknown) => JSON.stringify(value ?? null).replaceAll(",", ", ");
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
    if (moment === "as the wake-up is on its way") afterTurns(loop, turns, cancel);
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
  return log;
}

/** Calls `callback` after so many turns of `loop`. */
function afterTurns(loop: EventLoop, turns: number, callback: () => void): void {
  if (turns === 0) callback();
  else loop.callSoon(() => afterTurns(loop, turns - 1, callback));
}
