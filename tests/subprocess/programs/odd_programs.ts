// Starts files that are programs or none, and prints what comes of each. Its argument is the folder
// that they are in, and what becomes of their errors.
import { createSubprocessExec, DEVNULL, run } from "../../../mod.ts";
import type { CreateSubprocessExecOptions } from "../../../mod.ts";

const [folder = "", stderr = ""] = Deno.args;

const STARTS: [command: string, options?: CreateSubprocessExecOptions][] = [
  [`${folder}/greet`],
  [`${folder}/text`],
  [`${folder}/empty`],
  [`${folder}/binary`],
  [`${folder}/no name`],
  [`${folder}/late`],
  [`${folder}/folder`],
  [`${folder}/no program`],
  [`${folder}/nothing`],
  ["./greet", { cwd: folder }],
  ["./text", { cwd: folder }],
  ["folder/text", { cwd: folder }],
  ["greet", { cwd: folder }],
  ["tool", { env: { PATH: `${folder}/folder` } }],
  ["greet", { env: { PATH: folder } }],
  ["tool", { env: { PATH: folder } }],
  ["sh"],
  ["a\0b"],
  [`${folder}/no interpreter`],
  [`${folder}/text as interpreter`],
  [`${folder}/cut`],
];

await run(async () => {
  for (const [command, options = {}] of STARTS) {
    try {
      const process = await createSubprocessExec(command, {
        ...options,
        clearEnv: options.env !== undefined,
        stdin: DEVNULL,
        stdout: DEVNULL,
        stderr: stderr === "stdout" ? "stdout" : DEVNULL,
      });
      console.log(`${await process.wait()}`);
    } catch (error) {
      const { name, code } = error as Error & { code?: string };
      console.log(name === "Error" ? code : name);
    }
  }
});
