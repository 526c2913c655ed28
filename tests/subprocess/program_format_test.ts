// What can be started as a program, and what is said of the rest: as by CPython 3.13, which was
// asked for each. A file of unknown format is given to no shell.
import { assertEquals } from "@std/assert";
import { run } from "../../loop/mod.ts";
import { createSubprocessExec, PIPE } from "../../subprocess/mod.ts";
import { text } from "./_recorder.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

/** The files, and what `exit` of them tells. */
const FILES: Record<string, string> = {
  "greet": "#!/bin/sh\nexit 5\n",
  "text": "exit 42\n",
  "empty": "",
  "binary": "\0\x01\x02exit 43\n",
  "no name": "#!\nexit 44\n",
  "late": "\n#!/bin/sh\nexit 45\n",
  "no program": "#!/bin/sh\nexit 46\n",
  "no interpreter": "#!/nonexistent/interpreter\nexit 47\n",
  "cut": "\x7fELF cut",
  "folder/text": "exit 48\n",
  "folder/tool": "exit 49\n",
};

/** In the order of programs/odd_programs.ts. */
const EXPECTED = [
  ...["5", "ENOEXEC", "ENOEXEC", "ENOEXEC", "ENOEXEC", "ENOEXEC", "PermissionDenied"],
  ...["PermissionDenied", "NotFound", "5", "ENOEXEC", "ENOEXEC", "NotFound", "ENOEXEC"],
  ...["5", "NotFound", "0", "TypeError"],
];
/** What the shell alone does not see is told only where the files may be read. */
const EXPECTED_WHEN_READ = [...EXPECTED, "NotFound", "ENOEXEC", "ENOEXEC"];

async function createFiles(): Promise<string> {
  const folder = await Deno.makeTempDir({ dir: "/tmp" });
  await Deno.mkdir(`${folder}/folder`);
  const files = { ...FILES, "text as interpreter": `#!${folder}/text\nexit 50\n` };
  for (const [name, content] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, content, {
      mode: name === "no program" ? 0o644 : 0o755,
    });
  }
  return folder;
}

for (const stderr of ["null", "stdout"]) {
  for (const mayRead of [true, false]) {
    Deno.test(`subprocessExec() runs programs only (stderr ${stderr}, ${mayRead ? "" : "not "}allowed to read)`, () =>
      run(async () => {
        const folder = await createFiles();
        try {
          const program = filePath(new URL("programs/odd_programs.ts", import.meta.url));
          const flags = ["--quiet", "--no-prompt", "--no-check", "--allow-run", "--allow-env"];
          if (mayRead) flags.push("--allow-read");
          const args = ["run", ...flags, program, folder, stderr];
          const deno = await createSubprocessExec("deno", { args, stdout: PIPE });
          const [output] = await deno.communicate();
          const said = text(output).trim().split("\n");
          if (mayRead) assertEquals(said, EXPECTED_WHEN_READ);
          else assertEquals(said.slice(0, EXPECTED.length), EXPECTED);
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      }));
  }
}
