/** Starts a child that would run for long, says its number, and ends without it. */
import { createSubprocessExec, DenoEventLoop, run } from "../../../mod.ts";

const start = async () => {
  const child = await createSubprocessExec("sleep", { args: ["1000"], stdout: "null" });
  console.log(child.pid);
};
if (Deno.args[0] === "run") await run(start);
else {
  // Neither a stopped loop nor its signal handlers hold the program alive.
  const loop = new DenoEventLoop();
  loop.addSignalHandler("SIGUSR2", () => {});
  await loop.runUntilComplete(start);
}
