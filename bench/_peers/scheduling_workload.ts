import { FOLDER, isQuick, output, PYTHON, type Workload } from "./workload.ts";

/** Callbacks, timers and tasks, without any I/O. */
export const schedulingWorkload: Workload = {
  name: "scheduling",
  unit: "us per operation",
  peers: [
    { name: "ours", command: ["deno", "run", `${FOLDER}scheduling.ts`] },
    { name: "uvloop", command: [PYTHON, `${FOLDER}scheduling.py`, "uvloop"] },
    { name: "asyncio", command: [PYTHON, `${FOLDER}scheduling.py`, "asyncio"] },
  ],
  async measure(peer) {
    return JSON.parse(await output(isQuick ? [...peer.command, "--quick"] : peer.command));
  },
};
