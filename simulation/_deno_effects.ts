import { EventEmitter } from "node:events";
import process from "node:process";
import { CancelledError } from "../loop/errors/errors.ts";
import type { Patch } from "./_patch.ts";
import { createRefusal } from "./_refused_call.ts";
import type { SimulatedSignals } from "./_signals.ts";
import { type World, worlds } from "./_world.ts";

/** What a program changes, or reads, of its process. */
export function effectPatches(): Patch[] {
  return [
    { target: Deno, key: "env", create: createEnv },
    { target: Deno, key: "osUptime", create: ({ clock }) => () => Math.floor(clock.now()) },
    { target: Deno, key: "hostname", create: (world) => () => world.place.name },
    { target: Deno, key: "pid", read: (world) => world.pidOf(world.place) },
    { target: Deno, key: "ppid", read: () => 1 },
    { target: Deno, key: "exit", create: createExit },
    { target: globalThis, key: "close", create: createExit },
    // A simulated timer holds no process alive.
    { target: Deno, key: "refTimer", create: () => () => {} },
    { target: Deno, key: "unrefTimer", create: () => () => {} },
    { target: Deno, key: "addSignalListener", create: createAddSignalListener },
    { target: Deno, key: "removeSignalListener", create: createRemoveSignalListener },
    ...processPatches(),
  ];
}

/** `process`, with the time and the environment of the world, by whatever import. */
function processPatches(): Patch[] {
  const target = process;
  return [
    { target, key: "uptime", create: ({ clock }) => () => clock.now() },
    { target, key: "hrtime", create: createHrtime },
    { target, key: "env", create: createVariables },
    { target: globalThis, key: "process", create: createProcess },
    ...["exit", "reallyExit"].map((key): Patch => ({ target, key, create: createExit })),
    ...LISTENING.map((key): Patch => ({ target, key, create: createListen })),
    ...REFUSED.map((key): Patch => ({
      target,
      key,
      create: () => createRefusal(`process.${key}()`, false),
    })),
  ];
}

/** Methods of `process` that change it, or tell how the host fares. */
const REFUSED = ["abort", "chdir", "cpuUsage", "kill", "memoryUsage", "resourceUsage", "umask"];

/** Methods of `process` that listen: to signals, and to what nobody has caught. */
const LISTENING = ["addListener", "on", "once", "prependListener", "prependOnceListener"];

/** Listeners end with who has added them. */
function createListen(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (event: string, listener: () => void) => unknown;
  return function (this: unknown, event: string, listener: () => void): unknown {
    const { removeListener } = EventEmitter.prototype;
    world.place.onEnd(() => Reflect.apply(removeListener, process, [event, listener]));
    return Reflect.apply(original, this, [event, listener]);
  };
}

function signalsOf({ place }: World): SimulatedSignals {
  return place.platform.signals as SimulatedSignals;
}

function createAddSignalListener(world: World): unknown {
  return (signal: Deno.Signal, handler: () => void): void => {
    const signals = signalsOf(world);
    signals.add(signal, handler);
    world.place.onEnd(() => signals.remove(signal, handler));
  };
}

function createRemoveSignalListener(world: World): unknown {
  return (signal: Deno.Signal, handler: () => void): void => {
    signalsOf(world).remove(signal, handler);
  };
}

/** A program that ends itself ends as one that is killed: its host resets its connections. */
function createExit(world: World): unknown {
  return (code: unknown = process.exitCode ?? 0): never => {
    const { place } = world;
    if (place.exit === null) throw createRefusal("Deno.exit()", false)();
    place.note(`exits with ${code}`);
    place.exit();
    // Nothing of it goes on.
    throw new CancelledError(`Cannot go on: the program on "${place.name}" has ended`);
  };
}

/** The environment as it was, with the changes of the program. */
function createEnv(_world: World, readOriginal: () => unknown): unknown {
  const real = readOriginal() as Deno.Env;
  // Modules keep it for longer than the simulation that has loaded them.
  const changes = () => worlds.getStore()?.environment;
  return {
    get(name: string): string | undefined {
      const changed = changes()?.get(name);
      return changed === undefined ? real.get(name) : changed ?? undefined;
    },
    set(name: string, value: string): void {
      changes()?.set(name, String(value));
    },
    has(name: string): boolean {
      const changed = changes()?.get(name);
      return changed === undefined ? real.has(name) : changed !== null;
    },
    delete(name: string): void {
      changes()?.set(name, null);
    },
    toObject(): Record<string, string> {
      const variables = real.toObject();
      for (const [name, value] of changes() ?? []) {
        if (value === null) delete variables[name];
        else variables[name] = value;
      }
      return variables;
    },
  };
}

/** `process.pid` itself cannot be replaced. */
function createProcess(_world: World, readOriginal: () => unknown): unknown {
  return new Proxy(readOriginal() as typeof process, {
    get: (target, key) => {
      return Reflect.get(key === "pid" || key === "ppid" ? Deno : target, key);
    },
  });
}

function createHrtime({ clock }: World): unknown {
  const nanoseconds = () => BigInt(Math.round(clock.now() * 1e9));
  const hrtime = (since?: readonly [number, number]): [number, number] => {
    const from = since === undefined ? 0n : BigInt(since[0]) * BILLION + BigInt(since[1]);
    const passed = nanoseconds() - from;
    return [Number(passed / BILLION), Number(passed % BILLION)];
  };
  return Object.assign(hrtime, { bigint: nanoseconds });
}

const BILLION = 1_000_000_000n;

/** `process.env`, which is `Deno.env` by other means. */
function createVariables(): unknown {
  return new Proxy({}, {
    get: (_, name) => typeof name === "string" ? Deno.env.get(name) : undefined,
    set(_, name, value) {
      Deno.env.set(String(name), String(value));
      return true;
    },
    has: (_, name) => typeof name === "string" && Deno.env.has(name),
    deleteProperty(_, name) {
      Deno.env.delete(String(name));
      return true;
    },
    ownKeys: () => Object.keys(Deno.env.toObject()),
    getOwnPropertyDescriptor(_, name) {
      const value = typeof name === "string" ? Deno.env.get(name) : undefined;
      if (value === undefined) return undefined;
      return { value, configurable: true, enumerable: true, writable: true };
    },
  });
}
