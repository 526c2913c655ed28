/**
 * Keeps a program running: starts it again when it ends, waiting longer each time that it fails
 * at once, and ends it in good order when it is told to stop itself.
 *
 * deno run --allow-run=sh examples/supervisor.ts sh -c 'sleep 1; echo worked; exit 1'
 *
 * Prints, until Ctrl-C or `kill` with the number of the supervisor, for instance:
 *     supervisor 4711
 *     started sh as 4713
 *     worked
 *     sh has ended with 1
 *     started sh as 4729
 *     ^C
 *     stopped after 2 starts
 *
 * @module
 */
import { createSubprocessExec, createTask, Event, getRunningLoop, run, wait } from "@gyre/asyncio";

/** Seconds before a program that failed is started again, at first and at most. */
const FIRST_DELAY = 0.1;
const LONGEST_DELAY = 10;
/** Seconds after which a program counts as having worked. */
const LONG_RUN = 5;

const [command = "sh", ...args] = Deno.args;

await run(async () => {
  const loop = getRunningLoop();
  const stop = new Event();
  loop.addSignalHandler("SIGTERM", () => stop.set());
  loop.addSignalHandler("SIGINT", () => stop.set());
  console.log(`supervisor ${Deno.pid}`);

  let starts = 0;
  let delay = FIRST_DELAY;
  const stopped = createTask(() => stop.wait());
  while (!stop.isSet()) {
    // At the end of the block a program that still runs is asked to end, and killed if it does not.
    await using program = await createSubprocessExec(command, { args, grace: 3 });
    starts += 1;
    const start = loop.time();
    console.log(`started ${command} as ${program.pid}`);
    const ended = createTask(() => program.wait());
    await wait([ended, stopped], { returnWhen: "firstCompleted" });
    ended.cancel();
    if (stop.isSet()) break;
    console.log(`${command} has ended with ${program.returncode}`);

    delay = loop.time() - start > LONG_RUN ? FIRST_DELAY : Math.min(delay * 2, LONGEST_DELAY);
    await wait([stopped], { timeout: delay });
  }
  console.log(`stopped after ${starts} starts`);
});
