/**
 * The options of this folder; see `check_options.ts`.
 *
 * @module
 */
import type { AsCompletedOptions } from "../structure/as_completed.ts";
import type { CancelOptions } from "../tasks/_cancel_reason.ts";
import type { PrintSnapshotOptions } from "../inspection/print_snapshot.ts";
import type { PrintCallGraphOptions } from "../inspection/call_graph.ts";
import {
  ANYTHING,
  CONTEXT,
  DELAY,
  FLAG,
  FUNCTION,
  LIST,
  LOOP,
  OBJECT,
  oneOf,
  type OptionTable,
  SECONDS,
  SIGNAL,
  WHOLE,
} from "./check_options.ts";
import type { ContextVarOptions } from "../scheduling/context.ts";
import type { EnsureFutureOptions } from "../tasks/ensure_future.ts";
import type { EventLoopOptions } from "../event_loop.ts";
import type { FutureOptions } from "../tasks/future.ts";
import type { GatherOptions } from "../structure/gather.ts";
import type { PriorityQueueOptions } from "../synchronisation/priority_queue.ts";
import type { QueueOptions } from "../synchronisation/queue.ts";
import type { RunnerOptions, RunnerRunOptions, RunOptions } from "../runner.ts";
import type { TaskOptions } from "../tasks/task.ts";
import type { WaitOptions } from "../structure/wait.ts";

export const AS_COMPLETED: OptionTable<AsCompletedOptions> = { timeout: DELAY };

export const CANCEL: OptionTable<CancelOptions> = { cause: ANYTHING };

export const CONTEXT_VAR: OptionTable<ContextVarOptions<unknown>> = { default: ANYTHING };

export const ENSURE_FUTURE: OptionTable<EnsureFutureOptions> = { loop: LOOP };

export const EVENT_LOOP: OptionTable<EventLoopOptions> = {
  clock: OBJECT,
  ready: OBJECT,
  debug: FLAG,
};

export const FUTURE: OptionTable<FutureOptions> = { loop: LOOP };

export const GATHER: OptionTable<GatherOptions> = { returnExceptions: FLAG };

export const PRINT_CALL_GRAPH: OptionTable<PrintCallGraphOptions> = { print: FUNCTION };

export const PRINT_SNAPSHOT: OptionTable<PrintSnapshotOptions> = {
  loop: LOOP,
  print: FUNCTION,
  colors: FLAG,
};

/** As in asyncio, a queue whose size is 0 or less has no limit. */
export const QUEUE: OptionTable<QueueOptions> = { maxSize: WHOLE };

export const PRIORITY_QUEUE: OptionTable<PriorityQueueOptions<unknown>> = {
  ...QUEUE,
  compare: FUNCTION,
};

export const QUEUE_SHUTDOWN: OptionTable<{ immediate?: boolean }> = { immediate: FLAG };

export const RUNNER: OptionTable<RunnerOptions> = {
  debug: FLAG,
  loopFactory: FUNCTION,
  signals: LIST,
  grace: SECONDS,
};

export const RUNNER_RUN: OptionTable<RunnerRunOptions> = { context: CONTEXT, signal: SIGNAL };

export const RUN: OptionTable<RunOptions> = { ...RUNNER, signal: SIGNAL };

export const TASK: OptionTable<TaskOptions> = {
  name: ANYTHING,
  eager: FLAG,
  eagerStart: FLAG,
  context: CONTEXT,
  signal: SIGNAL,
  loop: LOOP,
};

export const WAIT: OptionTable<WaitOptions> = {
  timeout: DELAY,
  returnWhen: oneOf("firstCompleted", "firstException", "allCompleted"),
};
