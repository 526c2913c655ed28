import { filePath } from "../../loop/platform/deno_system.ts";

/** A folder of the package; each imports only from those below it. */
export type Layer =
  | "loop"
  | "transports"
  | "subprocess"
  | "executor"
  | "simulation"
  | "inspector";

/** What each layer may import besides itself. */
export const LAYERS: Readonly<Record<Layer, readonly Layer[]>> = {
  loop: [],
  transports: ["loop"],
  subprocess: ["loop", "transports"],
  executor: ["loop"],
  simulation: ["loop", "transports", "subprocess", "executor"],
  inspector: ["loop"],
};

/**
 * The rooms inside of a layer, and whose values each may import besides its own. What is not listed
 * here, the files at the top of a layer, may import all rooms of the layer, and no room imports it.
 */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  "loop/inside.ts": [],
  "loop/values": ["loop/inside.ts"],
  "loop/errors": ["loop/inside.ts", "loop/values"],
  "loop/scheduling": ["loop/inside.ts", "loop/values", "loop/errors"],
  "loop/tasks": ["loop/inside.ts", "loop/values", "loop/errors", "loop/scheduling"],
  "loop/platform": ["loop/inside.ts", "loop/values", "loop/errors", "loop/scheduling"],
  "loop/permissions": [
    "loop/inside.ts",
    "loop/values",
    "loop/errors",
    "loop/tasks",
    "loop/platform",
  ],
  "loop/synchronisation": [
    "loop/inside.ts",
    "loop/values",
    "loop/errors",
    "loop/scheduling",
    "loop/tasks",
  ],
  "loop/structure": [
    "loop/inside.ts",
    "loop/values",
    "loop/errors",
    "loop/scheduling",
    "loop/tasks",
    "loop/synchronisation",
  ],
  "loop/inspection": [
    "loop/inside.ts",
    "loop/values",
    "loop/errors",
    "loop/scheduling",
    "loop/tasks",
    "loop/structure",
  ],
  "loop/event_loop.ts": [
    "loop/inside.ts",
    "loop/values",
    "loop/errors",
    "loop/scheduling",
    "loop/tasks",
    "loop/platform",
    "loop/inspection",
  ],

  "executor/queue": [
    "executor/_options.ts",
    "executor/_revive_error.ts",
    "executor/_sendable.ts",
    "executor/_thrown_record.ts",
    "executor/create_job.ts",
    "executor/process_pool_executor.ts",
  ],

  "simulation/web": [
    "simulation/_deno_handles.ts",
    "simulation/_deno_modules.ts",
    "simulation/_deno_timers.ts",
    "simulation/_options.ts",
    "simulation/_patch.ts",
    "simulation/_place.ts",
    "simulation/_refused_call.ts",
    "simulation/_run_once.ts",
    "simulation/_simulated_channel.ts",
    "simulation/_world.ts",
    "simulation/explore.ts",
    "simulation/schedule.ts",
    "simulation/seeded_random.ts",
    "simulation/simulate.ts",
    "simulation/simulated_host.ts",
    "simulation/simulation.ts",
    "simulation/trace.ts",
  ],

  "transports/_options.ts": [],
  "transports/protocol.ts": [],
  "transports/transport.ts": ["transports/protocol.ts"],
  "transports/names": ["transports/_options.ts"],
  "transports/core": [
    "transports/_options.ts",
    "transports/protocol.ts",
    "transports/transport.ts",
    "transports/names",
  ],
  "transports/tls": ["transports/core"],
  "transports/deno": ["transports/core", "transports/names"],
  "transports/native": [
    "transports/endpoints",
    "transports/_options.ts",
    "transports/protocol.ts",
    "transports/transport.ts",
    "transports/core",
    "transports/names",
    "transports/tls",
    "transports/deno",
  ],
  "transports/endpoints": [
    "transports/_options.ts",
    "transports/protocol.ts",
    "transports/transport.ts",
    "transports/core",
    "transports/names",
    "transports/tls",
    "transports/deno",
  ],
  "transports/streams": [
    "transports/_options.ts",
    "transports/protocol.ts",
    "transports/transport.ts",
    "transports/core",
    "transports/endpoints",
  ],
};

/** Why the tables of options name types of rooms that import them. */
const HELD = "a table of options is held to the interface that it checks";

/**
 * Types that run back against {@linkcode ROOMS}; types are gone at run time and close no cycle.
 * Everybody may name the types of loops.
 */
export const TYPES_BACK: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "loop/values": {
    "loop/scheduling": HELD,
    "loop/tasks": `${HELD}; who tells coroutines says their type`,
    "loop/structure": HELD,
    "loop/synchronisation": HELD,
    "loop/inspection": HELD,
    "loop/runner.ts": HELD,
  },
  "loop/scheduling": {
    "loop/tasks": "what runs now is a task: the slot of the current one holds it",
    "loop/platform": "the driver is given its clock",
    "loop/inspection": "who runs steps tells what measures them",
  },
  "loop/tasks": {
    "loop/inspection": "a task has what was measured of it",
  },
  "loop/synchronisation": {
    "loop/inspection": "a queue tells what measures it how full it is",
  },
  "loop/platform": {
    "loop/tasks": "what takes time on a platform gives a future",
  },
  "loop/permissions": {
    "loop/scheduling": "a platform may bring its own ready queue",
  },
  "executor/queue": {
    "executor/executor.ts": "it is one more executor",
  },
  "transports/_options.ts": {
    "transports/transport.ts": HELD,
    "transports/core": HELD,
    "transports/names": HELD,
    "transports/tls": HELD,
    "transports/endpoints": HELD,
    "transports/streams": HELD,
  },
  "transports/protocol.ts": {
    "transports/transport.ts": "a protocol is given its transport",
  },
  "transports/transport.ts": {
    "transports/tls": "a transport tells what TLS has agreed on",
  },
};

/** The types that everybody in loop/ may name: `getLoop()` has that of the composition root. */
const LOOPS = ["loop/event_loop.ts", "loop/deno_event_loop.ts"];

/** Where the repository is, with a slash at its end. */
const ROOT = new URL("../../", import.meta.url);

/** Gives the path of a linted file from the root of the repository: `loop/tasks/future.ts`. */
export function repositoryPath(filename: string): string {
  const path = filename.replaceAll("\\", "/");
  const root = filePath(ROOT).replaceAll("\\", "/");
  return path.startsWith(root) ? path.slice(root.length) : path;
}

/** Gives the layer that a path from the root of the repository is in, if any. */
export function layerOf(path: string): Layer | undefined {
  const [folder, ...rest] = path.split("/");
  return rest.length > 0 && isLayer(folder) ? folder : undefined;
}

/** Gives the room that a path is in; a file at the top of a layer may be one of its own. */
export function roomOf(path: string): string | undefined {
  const room = Object.hasOwn(ROOMS, path) ? path : path.split("/").slice(0, 2).join("/");
  return Object.hasOwn(ROOMS, room) ? room : undefined;
}

/** Which rooms of its own layer `room` may import, of values or of types alone. */
export function reachOf(room: string, typesOnly: boolean): readonly string[] {
  const values = [room, ...ROOMS[room] ?? []];
  if (!typesOnly) return values;
  const loops = room.startsWith("loop/") ? LOOPS : [];
  return [...values, ...Object.keys(TYPES_BACK[room] ?? {}), ...loops];
}

function isLayer(name: string | undefined): name is Layer {
  return name !== undefined && Object.hasOwn(LAYERS, name);
}
