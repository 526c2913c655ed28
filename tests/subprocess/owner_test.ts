// Who a process runs as. Another user can be had by root only: elsewhere the same calls are refused.
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { run } from "../../loop/mod.ts";
import { createSubprocessExec, createSubprocessShell, PIPE, STDOUT } from "../../subprocess/mod.ts";
import type { CreateSubprocessOptions } from "../../subprocess/mod.ts";
import { text } from "./_recorder.ts";

const SHOW = "echo $(id -u) $(id -g)";
const NOBODY = 65534;

/** Returns the numbers of user and group of a process. */
async function ownersOf(options: CreateSubprocessOptions): Promise<[number, number]> {
  const shell = await createSubprocessShell(SHOW, { ...options, stdout: PIPE });
  const [output] = await shell.communicate();
  const [user = -1, group = -1] = text(output).trim().split(" ").map(Number);
  return [user, group];
}

for (const stderr of ["inherit", STDOUT] as const) {
  Deno.test(`user and group change who a process runs as, or are refused (stderr ${stderr})`, () =>
    run(async () => {
      const [user, group] = await ownersOf({ stderr });
      assertEquals(await ownersOf({ stderr, user, group }), [user, group]);
      const changed: CreateSubprocessOptions[] = [
        { user: NOBODY },
        { group: NOBODY },
        { user: NOBODY, group: NOBODY },
      ];
      for (const options of changed) {
        if (user !== 0) {
          await assertRejects(
            async () => await ownersOf({ ...options, stderr }),
            Deno.errors.PermissionDenied,
          );
        } else {
          assertEquals(
            await ownersOf({ ...options, stderr }),
            [options.user ?? user, options.group ?? group],
          );
        }
      }
    }));
}

Deno.test("user and group refuse what is the number of nobody, so that no child stays ours", () =>
  run(() => {
    for (const name of ["user", "group"] as const) {
      for (const value of [-1, 1.5, NaN, 2 ** 32 - 1, 2 ** 32]) {
        const start = () =>
          createSubprocessExec("true", { [name]: value } as CreateSubprocessOptions);
        assertThrows(start, RangeError, name);
      }
      for (const value of ["nobody", null, {}, 1n]) {
        const start = () => createSubprocessExec("true", { [name]: value } as never);
        assertThrows(start, TypeError, name);
      }
    }
  }));

Deno.test("Options of asyncio that Deno has no counterpart of are refused by name", () =>
  run(() => {
    const names = [
      ...["extraGroups", "extra_groups", "umask", "executable", "preexecFn", "passFds", "closeFds"],
      ...[
        "processGroup",
        "restoreSignals",
        "creationflags",
        "shell",
        "uid",
        "gid",
        "start_new_session",
      ],
    ];
    for (const name of names) {
      const options = { [name]: 1 } as never;
      assertThrows(() => createSubprocessExec("true", options), TypeError, name);
      assertThrows(() => createSubprocessShell("true", options), TypeError, name);
    }
  }));
