import { describe } from "../loop/values/describe.ts";
import type { Program } from "../loop/platform/platform.ts";
import type { SubprocessOptions } from "./subprocess_exec.ts";

const TARGETS: readonly unknown[] = ["piped", "inherit", "null"];

/** Returns what `subprocessExec()` is to start. */
export function execProgram(command: string, args: readonly string[] = []): Program {
  checkText(command, "command");
  for (const arg of args) checkText(arg, "argument");
  return { command, args };
}

/** Returns what `subprocessShell()` is to start. */
export function shellProgram(commandLine: string): Program {
  checkText(commandLine, "command line");
  return { commandLine };
}

/** Throws a `TypeError` for an option of the wrong kind. */
export function checkOptions(options: SubprocessOptions): void {
  for (const name of ["stdin", "stdout", "stderr"] as const) {
    const target: unknown = options[name];
    if (target === undefined || TARGETS.includes(target)) continue;
    if (target === "stdout" && name === "stderr") continue;
    if (typeof target === "number" && Number.isInteger(target) && target >= 0) continue;
    throw new TypeError(
      `Cannot start a process: ${name} must be "piped", "inherit", "null"${
        name === "stderr" ? ', "stdout"' : ""
      } or a descriptor, got ${describe(target)}`,
    );
  }
  for (const name of Object.keys(options.env ?? {})) {
    if (name === "" || /[=\0]/.test(name)) {
      throw new TypeError(`Cannot start a process: "${name}" is no name of a variable`);
    }
  }
}

/** Throws unless `value` is text that a program can be given. */
function checkText(value: unknown, name: string): void {
  if (typeof value !== "string") {
    throw new TypeError(
      `Cannot start a process: expected a string as ${name}, got ${describeText(value)}`,
    );
  }
  if (value.includes("\0")) {
    throw new TypeError(`Cannot start a process: its ${name} contains a nul character`);
  }
}

/** Popen() of Python takes all words as one list. */
function describeText(value: unknown): string {
  return Array.isArray(value)
    ? 'a list; as in createSubprocessExec("echo", { args: ["hi"] })'
    : describe(value);
}
