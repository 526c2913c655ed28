import { FOLDER, isQuick, output, PYTHON, type Workload } from "./workload.ts";

const RUN = "--allow-run=/bin/true,cat,head,sh";

/** Starting child processes, and talking to them over pipes. */
export const processesWorkload: Workload = {
  name: "processes",
  unit: "us of wall time, of a machine with two cores",
  peers: [
    { name: "ours", command: ["deno", "run", RUN, `${FOLDER}processes.ts`] },
    { name: "raw Deno", command: ["deno", "run", RUN, `${FOLDER}raw_deno_processes.ts`] },
    { name: "asyncio", command: [PYTHON, `${FOLDER}processes.py`, "asyncio"] },
    { name: "uvloop", command: [PYTHON, `${FOLDER}processes.py`, "uvloop"] },
  ],
  async measure(peer) {
    return JSON.parse(await output(isQuick ? [...peer.command, "--quick"] : peer.command));
  },
};
