// Prints what starting a child says while no descriptor is free, and afterwards.
import {
  createSubprocessExec,
  createSubprocessShell,
  DEVNULL,
  ProcessPoolExecutor,
  run,
} from "../../../mod.ts";

const STARTS: [name: string, start: () => Promise<unknown>][] = [
  ["exec", async () => await (await createSubprocessExec("true", { stdout: DEVNULL })).wait()],
  ["shell", async () => await (await createSubprocessShell("true")).wait()],
  ["pool", async () => {
    await using pool = new ProcessPoolExecutor({ maxWorkers: 1 });
    return await pool.submit(() => 0);
  }],
];

await run(async () => {
  const open: Deno.FsFile[] = [];
  try {
    for (;;) open.push(Deno.openSync(new URL(import.meta.url)));
  } catch {
    // No descriptor is left.
  }
  const said: string[] = [];
  for (const [name, start] of STARTS) {
    said.push(await start().then(() => `${name} started`, (error) => error.message));
  }
  for (const file of open) file.close();
  for (const [name, start] of STARTS) said.push(`${name} ${await start()}`);
  console.log(said.join("\n"));
});
