import { architecture, filePath, isLinux } from "../loop/platform/deno_system.ts";
import type { DenoCommandOptions } from "./deno_processes.ts";

/**
 * Refuses files that the system cannot run.
 *
 * *Theory of operation.* Deno starts programs with `execvp()`, which hands a file whose format the
 * system does not know to `/bin/sh`. That must not be found out by trying. So the file is looked at
 * before: it must be a program for this machine, or a script that names its interpreter. Where Deno
 * may not read it, the shell looks, if that may be run; else it is started as it is.
 *
 * @module
 */

const SHELL = "/bin/sh";
/** What {@linkcode CHECK} exits with. */
const UNKNOWN_FORMAT = 125;

/** Looks at the program $1, found as the system finds it. What is not there is left to the system. */
const CHECK = `
found=
case $1 in
  */*) found=$1 ;;
  *)
    IFS=:
    for folder in $PATH; do
      file=\${folder:-.}/$1
      [ -f "$file" ] && [ -x "$file" ] && found=$file && break
    done
esac
[ -f "$found" ] && [ -x "$found" ] && [ -r "$found" ] || exit 0
unset IFS
line=
read -r line < "$found"
case $line in ?ELF?* | "#!"*[!\\ ]*) exit 0 ;; esac
exit ${UNKNOWN_FORMAT}`;

/** As many interpreters of interpreters as Linux follows. */
const MAX_INTERPRETERS = 5;
/** As much of a file as Linux looks at. */
const HEAD_SIZE = 256;
const ELF_MAGIC = 0x7f454c46;
/** Where an ELF file says which machine it is for, and how. */
const ELF_DATA = 5;
const ELF_MACHINE = 18;
const MACHINES: Readonly<Record<string, readonly number[]>> = {
  x86_64: [62, 3],
  aarch64: [183, 40],
};

/**
 * Throws if the program that `command` names is of a format that the system does not know.
 *
 * @throws {Error} With the code `ENOEXEC`.
 * @throws {Deno.errors.NotFound} If the interpreter that it names is not there.
 */
export function checkFormat(command: string, options: DenoCommandOptions): void {
  if (!isLinux()) return;
  const mayRead = readCheck();
  const file = findProgram(command, options, mayRead);
  const isKnown = file === "unknown"
    ? isKnownToShell(command, options)
    : isKnownFormat(file, mayRead);
  if (isKnown) return;
  const error = new Error(`Cannot run "${command}": the format of the file is unknown`);
  throw Object.assign(error, { code: "ENOEXEC" });
}

/** Returns the file that is started; `null` if there is none, and `unknown` if it may not be read. */
function findProgram(
  command: string,
  options: DenoCommandOptions,
  mayRead: (path: string) => boolean,
): string | null {
  if (command.includes("/")) {
    const file = inFolder(options.cwd, command);
    return mayRead(file) ? file : "unknown";
  }
  const path = pathOf(options);
  if (path === null) return "unknown";
  // Deno takes a relative folder in it from ours, whatever the `cwd` of the child is.
  for (const folder of path.split(":")) {
    const file = `${folder || "."}/${command}`;
    if (!mayRead(file)) return "unknown";
    if (isProgram(file)) return file;
  }
  return null;
}

/** Returns the `PATH` of the child, or `null` if that may not be known. */
function pathOf({ env, clearEnv }: DenoCommandOptions): string | null {
  if (env?.["PATH"] !== undefined) return env["PATH"];
  if (clearEnv === true) return null;
  return isGranted({ name: "env", variable: "PATH" }) ? Deno.env.get("PATH") ?? null : null;
}

function inFolder(cwd: string | URL | undefined, path: string): string {
  if (path.startsWith("/") || cwd === undefined) return path;
  return `${filePath(cwd)}/${path}`;
}

/** Returns what tells whether a file may be read. To ask takes longer than to look at it. */
function readCheck(): (path: string) => boolean {
  if (isGranted({ name: "read" })) return () => true;
  return (path) => isGranted({ name: "read", path });
}

function isGranted(permission: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(permission).state === "granted";
}

function isProgram(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch {
    return false;
  }
}

/** Whether the system knows the format of `path`, or says itself what else is wrong with it. */
function isKnownFormat(
  path: string | null,
  mayRead: (path: string) => boolean,
  depth = 0,
): boolean {
  if (path === null || !isProgram(path)) return true;
  const head = readHead(path);
  if (head === null || isElf(head)) return true;
  const [line = ""] = new TextDecoder().decode(head).split("\n", 1);
  const [, interpreter] = /^#![ \t]*([^ \t\0]+)/.exec(line) ?? [];
  if (interpreter === undefined || depth >= MAX_INTERPRETERS) return false;
  if (!mayRead(interpreter)) return true;
  if (exists(interpreter)) return isKnownFormat(interpreter, mayRead, depth + 1);
  throw new Deno.errors.NotFound(`Cannot run "${path}": there is no interpreter "${interpreter}"`);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

function readHead(path: string): Uint8Array<ArrayBuffer> | null {
  try {
    using file = Deno.openSync(path);
    const head = new Uint8Array(HEAD_SIZE);
    return head.subarray(0, file.readSync(head) ?? 0);
  } catch {
    return null;
  }
}

/** Whether `head` is that of a program for this machine. */
function isElf(head: Uint8Array<ArrayBuffer>): boolean {
  if (head.length < ELF_MACHINE + 2) return false;
  const view = new DataView(head.buffer);
  if (view.getUint32(0) !== ELF_MAGIC) return false;
  const machine = view.getUint16(ELF_MACHINE, view.getUint8(ELF_DATA) === 1);
  return MACHINES[architecture()]?.includes(machine) ?? true;
}

function isKnownToShell(command: string, { cwd, env, clearEnv }: DenoCommandOptions): boolean {
  if (!isGranted({ name: "run", command: SHELL })) return true;
  const silent = { stdin: "null", stdout: "null", stderr: "null" } as const;
  const place = command.includes("/") ? { cwd } : {};
  const options = { ...place, env, clearEnv, ...silent } as Deno.CommandOptions;
  try {
    const shell = new Deno.Command(SHELL, { ...options, args: ["-c", CHECK, "sh", command] });
    return shell.outputSync().code !== UNKNOWN_FORMAT;
  } catch {
    // The start itself fails for the same reason, and says so.
    return true;
  }
}
