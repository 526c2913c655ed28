// Loads a port for 20 seconds while its workers are replaced ten times and killed five times, and says
// what became of the requests; then requests per second of two workers against one.
import { createSubprocessExec, run, sleep } from "@gyre/asyncio";
import { load, type LoadCounts, serveProgram, visit } from "./_served_program.ts";

const SECONDS = 20;
const ROLLS = 10;
const KILLS = 5;
const CLIENTS = 32;

async function loadFor(port: number, seconds: number): Promise<LoadCounts> {
  const end = new AbortController();
  const counts = load(port, CLIENTS, end.signal);
  await sleep(seconds);
  end.abort();
  return await counts;
}

async function rolls(threads: boolean): Promise<void> {
  await using program = await serveProgram("./greeting_app.ts", { workers: 2, grace: 5, threads });
  const counts = loadFor(program.port, SECONDS);
  const actions = Array.from({ length: ROLLS + KILLS }, (_, index) => index % 3 === 2);
  for (const kills of actions) {
    await sleep((SECONDS - 1) / actions.length);
    if (!kills) program.process.sendSignal("SIGHUP");
    else if (!threads) {
      using victim = await visit(program.port);
      await using killer = await createSubprocessExec("kill", {
        args: ["-KILL", String(victim.pid)],
      });
      await killer.wait();
    }
  }
  const { pids, ...rest } = await counts;
  program.process.terminate();
  console.log(threads ? "threads" : "processes", rest, { pids: pids.size }, {
    exitCode: await program.process.wait(),
  });
}

async function rate(workers: number): Promise<number> {
  await using program = await serveProgram("./greeting_app.ts", { workers, grace: 1 });
  await loadFor(program.port, 1);
  return (await loadFor(program.port, 3)).answered / 3;
}

await run(async () => {
  await rolls(false);
  await rolls(true);
  for (let round = 0; round < 3; round += 1) {
    const [one, two] = [await rate(1), await rate(2)];
    console.log("requests per second", { one, two, ratio: two / one });
  }
});
