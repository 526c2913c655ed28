/**
 * The options of this folder; see `loop/values/check_options.ts`.
 *
 * @module
 */
import {
  ANYTHING,
  countFrom,
  FLAG,
  FUNCTION,
  LIST,
  OBJECT,
  type OptionKind,
  type OptionTable,
  SECONDS,
  SIGNAL,
  TEXT,
  TEXT_OR_URL,
} from "../loop/values/check_options.ts";
import type { CreateSubprocessExecOptions, CreateSubprocessOptions } from "./create_subprocess.ts";
import type { ProcessOptions } from "./process.ts";
import type { ServeWorkersOptions } from "./serve_workers.ts";
import type { SubprocessExecOptions, SubprocessOptions } from "./subprocess_exec.ts";

/** What a variable may be called is checked where the process is started. */
const ENVIRONMENT: OptionKind = {
  expected: "an object with strings",
  type: "object",
  fits: (value) =>
    OBJECT.fits(value) &&
    Object.values(value as object).every((item) => typeof item === "string"),
};

/** The greatest number but one means "unchanged" to the system, which would keep a child ours. */
const OWNER: OptionKind = {
  expected: `a number from 0 to ${2 ** 32 - 2}: Deno cannot look up a name`,
  type: "number",
  fits: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 32 - 1,
};

const PROCESS: OptionTable<ProcessOptions> = { grace: SECONDS, signal: SIGNAL };

/** What a standard stream and an argument may be has messages of its own. */
export const SUBPROCESS_SHELL: OptionTable<SubprocessOptions> = {
  stdin: ANYTHING,
  stdout: ANYTHING,
  stderr: ANYTHING,
  cwd: TEXT_OR_URL,
  env: ENVIRONMENT,
  clearEnv: FLAG,
  startNewSession: FLAG,
  user: OWNER,
  group: OWNER,
};

export const SUBPROCESS_EXEC: OptionTable<SubprocessExecOptions> = {
  args: LIST,
  ...SUBPROCESS_SHELL,
};

export const CREATE_SUBPROCESS_SHELL: OptionTable<CreateSubprocessOptions> = {
  ...SUBPROCESS_SHELL,
  ...PROCESS,
  limit: countFrom(1),
};

export const CREATE_SUBPROCESS_EXEC: OptionTable<CreateSubprocessExecOptions> = {
  args: LIST,
  ...CREATE_SUBPROCESS_SHELL,
};

const PORT: OptionKind = {
  expected: "a number from 0 to 65535",
  type: "number",
  fits: (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 16,
};

const WORKERS: OptionKind = {
  expected: "a whole number from 1",
  type: "number",
  fits: (value) => Number.isInteger(value) && Number(value) >= 1,
};

/** Permissions are checked where they are copied. */
export const SERVE_WORKERS: OptionTable<ServeWorkersOptions> = {
  workers: WORKERS,
  hostname: TEXT,
  port: PORT,
  grace: SECONDS,
  threads: FLAG,
  permissions: ANYTHING,
  args: LIST,
  onServing: FUNCTION,
  signal: SIGNAL,
};
