/**
 * Figures of a loop, and spans of its tasks, for OpenTelemetry.
 *
 * The package depends on nothing: the meter and the tracer are those of `npm:@opentelemetry/api` that
 * the program hands in. With `OTEL_DENO=true` Deno itself sends them to a collector.
 *
 * ```ts
 * import { metrics, trace } from "npm:@opentelemetry/api@1";
 * import { getRunningLoop, run } from "@gyre/asyncio";
 * import { instrument } from "@gyre/asyncio/telemetry";
 *
 * await run(async () => {
 *   using _ = instrument(getRunningLoop(), {
 *     meter: metrics.getMeter("my-service"),
 *     tracer: trace.getTracer("my-service"),
 *   });
 * });
 * ```
 *
 * @module
 */
import * as inside from "../loop/inside.ts";
import { checkOptions, OBJECT, type OptionTable } from "../loop/values/check_options.ts";
import type { EventLoop, TaskFactory } from "../loop/event_loop.ts";
import type { LoopSnapshot } from "../loop/inspection/snapshot.ts";
import { failureOf } from "../loop/tasks/future.ts";
import { nameOfThrown } from "../loop/values/describe.ts";
import { Task, type TaskBody, type TaskOptions } from "../loop/tasks/task.ts";

/**
 * What an instrument of a meter is given: an `ObservableResult` of OpenTelemetry.
 *
 * @category Diagnostics
 */
export interface MetricObserver {
  /** Tells the value of an instrument now. */
  observe(instrument: never, value: number, attributes?: Record<string, string>): void;
}

/**
 * As much of the `Meter` of OpenTelemetry as is used.
 *
 * @category Diagnostics
 */
export interface MetricMeter {
  /** Creates an instrument whose value is asked for. */
  createObservableGauge(name: string, options?: MetricOptions): unknown;
  /** Creates an instrument whose value is asked for, and only grows. */
  createObservableCounter(name: string, options?: MetricOptions): unknown;
  /** Creates an instrument of many values. */
  createHistogram(name: string, options?: MetricOptions): { record(value: number): void };
  /** Has the values of several instruments asked for at once. */
  addBatchObservableCallback(
    callback: (observer: MetricObserver) => void,
    instruments: never[],
  ): void;
  /** Ends that. */
  removeBatchObservableCallback(
    callback: (observer: MetricObserver) => void,
    instruments: never[],
  ): void;
}

/**
 * What an instrument of a meter is.
 *
 * @category Diagnostics
 */
export interface MetricOptions {
  /** What it measures. */
  description?: string;
  /** In which unit. */
  unit?: string;
}

/**
 * As much of the `Span` of OpenTelemetry as is used.
 *
 * @category Diagnostics
 */
export interface TaskSpan {
  /** Adds a fact. */
  setAttribute(name: string, value: string | boolean): unknown;
  /** Says whether it went well. */
  setStatus(status: { code: number; message?: string }): unknown;
  /** Ends it. */
  end(): void;
}

/**
 * As much of the `Tracer` of OpenTelemetry as is used.
 *
 * @category Diagnostics
 */
export interface TaskTracer {
  /** Begins a span, which is that of what `work` does. */
  startActiveSpan<R>(name: string, work: (span: TaskSpan) => R): R;
}

/**
 * Settings of {@linkcode instrument}.
 *
 * @category Diagnostics
 */
export interface InstrumentOptions {
  /** Gets the figures of the loop: a meter of OpenTelemetry. */
  meter?: MetricMeter | undefined;
  /** Gets a span for each task, with that of who has created it as its parent. */
  tracer?: TaskTracer | undefined;
}

const OPTIONS: OptionTable<InstrumentOptions> = { meter: OBJECT, tracer: OBJECT };

/** OpenTelemetry's code of a status that is an error. */
const FAILED = 2;

