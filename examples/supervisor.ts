/**
 * Keeps programs running, each a command line: starts one again when it has ended, later each time
 * that it fails at once. Ctrl-C or SIGTERM ends all of them.
 *
 * deno run --allow-run=/bin/sh examples/supervisor.ts 'sleep 1; echo worked; exit 1' 'sleep 9'
 *
 * Prints, for instance:
 *     supervisor 4711
 *     4713 started: sleep 1; echo worked; exit 1
 *     4714 started: sleep 9
 *     worked
 *     4713 has ended with 1
 *     4729 started: sleep 1; echo worked; exit 1
 *     ^C
 *     all have ended
 *
 * @module
 */
import { createSubprocessShell, runMain, sleep, taskGroup } from "@gyre/asyncio";

/** Seconds before a program is started again, at first and at most. */
const [FIRST_DELAY, LONGEST_DELAY] = [0.1, 10];
/** Seconds after which a program counts as having worked. */
const LONG_RUN = 5;

async function runOnce(line: string): Promise<void> {
  // At the end of the block, and so when a signal comes, it is asked to end, and killed if it does not.
  await using program = await createSubprocessShell(line, { grace: 3 });
  console.log(`${program.pid} started: ${line}`);
  const code = await program.wait();
  console.log(`${program.pid} has ended with ${code}`);
}

async function keepRunning(line: string): Promise<void> {
  for (let delay = FIRST_DELAY;;) {
    const start = performance.now();
    await runOnce(line);
    const hasWorked = performance.now() - start > LONG_RUN * 1000;
    delay = hasWorked ? FIRST_DELAY : Math.min(delay * 2, LONGEST_DELAY);
    await sleep(delay);
  }
}

await runMain(async () => {
  console.log(`supervisor ${Deno.pid}`);
  try {
    await taskGroup((group) => {
      for (const line of Deno.args) group.createTask(() => keepRunning(line));
    });
  } finally {
    console.log("all have ended");
  }
}, { grace: 5 });
