import type {
  Pipes,
  Platform,
  Processes,
  Signals,
  WorkerPermissions,
  WorkerProcesses,
  Workers,
} from "../../../loop/platform/platform.ts";

/** Thrown by a host that was asked: what it was asked. */
export class HostAsked extends Error {
  override name = "HostAsked";
}

function ask(what: string): never {
  throw new HostAsked(what);
}

const signals: Signals = { listen: (signal) => ask(`listen ${signal}`) };

const pipes: Pipes = {
  openRead: (_loop, handle) => ask(`read ${typeof handle === "number" ? handle : "object"}`),
  openWrite: (_loop, handle) => ask(`write ${typeof handle === "number" ? handle : "object"}`),
};

const processes: Processes = {
  shell: "/bin/sh",
  spawn: (_loop, program) => ask("command" in program ? program.command : program.commandLine),
};

const workers: Workers = {
  hardwareConcurrency: 1,
  start: () => ask("thread"),
  errorClass: () => null,
};

const workerProcesses: WorkerProcesses = {
  start: (_source, { permissions }) => ask(`process ${describe(permissions)}`),
};

function describe(permissions: WorkerPermissions): string {
  return JSON.stringify(permissions);
}

/** A host that does nothing, but fails with what it was asked to do. */
export const recordingParts: Partial<Platform> = {
  signals,
  pipes,
  processes,
  workers,
  workerProcesses,
};
