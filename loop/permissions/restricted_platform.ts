import type { LoopPermissions } from "./loop_permissions.ts";
import type {
  Clock,
  Network,
  Pipes,
  Platform,
  Processes,
  Random,
  ReadableHandle,
  Readiness,
  Signals,
  Tls,
  WorkerLink,
  WorkerPermissions,
  WorkerProcesses,
  WorkerProcessOptions,
  Workers,
  WorkerSink,
  WorkerThreadOptions,
  WritableHandle,
} from "../platform/platform.ts";
import type { ReadyQueue } from "../scheduling/ready_queue.ts";
import { PermittedHosts } from "./_permitted_hosts.ts";
import { refusal } from "./_refusal.ts";
import { RestrictedNetwork } from "./_restricted_network.ts";
import { RestrictedProcesses } from "./_restricted_processes.ts";
import { Restrictions } from "./_restrictions.ts";

/**
 * A platform with less than `host` has: it refuses before `host` is asked.
 *
 * It decorates the seam, so all that stands on the seam is held to it, on Deno and in a simulation.
 */
export class RestrictedPlatform implements Platform {
  /** What is restricted. */
  readonly host: Platform;
  readonly clock: Clock;
  readonly random: Random;
  readonly signals: Signals;
  readonly network: Network;
  readonly pipes: Pipes;
  readonly processes: Processes;
  readonly workers: Workers;
  readonly workerProcesses: WorkerProcesses;
  readonly createReadyQueue?: () => ReadyQueue;
  readonly readiness?: Readiness;
  readonly tls?: Tls;
  readonly #restrictions: Restrictions;

  /** @throws {TypeError} If a member of a list is none of its kind. */
  constructor(host: Platform, permissions: LoopPermissions) {
    const restrictions = new Restrictions(permissions);
    this.host = host;
    this.clock = host.clock;
    this.random = host.random;
    if (host.createReadyQueue !== undefined) this.createReadyQueue = host.createReadyQueue;
    if (host.tls !== undefined) this.tls = host.tls;
    this.signals = restrictSignals(host, restrictions);
    this.network = new RestrictedNetwork(host, restrictions);
    this.pipes = restrictPipes(host, restrictions);
    this.processes = new RestrictedProcesses(host, restrictions);
    this.workers = new RestrictedWorkers(host, restrictions);
    if (host.readiness !== undefined) {
      this.readiness = restrictReadiness(host.readiness, restrictions);
    }
    this.workerProcesses = new RestrictedWorkerProcesses(host, restrictions);
    this.#restrictions = restrictions;
  }

  /** What jobs of the loop's own executor are held to in processes; `null` if they get threads. */
  get jobPermissions(): WorkerPermissions | null {
    const { workers, executors, forWorkers } = this.#restrictions;
    return !workers && executors ? forWorkers : null;
  }
}

/** Returns the platform that `platform` restricts, or itself. */
export function unrestricted(platform: Platform): Platform {
  return platform instanceof RestrictedPlatform ? platform.host : platform;
}

function restrictSignals(host: Platform, { signals }: Restrictions): Signals {
  return {
    listen(signal, callback) {
      if (signals === true || signals.includes(signal)) {
        return host.signals.listen(signal, callback);
      }
      throw refusal(`handle signal "${signal}"`, "signals", signal);
    },
  };
}

function restrictPipes(host: Platform, restrictions: Restrictions): Pipes {
  const check = (handle: ReadableHandle | WritableHandle, kind: "read" | "write") => {
    if (typeof handle !== "number") return;
    restrictions.checkDescriptor(handle, kind, `${kind} descriptor ${handle}`);
  };
  return {
    openRead(loop, handle) {
      check(handle, "read");
      return host.pipes.openRead(loop, handle);
    },
    openWrite(loop, handle) {
      check(handle, "write");
      return host.pipes.openWrite(loop, handle);
    },
  };
}

function restrictReadiness(host: Readiness, restrictions: Restrictions): Readiness {
  const hosts = new PermittedHosts(restrictions.net);
  return {
    watch(loop, descriptor, kind, ready) {
      restrictions.checkDescriptor(descriptor, kind, `watch descriptor ${descriptor}`);
      return host.watch(loop, descriptor, kind, ready);
    },
    checkAddress(address, verb) {
      if ("path" in address) {
        if (restrictions.unix.admit(address.path) === address.path) return;
        throw refusal(`${verb} "${address.path}"`, "unix", address.path);
      }
      const error = hosts.refuseSending(address, verb);
      if (error !== null) throw error;
    },
  };
}

class RestrictedWorkers implements Workers {
  readonly #host: Platform;
  readonly #allowed: boolean;

  constructor(host: Platform, { workers }: Restrictions) {
    this.#host = host;
    this.#allowed = workers;
  }

  get hardwareConcurrency(): number {
    return this.#host.workers.hardwareConcurrency;
  }

  refusal(): Error | null {
    return this.#allowed ? null : refusal("run a job on a worker thread", "workers", true);
  }

  start(source: string, options: WorkerThreadOptions, sink: WorkerSink): WorkerLink {
    const error = this.refusal();
    if (error !== null) throw error;
    return this.#host.workers.start(source, options, sink);
  }

  errorClass(name: string): (abstract new (message?: string) => Error) | null {
    return this.#host.workers.errorClass(name);
  }
}

class RestrictedWorkerProcesses implements WorkerProcesses {
  readonly #host: Platform;
  readonly #restrictions: Restrictions;

  constructor(host: Platform, restrictions: Restrictions) {
    this.#host = host;
    this.#restrictions = restrictions;
  }

  refusal(permissions: WorkerPermissions): Error | null {
    if (this.#restrictions.executors) return this.#restrictions.refuseWorker(permissions);
    return refusal("run a job in a worker process", "executors", true);
  }

  start(source: string, options: WorkerProcessOptions, sink: WorkerSink): WorkerLink {
    const error = this.refusal(options.permissions);
    if (error !== null) throw error;
    return this.#host.workerProcesses.start(source, options, sink);
  }
}
