import type { Patch } from "./_patch.ts";
import { createRefusal } from "./_refused_call.ts";
import type { World } from "./_world.ts";

/** Methods of `process` that change it, or tell how the host fares. */
const REFUSED = ["chdir", "cpuUsage", "kill", "memoryUsage", "resourceUsage", "umask"];

/** What a program changes, or reads, of its process. */
export function effectPatches(): Patch[] {
  return [
    { target: Deno, key: "env", create: createEnv },
    { target: Deno, key: "osUptime", create: ({ clock }) => () => Math.floor(clock.now()) },
    // A simulated timer holds no process alive.
    { target: Deno, key: "refTimer", create: () => () => {} },
    { target: Deno, key: "unrefTimer", create: () => () => {} },
    { target: globalThis, key: "process", create: createProcess },
  ];
}

/** The environment as it was, with the changes of the program. */
function createEnv({ environment }: World, readOriginal: () => unknown): unknown {
  const real = readOriginal() as Deno.Env;
  return {
    get(name: string): string | undefined {
      const changed = environment.get(name);
      return changed === undefined ? real.get(name) : changed ?? undefined;
    },
    set(name: string, value: string): void {
      environment.set(name, String(value));
    },
    has(name: string): boolean {
      const changed = environment.get(name);
      return changed === undefined ? real.has(name) : changed !== null;
    },
    delete(name: string): void {
      environment.set(name, null);
    },
    toObject(): Record<string, string> {
      const variables = real.toObject();
      for (const [name, value] of environment) {
        if (value === null) delete variables[name];
        else variables[name] = value;
      }
      return variables;
    },
  };
}

/** `process`, with the time and the environment of the world. */
function createProcess(world: World, readOriginal: () => unknown): unknown {
  const nanoseconds = () => BigInt(Math.round(world.clock.now() * 1e9));
  const hrtime = (since?: readonly [number, number]): [number, number] => {
    const from = since === undefined ? 0n : BigInt(since[0]) * BILLION + BigInt(since[1]);
    const passed = nanoseconds() - from;
    return [Number(passed / BILLION), Number(passed % BILLION)];
  };
  const simulated: Record<string | symbol, unknown> = {
    uptime: () => world.clock.now(),
    hrtime: Object.assign(hrtime, { bigint: nanoseconds }),
    env: createVariables(),
    ...Object.fromEntries(REFUSED.map((key) => [key, createRefusal(`process.${key}()`, false)])),
  };
  return new Proxy(readOriginal() as Record<string | symbol, unknown>, {
    get: (target, key) => Object.hasOwn(simulated, key) ? simulated[key] : Reflect.get(target, key),
  });
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
