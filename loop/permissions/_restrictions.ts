import { NetGrant, parseNetEntry } from "./_net_grant.ts";
import { normalPath, PathGrant } from "./_path_grant.ts";
import { refusal } from "./_refusal.ts";
import type { LoopPermissions } from "./loop_permissions.ts";
import { copyPermissions, LOOP_KINDS } from "./permission_kinds.ts";
import { filePath } from "../platform/deno_system.ts";
import type { WorkerPermissions } from "../platform/worker_platform.ts";

/** The last of the standard streams. */
const STDERR = 2;

/** Kinds whose members are compared letter by letter. */
const LITERAL_KINDS = ["env", "ffi", "import", "sys"] as const;

/** {@linkcode LoopPermissions} made ready to be asked. A copy: later changes of them do nothing. */
export class Restrictions {
  /** Hosts. */
  readonly net: NetGrant;
  /** Unix sockets. */
  readonly unix: PathGrant;
  /** Programs. */
  readonly run: true | readonly string[];
  /** Signals. */
  readonly signals: true | readonly string[];
  /** Whether there may be threads. */
  readonly workers: boolean;
  /** Whether there may be worker processes. */
  readonly executors: boolean;
  readonly #read: PathGrant;
  readonly #write: PathGrant;
  readonly #permissions: LoopPermissions;

  /** @throws {TypeError} If a kind is unknown, or a member of a list is none of its kind. */
  constructor(given: LoopPermissions) {
    const permissions = copyPermissions(given, LOOP_KINDS);
    const { net = false, unix = false, read = false, write = false } = permissions;
    this.net = new NetGrant(net);
    this.unix = new PathGrant(unix);
    this.#read = new PathGrant(read);
    this.#write = new PathGrant(write);
    this.run = listOf(permissions.run, (command) => canonicalCommand(command));
    this.signals = listOf(permissions.signals, (signal) => signal);
    this.workers = permissions.workers ?? false;
    this.executors = permissions.executors ?? false;
    this.#permissions = permissions;
  }

  /** What a worker process may do that does all that the loop may. */
  get forWorkers(): WorkerPermissions {
    const { unix: _unix, signals: _signals, workers: _workers, executors: _executors, ...rest } =
      this.#permissions;
    return rest;
  }

  /**
   * A number may name any descriptor of the process, also one that is not of the loop. The standard
   * streams are there for all.
   */
  checkDescriptor(descriptor: number, kind: "read" | "write", action: string): void {
    const grant = kind === "read" ? this.#read : this.#write;
    if (descriptor > STDERR && !grant.isFull) throw refusal(action, kind, true);
  }

  /** Returns the error for a worker process with more than the loop has; `null` if it has not. */
  refuseWorker(wanted: WorkerPermissions): Error | null {
    const { run } = this;
    return this.#refuseKind(wanted, "net", (host) => this.#coversHost(host)) ??
      this.#refuseKind(wanted, "read", (path) => this.#read.allows(path)) ??
      this.#refuseKind(wanted, "write", (path) => this.#write.allows(path)) ??
      this.#refuseKind(wanted, "run", (name) => run === true || run.includes(String(name))) ??
      LITERAL_KINDS.map((kind) => this.#refuseLiteral(wanted, kind)).find((error) => error) ?? null;
  }

  #refuseLiteral(wanted: WorkerPermissions, kind: typeof LITERAL_KINDS[number]): Error | null {
    const own = this.#permissions[kind];
    const members = Array.isArray(own) ? own.map(String) : [];
    return this.#refuseKind(wanted, kind, (member) => members.includes(String(member)));
  }

  /** Looks at each member of what is wanted of a kind; all of it is covered by all of it only. */
  #refuseKind(
    wanted: WorkerPermissions,
    kind: keyof WorkerPermissions,
    covers: (member: string | URL) => boolean,
  ): Error | null {
    const grant = wanted[kind] ?? false;
    if (grant === false || this.#permissions[kind] === true) return null;
    if (grant === true) return refusal(`give a worker process all of ${kind}`, kind, true);
    const uncovered = grant.find((member) => !covers(member));
    if (uncovered === undefined) return null;
    return refusal(`give a worker process ${kind} "${uncovered}"`, kind, String(uncovered));
  }

  #coversHost(host: string | URL): boolean {
    const text = String(host);
    if (text.startsWith("unix:")) return this.unix.allows(text.slice("unix:".length));
    const entry = parseNetEntry(text);
    return entry !== null && this.net.covers(entry);
  }
}

/**
 * Returns `command` in the form that it is compared in: a path without `..`, from `cwd`. A bare
 * name is looked for in `PATH` and stays as it is.
 */
export function canonicalCommand(command: string, cwd?: string | URL): string {
  if (!/[\\/]/.test(command)) return command;
  if (/^([a-z]:|[\\/])/i.test(command)) return normalPath(command);
  if (cwd === undefined || cwd === "") return `./${normalPath(command)}`;
  return canonicalCommand(`${filePath(cwd)}/${command}`);
}

function listOf(
  grant: boolean | readonly string[] | undefined,
  canonical: (member: string) => string,
): true | readonly string[] {
  if (grant === true) return true;
  return grant === undefined || grant === false ? [] : grant.map(canonical);
}
