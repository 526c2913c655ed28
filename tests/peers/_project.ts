/**
 * A project of its own that has the package as JSR gives it: a folder with nothing but a link.
 *
 * @module
 */
import { filePath } from "../../loop/platform/deno_system.ts";

/** Calls `use` with a folder that has `files`, by name, and a link to the package. */
export async function withProject<T>(
  files: Readonly<Record<string, string>>,
  use: (folder: string) => Promise<T>,
  compilerOptions: object = {},
): Promise<T> {
  const links = [filePath(new URL("../../", import.meta.url))];
  const folder = await Deno.makeTempDir({ dir: "/tmp" });
  try {
    const config = JSON.stringify({ links, compilerOptions });
    await Deno.writeTextFile(`${folder}/deno.json`, config);
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(`${folder}/${name}`, text);
    }
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs Deno in a folder, and gives what it prints. */
export async function runDeno(
  cwd: string,
  args: string[],
  variables: Record<string, string> = {},
): Promise<string> {
  const env = { NO_COLOR: "1", ...variables };
  const output = await new Deno.Command("deno", { args, cwd, env, stdin: "null" }).output();
  const text = new TextDecoder();
  if (!output.success) throw new Error(`Cannot run "${args}": ${text.decode(output.stderr)}`);
  return text.decode(output.stdout);
}
