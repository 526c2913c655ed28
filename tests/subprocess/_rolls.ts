import { createSubprocessExec, PIPE, sleep } from "@gyre/asyncio";
import { type ServedProgram, serveProgram, visit } from "./_served_program.ts";
import { type BrokenVisit, Visitors } from "./_visitors.ts";

/** How a port is loaded, and what happens to its workers meanwhile. */
export interface Rolling {
  /** At least. */
  readonly seconds: number;
  readonly rolls: number;
  /** How many workers are killed, in the midst of a roll each. */
  readonly kills: number;
  readonly visitors: number;
  readonly threads?: boolean;
}

/** What became of the visits. */
export interface RollFigures {
  readonly answered: number;
  readonly workers: number;
  /** Of a worker that was killed: it had accepted them, and had greeted or not. */
  readonly ownServed: number;
  readonly ownAccepted: number;
  /** Visits that broke though nobody was killed who had them: none is to. */
  readonly faults: readonly BrokenVisit[];
  readonly exitCode: number;
}

const WORKERS = 2;

/** Replaces and kills workers while their port is visited. */
export async function rollUnderLoad(
  { seconds, rolls, kills, visitors, threads = false }: Rolling,
): Promise<RollFigures> {
  await using program = await serveProgram("./greeting_app.ts", {
    workers: WORKERS,
    grace: 5,
    threads,
  });
  const load = new Visitors(program.port, visitors);
  const { workers } = load.visits;
  while (workers.size < WORKERS) await sleep(0.01);
  const begin = performance.now();
  const own = new Set<number>();
  for (let roll = 0; roll < rolls; roll += 1) {
    const known = workers.size;
    program.process.sendSignal("SIGHUP");
    if (roll < kills) { for (const port of await killOne(program)) own.add(port); }
    // Each worker has been replaced when as many new ones have greeted.
    while (workers.size < known + WORKERS) await sleep(0.01);
    await sleep((seconds - (performance.now() - begin) / 1000) / (rolls - roll));
  }
  const { answered, broken } = await load.stop();
  program.process.terminate();
  const exitCode = await program.process.wait();
  const isOwn = ({ stage, port }: BrokenVisit) => stage !== "connecting" && own.has(port);
  const ofKilled = broken.filter(isOwn);
  return {
    answered,
    workers: workers.size,
    ownServed: ofKilled.filter(({ stage }) => stage === "served").length,
    ownAccepted: ofKilled.filter(({ stage }) => stage === "waiting").length,
    faults: broken.filter((visit) => !isOwn(visit)),
    exitCode,
  };
}

/**
 * Kills a worker. It stands still before, so that what it has accepted can be told: returns the ports of
 * those visitors.
 */
async function killOne({ port }: ServedProgram): Promise<number[]> {
  let pid: number;
  {
    using guest = await visit(port);
    ({ pid } = guest);
  }
  const script = `
    kill -STOP ${pid}
    for task in /proc/${pid}/task/*; do
      until grep -q '^State:.[Tt]' $task/status; do :; done
    done
    ls -l /proc/${pid}/fd
    echo
    cat /proc/net/tcp
    kill -KILL ${pid}`;
  await using shell = await createSubprocessExec("sh", { args: ["-c", script], stdout: PIPE });
  const [output] = await shell.communicate();
  const [descriptors = "", sockets = ""] = new TextDecoder().decode(output).split("\n\n");
  const inodes = new Set([...descriptors.matchAll(/socket:\[(\d+)\]/g)].map(([, inode]) => inode));
  return sockets.trim().split("\n").slice(1).flatMap((line) => {
    const [, local = "", remote = "", , , , , , , inode] = line.trim().split(/\s+/);
    return inodes.has(inode) && portOf(local) === port ? [portOf(remote)] : [];
  });
}

/** Of an address as `/proc/net/tcp` writes it: `0100007F:1F90`. */
function portOf(address: string): number {
  return parseInt(address.split(":")[1] ?? "", 16);
}