/**
 * Sends figures of `loop` to a meter, and a span for each of its tasks to a tracer.
 *
 * The figures: tasks, callbacks that are ready, timers and how late they fire, connections and bytes,
 * jobs of executors. A task takes the span of who creates it as its parent, and what it does itself,
 * such as `fetch()`, has that of the task. It is set by a task factory, around the one that there is.
 *
 * @returns Ends it when it is disposed of.
 * @throws {TypeError} If an option is unknown, or is no object.
 *
 * @category Diagnostics
 *
 * @example A span for each task
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createTask, getRunningLoop, run, sleep } from "@gyre/asyncio";
 * import { instrument, type TaskTracer } from "@gyre/asyncio/telemetry";
 *
 * const ended: string[] = [];
 * const tracer: TaskTracer = {
 *   startActiveSpan: (name, work) =>
 *     work({ setAttribute() {}, setStatus() {}, end: () => ended.push(name) }),
 * };
 * await run(async () => {
 *   using _ = instrument(getRunningLoop(), { tracer });
 *   await createTask(() => sleep(0), { name: "worker" });
 *   await sleep(0);
 * });
 * assertEquals(ended, ["worker"]);
 * ```
 */
export function instrument(loop: EventLoop, options: InstrumentOptions): Disposable {
  checkOptions("instrument an event loop", options, OPTIONS);
  const { meter, tracer } = options;
  using parts = new DisposableStack();
  if (meter !== undefined) parts.use(sendFigures(loop, meter));
  if (tracer !== undefined) parts.use(sendSpans(loop, tracer));
  return parts.move();
}

/** A figure of a loop: its name, what it is, and its values with what tells them apart. */
interface Figure {
  readonly name: string;
  readonly description: string;
  readonly unit: string;
  readonly values: (
    snapshot: LoopSnapshot,
  ) => [value: number, attributes?: Record<string, string>][];
}

const GAUGES: readonly Figure[] = [
  {
    name: "asyncio.tasks",
    description: "Tasks that are not done",
    unit: "{task}",
    values: ({ tasks }) => {
      const states: Record<string, number> = { new: 0, ready: 0, running: 0, waiting: 0 };
      for (const { state } of tasks) states[state] = (states[state] ?? 0) + 1;
      return Object.entries(states).map(([state, count]) => [count, { state }]);
    },
  },
  {
    name: "asyncio.ready",
    description: "Callbacks and steps that are about to run",
    unit: "{callback}",
    values: ({ ready }) => [[ready]],
  },
  {
    name: "asyncio.timers",
    description: "Timers that are pending",
    unit: "{timer}",
    values: ({ timerCount }) => [[timerCount]],
  },
  {
    name: "asyncio.connections",
    description: "Connections, pipes and datagram endpoints that are open",
    unit: "{connection}",
    values: ({ transports }) => {
      const kinds = new Map<string, number>();
      for (const { kind } of transports) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      return kinds.size === 0 ? [[0]] : [...kinds].map(([kind, count]) => [count, { kind }]);
    },
  },
  {
    name: "asyncio.executor.jobs",
    description: "Jobs of executors that run, and that wait for a worker",
    unit: "{job}",
    values: ({ executors }) =>
      executors.flatMap(({ what: executor, running, queued }) => [
        [running, { executor, state: "running" }],
        [queued, { executor, state: "queued" }],
      ]),
  },
];

/** Bytes that went over the connections of a loop, as far as they were seen open. */
class Traffic {
  readonly #seen: Map<number, { readonly bytesIn: number; readonly bytesOut: number }> = new Map();
  received = 0;
  sent = 0;

