/**
 * Runs a scenario of tasks with a cancellation at every possible point.
 *
 * *Theory of operation.* A scenario is fixed: it starts its tasks, which contend until nothing is
 * left to run. The loop runs it once for each entry of its ready queue, with a victim cancelled
 * just before that entry; then once more with the cancellation when all is quiet; then once for
 * each pair of such points, of one victim or of two. After each run the scenario states what must
 * hold whatever happened. Nothing is sampled, and nothing runs between two neighbouring points.
 *
 * @module
 */
import * as inside from "../../loop/inside.ts";
import { assert, assertEquals } from "@std/assert";
import { RingQueue } from "../../loop/scheduling/_ring_queue.ts";
import {
  BrokenBarrierError,
  type Coroutine,
  EventLoop,
  QueueShutDown,
  sleep,
  type Task,
} from "../../loop/mod.ts";
import type { ReadyQueue, Runnable } from "../../loop/scheduling/ready_queue.ts";
import { type Kind, KINDS } from "./_outcome.ts";
import { VirtualClock } from "./_virtual_clock.ts";

/** One run of a scenario. */
export interface Run {
  /** All its tasks; those that may be cancelled come first. */
  tasks: Task<unknown>[];
  /** Brings the rest to an end, after the cancellations, and checks what must hold. */
  check(): Coroutine<void>;
}

/** A scenario that can be run anew. */
export interface Scenario {
  name: string;
  /** How many of the tasks may be cancelled. */
  victims: number;
  start(kind: Kind): Run;
}

/** A cancellation of one victim, just before the entry of the ready queue with this number. */
interface Cancellation {
  victim: number;
  /** `Infinity` for when all is quiet. */
  entry: number;
}

/** First in, first out; calls back before each entry runs. */
class WatchedQueue extends RingQueue<Runnable> implements ReadyQueue {
  /** Called with the number of the entry that runs next. */
  watcher: (entry: number) => void = () => {};
  #count = 0;

  /** Starts to count anew. */
  watch(watcher: (entry: number) => void): void {
    this.#count = 0;
    this.watcher = watcher;
  }

  override shift(): Runnable {
    const entry = super.shift();
    const number = this.#count++;
    return {
      [inside.run]: () => {
        this.watcher(number);
        entry[inside.run]();
      },
    };
  }
}

/** Iterations after which everything is taken for quiet. */
const QUIET = 40;

/** Runs `scenario` with `cancellations`. Returns whether all of them came in time. */
async function runOnce(
  scenario: Scenario,
  kind: Kind,
  cancellations: readonly Cancellation[],
): Promise<boolean> {
  const ready = new WatchedQueue();
  const loop = new EventLoop({ clock: new VirtualClock(), ready });
  const reports: string[] = [];
  loop.setExceptionHandler((_loop, { message }) => void reports.push(message));
  let effective = 0;
  await loop.runUntilComplete(function* () {
    const run = scenario.start(kind);
    const cancelAt = (entry: number) => {
      for (const each of cancellations) {
        if (each.entry === entry && run.tasks[each.victim]?.cancel()) effective += 1;
      }
    };
    ready.watch(cancelAt);
    yield* settle();
    ready.watch(() => {});
    cancelAt(Infinity);
    yield* settle();
    yield* run.check();
    for (const task of run.tasks) assert(task.done(), `${task.getName()} hangs`);
    assertOnlyExpected(run.tasks);
  });
  loop.close();
  assertEquals(reports, []);
  return effective === cancellations.length;
}

/** Lets everything run that can. */
export function* settle(): Coroutine<void> {
  for (let count = 0; count < QUIET; count += 1) yield* sleep(0);
}

/** Tasks end with a value, cancelled, or because the test breaks their barrier or queue. */
function assertOnlyExpected(tasks: readonly Task<unknown>[]): void {
  for (const task of tasks) {
    const error = task.cancelled() ? null : task.exception();
    if (error === null || error instanceof BrokenBarrierError) continue;
    if (!(error instanceof QueueShutDown)) throw error;
  }
}

/** Every point at which a cancellation of `victim` finds it running. */
async function pointsOf(scenario: Scenario, kind: Kind, victim: number): Promise<Cancellation[]> {
  const points: Cancellation[] = [];
  for (let entry = 0;; entry += 1) {
    if (!await runOnce(scenario, kind, [{ victim, entry }])) break;
    points.push({ victim, entry });
    // It waits for ever, and nothing but the test itself runs any more.
    if (entry > 4 * QUIET) throw new Error(`"${scenario.name}" does not settle`);
  }
  if (await runOnce(scenario, kind, [{ victim, entry: Infinity }])) {
    points.push({ victim, entry: Infinity });
  }
  return points;
}

/** Adds the tests of `scenario`: one for each kind of task. */
export function testEveryPoint(scenario: Scenario): void {
  for (const kind of KINDS) {
    Deno.test(`${scenario.name}, whenever one ${kind} or two are cancelled`, async () => {
      const points: Cancellation[] = [];
      for (let victim = 0; victim < scenario.victims; victim += 1) {
        points.push(...await pointsOf(scenario, kind, victim));
      }
      assert(points.length > 2 * scenario.victims);
      for (const [index, one] of points.entries()) {
        for (const other of points.slice(index)) await runOnce(scenario, kind, [one, other]);
      }
    });
  }
}
