import { isLinux } from "../loop/platform/deno_system.ts";

/** Can be granted alone, and is by whoever may start command lines. */
const SHELL = "/bin/sh";

/**
 * Finds what a process has started, and what that has started. Run as `list PID`, which prints
 * `pid:start` for each, or as `kill PID pid:start…`, which ends them, and those that are listed; the
 * process itself is left alone, and is "" once it has ended. The time of its start tells a process
 * from a later one of the same number.
 *
 * A process that is stopped starts nothing more. But it may just have: so all are looked at again
 * until nothing new is found. The script starts no program, and no other shell.
 */
const SCRIPT = `
readStart() {
  start=
  read -r line < "/proc/$1/stat" || return
  set -- \${line##*) }
  shift 19
  start=$1
}
readChildren() {
  children=
  for file in "/proc/$1/task/"*/children; do
    list=
    read -r list < "$file"
    children="$children $list"
  done
}
action=$1 root=$2 found=" "
shift 2
for entry; do
  readStart "\${entry%:*}"
  [ "$start" = "\${entry#*:}" ] && found="$found\${entry%:*} "
done
new=$found
while :; do
  [ "$action" = kill ] && [ "$new" != " " ] && kill -s STOP $new
  new=" "
  for pid in $root $found; do
    readChildren "$pid"
    for child in $children; do
      case "$found$new" in *" $child "*) ;; *) new="$new$child " ;; esac
    done
  done
  [ "$new" = " " ] && break
  found="$found$new"
done
for pid in $found; do
  case $action in
    list) readStart "$pid"; echo "$pid:$start" ;;
    kill) kill -s KILL "$pid" ;;
  esac
done
exit 0`;

/** Whether it can be known what a process has started: on Linux, where the shell may be run. */
export function mayFollowTrees(): boolean {
  if (!isLinux()) return false;
  return Deno.permissions.querySync({ name: "run", command: SHELL }).state === "granted";
}

/** Returns what process `pid` has started and is still there, for {@linkcode killDescendants}. */
export function listDescendants(pid: number): string[] {
  return runScript("list", pid, []).split("\n").filter((entry) => entry !== "");
}

/**
 * Kills what process `pid` has started, which is stopped or `null` once it has ended, and those of
 * `listed` that are still there.
 */
export function killDescendants(pid: number | null, listed: readonly string[]): void {
  runScript("kill", pid, listed);
}

function runScript(action: "list" | "kill", pid: number | null, listed: readonly string[]): string {
  const args = ["-c", SCRIPT, "sh", action, `${pid ?? ""}`, ...listed];
  const shell = new Deno.Command(SHELL, { args, stdin: "null", stdout: "piped", stderr: "null" });
  try {
    return new TextDecoder().decode(shell.outputSync().stdout);
  } catch {
    // Where no descriptor or process is left for the shell, the process alone is ended.
    return "";
  }
}