  look({ transports }: LoopSnapshot): void {
    const open = new Set<number>();
    for (const { id, bytesIn, bytesOut } of transports) {
      const before = this.#seen.get(id);
      this.received += bytesIn - (before?.bytesIn ?? 0);
      this.sent += bytesOut - (before?.bytesOut ?? 0);
      this.#seen.set(id, { bytesIn, bytesOut });
      open.add(id);
    }
    for (const id of this.#seen.keys()) if (!open.has(id)) this.#seen.delete(id);
  }
}

function sendFigures(loop: EventLoop, meter: MetricMeter): Disposable {
  const gauges = GAUGES.map((figure) => {
    const { name, description, unit } = figure;
    return { figure, gauge: meter.createObservableGauge(name, { description, unit }) };
  });
  const traffic = new Traffic();
  const bytes = meter.createObservableCounter("asyncio.bytes", {
    description: "Bytes received and sent over connections",
    unit: "By",
  });
  const lag = meter.createHistogram("asyncio.timer.lag", {
    description: "How late timers fire",
    unit: "s",
  });
  const instruments = [...gauges.map(({ gauge }) => gauge), bytes] as never[];
  const observe = (observer: MetricObserver) => {
    if (loop.isClosed()) return;
    const snapshot = loop.snapshot();
    for (const { figure, gauge } of gauges) {
      for (const [value, attributes] of figure.values(snapshot)) {
        observer.observe(gauge as never, value, attributes);
      }
    }
    traffic.look(snapshot);
    observer.observe(bytes as never, traffic.received, { direction: "in" });
    observer.observe(bytes as never, traffic.sent, { direction: "out" });
  };
  const wasMeasured = loop.getMeasuring();
  loop.setMeasuring(true);
  const measured = loop[inside.meter];
  const record = (seconds: number) => tell(loop, () => lag.record(seconds));
  measured?.lagListeners.add(record);
  meter.addBatchObservableCallback(observe, instruments);
  return {
    [Symbol.dispose]() {
      meter.removeBatchObservableCallback(observe, instruments);
      measured?.lagListeners.delete(record);
      if (!wasMeasured) loop.setMeasuring(false);
    },
  };
}

function sendSpans(loop: EventLoop, tracer: TaskTracer): Disposable {
  const outer = loop.getTaskFactory();
  const create = <T>(owner: EventLoop, body: TaskBody<T>, options: TaskOptions): Task<T> =>
    outer === null ? new Task(body, { ...options, loop: owner }) : outer(owner, body, options);
  const factory: TaskFactory = <T>(owner: EventLoop, body: TaskBody<T>, options: TaskOptions) => {
    const name = nameOf(body, options);
    let created: Task<T> | null = null;
    let refused: { error: unknown } | null = null;
    const begin = (): Task<T> => {
      try {
        return created ??= create(owner, body, options);
      } catch (error) {
        refused = { error };
        throw error;
      }
    };
    tell(owner, () =>
      tracer.startActiveSpan(name, (span) => {
        try {
          const task = begin();
          span.setAttribute("asyncio.task", task.getName());
          task.addDoneCallback(() => tell(owner, () => endSpan(span, task as Task<unknown>)));
        } catch (error) {
          span.end();
          if (refused === null) throw error;
        }
      }));
    if (refused !== null) throw (refused as { error: unknown }).error;
    return begin();
  };
  loop.setTaskFactory(factory);
  return {
    [Symbol.dispose]() {
      if (loop.getTaskFactory() === factory) loop.setTaskFactory(outer);
    },
  };
}

/** Calls what was handed in; the program goes on when that throws, and its loop is told. */
function tell(loop: EventLoop, work: () => void): void {
  try {
    work();
  } catch (exception) {
    loop.callExceptionHandler({ message: "Cannot send telemetry: its receiver threw", exception });
  }
}

/** Says how `task` has ended, and of an error its kind alone. */
function endSpan(span: TaskSpan, task: Task<unknown>): void {
  if (task.cancelled()) span.setAttribute("asyncio.cancelled", true);
  else {
    const error = failureOf(task);
    if (error !== undefined) {
      const message = nameOfThrown(error);
      span.setStatus({ code: FAILED, message });
    }
  }
  span.end();
}

/** The name of a task as it is asked for; else that of its function. */
function nameOf(body: unknown, { name }: TaskOptions): string {
  if (name !== undefined) return String(name);
  return typeof body === "function" && body.name !== "" ? body.name : "task";
}
