import { requireLoop } from "../scheduling/_current.ts";
import { PRINT_SNAPSHOT } from "../values/_options.ts";
import { checkOptions, NO_OPTIONS } from "../values/check_options.ts";
import type { EventLoop } from "../event_loop.ts";
import { printsColors } from "./deno_terminal.ts";
import { formatSnapshot } from "./format_snapshot.ts";

/**
 * Settings of {@linkcode printSnapshot}.
 *
 * @category Diagnostics
 */
export interface PrintSnapshotOptions {
  /** The loop. Defaults to the running loop. */
  loop?: EventLoop | undefined;
  /** Takes the text; `console.error` by default. */
  print?: ((text: string) => void) | undefined;
  /** Whether to use the colours of a terminal; by default where the standard error is one. */
  colors?: boolean | undefined;
}

/**
 * Prints what there is on a loop: a tree of the tasks with what each waits for, then connections,
 * servers, processes and executors. `run()` and `runMain()` do so in debug mode on `SIGQUIT`, which
 * is `Ctrl-\`, and on `SIGINFO` where there is one.
 *
 * @throws {InvalidStateError} If no loop is running here and none is given.
 *
 * @category Diagnostics
 *
 * @example Who waits for what
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { createTask, printSnapshot, Queue, run, sleep } from "@gyre/asyncio";
 *
 * const lines: string[] = [];
 * await run(async () => {
 *   const worker = createTask(() => new Queue().get(), { name: "worker" });
 *   createTask(() => worker, { name: "boss" });
 *   await sleep(0.01);
 *   printSnapshot({ print: (text) => lines.push(...text.split("\n")), colors: false });
 *   worker.cancel();
 * });
 * assertEquals(lines.slice(1), [
 *   '├─ "Task-1" running',
 *   '└─ "boss" task "worker"',
 *   '   └─ "worker" queue.get of Queue (0)',
 * ]);
 * ```
 */
export function printSnapshot(options: PrintSnapshotOptions = NO_OPTIONS): void {
  checkOptions("print a snapshot", options, PRINT_SNAPSHOT);
  const { loop = requireLoop("print a snapshot"), print = console.error } = options;
  print(formatSnapshot(loop.snapshot(), options.colors ?? printsColors()));
}
