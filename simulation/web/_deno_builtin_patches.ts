import childProcess from "node:child_process";
import cluster from "node:cluster";
import dns from "node:dns";
import fs from "node:fs";
import http2 from "node:http2";
import https from "node:https";
import inspector from "node:inspector";
import os from "node:os";
import perfHooks from "node:perf_hooks";
import process from "node:process";
import repl from "node:repl";
import sqlite from "node:sqlite";
import tls from "node:tls";
import tty from "node:tty";
import v8 from "node:v8";
import vm from "node:vm";
import wasi from "node:wasi";
import workerThreads from "node:worker_threads";
import type { Gate, Patch } from "../_patch.ts";
import { createRefusal } from "../_refused_call.ts";
import type { World } from "../_world.ts";
import { cryptoPatches } from "./_deno_crypto.ts";

/** What of `node:fs` touches nothing. */
const HARMLESS_OF_FILES: ReadonlySet<string> = new Set([
  "BigIntStats",
  "CFISBIS",
  "Dirent",
  "Stats",
  "_toUnixTimestamp",
  "convertFileInfoToBigIntStats",
  "convertFileInfoToStats",
  "unwatchFile",
]);

/** Functions that are refused, and classes that cannot be used, by module. */
const REFUSED: Readonly<Record<string, readonly [module: object, ...keys: string[]]>> = {
  "node:child_process": [
    childProcess,
    "exec",
    "execFile",
    "execFileSync",
    "execSync",
    "fork",
    "spawn",
    "spawnSync",
  ],
  "node:cluster": [cluster, "fork"],
  "node:dns": [dns, "setServers"],
  "node:http2": [http2, "connect", "createSecureServer", "createServer", "performServerHandshake"],
  "node:https": [https, "createServer", "get", "request"],
  "node:inspector": [inspector, "Session", "open", "waitForDebugger"],
  "node:os": [os, "freemem", "loadavg", "networkInterfaces", "setPriority", "totalmem"],
  "node:perf_hooks": [perfHooks, "monitorEventLoopDelay"],
  "process": [
    process,
    "abort",
    "availableMemory",
    "chdir",
    "constrainedMemory",
    "cpuUsage",
    "dlopen",
    "getActiveResourcesInfo",
    "kill",
    "loadEnvFile",
    "memoryUsage",
    "resourceUsage",
    "setegid",
    "seteuid",
    "setgid",
    "setuid",
    "threadCpuUsage",
    "umask",
  ],
  "node:repl": [repl, "REPLServer", "start"],
  "node:tls": [tls, "connect", "createServer"],
  "node:tty": [tty, "ReadStream"],
  "node:v8": [
    v8,
    "getHeapCodeStatistics",
    "getHeapSnapshot",
    "getHeapSpaceStatistics",
    "getHeapStatistics",
    "queryObjects",
    "setFlagsFromString",
    "setHeapSnapshotNearHeapLimit",
    "stopCoverage",
    "takeCoverage",
    "writeHeapSnapshot",
  ],
  // Another context has a clock and chance of its own.
  "node:vm": [vm, "createContext", "measureMemory", "runInContext", "runInNewContext"],
  "vm.Script": [vm.Script.prototype, "runInContext", "runInNewContext"],
  "node:wasi": [wasi, "WASI"],
  "node:worker_threads": [workerThreads, "BroadcastChannel", "Worker", "postMessageToThread"],
};

/** What the modules of Node reach the host by, besides what is below them. */
export function builtinPatches(): Patch[] {
  return [
    ...filePatches(),
    ...Object.entries(REFUSED).flatMap(([name, [target, ...keys]]) => {
      return keys.flatMap((key) => refuse(target, `${name}.`, key));
    }),
    { target: os, key: "uptime", create: ({ clock }) => () => Math.floor(clock.now()) },
    { target: os, key: "hostname", create: (world) => () => world.place.name },
    { target: os, key: "cpus", create: createCpus },
    { target: sqlite, key: "DatabaseSync", create: createDatabaseClass },
    ...cryptoPatches(),
  ];
}

/** Classes that are refused by whatever name they were imported. */
export function builtinGates(): Gate[] {
  return Object.entries({
    "node:http2": Reflect.get(http2, "Http2Session") as object,
    "node:inspector.Session()": inspector.Session,
  }).map(([name, gated]) => ({ gated, refuse: createRefusal(name, false) as () => never }));
}

/** Functions of `node:fs` throw, those of `node:fs/promises` reject. */
function filePatches(): Patch[] {
  const ofFiles = Object.keys(fs).filter((key) => {
    return typeof Reflect.get(fs, key) === "function" && !HARMLESS_OF_FILES.has(key);
  });
  const promised = Object.keys(fs.promises).filter((key) => {
    return typeof Reflect.get(fs.promises, key) === "function";
  });
  return [
    ...ofFiles.flatMap((key) => refuse(fs, "node:fs.", key)),
    ...promised.flatMap((key) => refuse(fs.promises, "node:fs/promises.", key, true)),
  ];
}

/** What can be called is refused; of a class its instances are still known. */
function refuse(target: object, prefix: string, key: string, rejects = false): Patch[] {
  if (!(key in target)) return [];
  const refusal = createRefusal(`${prefix}${key}()`, rejects);
  const isClass = /^[A-Z]/.test(key);
  return [{
    target,
    key,
    create: (_world, readOriginal) => {
      if (!isClass) return refusal;
      return new Proxy(readOriginal() as () => void, { apply: refusal, construct: refusal });
    },
  }];
}

/** How many there are stays; what they have done is the host's. */
function createCpus(_world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as typeof os.cpus;
  const times = { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 };
  return () => original().map(({ model }) => ({ model, speed: 0, times }));
}

/** A database in memory touches nothing. */
function createDatabaseClass(_world: World, readOriginal: () => unknown): unknown {
  return new Proxy(readOriginal() as typeof sqlite.DatabaseSync, {
    construct(target, args: unknown[], newTarget) {
      if (args[0] === ":memory:") return Reflect.construct(target, args, newTarget);
      throw createRefusal("new DatabaseSync() of a file", false)();
    },
  });
}
