/**
 * The options of this folder; see `loop/check_options.ts`.
 *
 * @module
 */
import {
  ANYTHING,
  countFrom,
  either,
  FLAG,
  LIST,
  OBJECT,
  type OptionKind,
  type OptionTable,
  SECONDS,
  TEXT,
} from "../loop/check_options.ts";
import type { CreateSubprocessExecOptions, CreateSubprocessOptions } from "./create_subprocess.ts";
import type { ProcessOptions } from "./process.ts";
import type { SubprocessExecOptions, SubprocessOptions } from "./subprocess_exec.ts";

/** What a variable may be called is checked where the process is started. */
const ENVIRONMENT: OptionKind = {
  expected: "an object with strings",
  type: "object",
  fits: (value) =>
    OBJECT.fits(value) &&
    Object.values(value as object).every((item) => typeof item === "string"),
};

const PROCESS: OptionTable<ProcessOptions> = { grace: SECONDS };

/** What a standard stream and an argument may be has messages of its own. */
export const SUBPROCESS_SHELL: OptionTable<SubprocessOptions> = {
  stdin: ANYTHING,
  stdout: ANYTHING,
  stderr: ANYTHING,
  cwd: either(TEXT, OBJECT),
  env: ENVIRONMENT,
  clearEnv: FLAG,
  startNewSession: FLAG,
};

export const SUBPROCESS_EXEC: OptionTable<SubprocessExecOptions> = {
  ...SUBPROCESS_SHELL,
  args: LIST,
};

export const CREATE_SUBPROCESS_SHELL: OptionTable<CreateSubprocessOptions> = {
  ...SUBPROCESS_SHELL,
  ...PROCESS,
  limit: countFrom(1),
};

export const CREATE_SUBPROCESS_EXEC: OptionTable<CreateSubprocessExecOptions> = {
  ...CREATE_SUBPROCESS_SHELL,
  args: LIST,
};
