import { usedHandlePatches } from "../_deno_handles.ts";
import type { Patch } from "../_patch.ts";
import type { Web, World } from "../_world.ts";
import { builtinGates, builtinPatches } from "./_deno_builtin_patches.ts";
import { commonJsPatches } from "./_deno_common_js.ts";
import { serveDeno } from "./_deno_conn.ts";
import { serveDns } from "./_deno_dns.ts";
import { createFetch } from "./_deno_fetch.ts";
import { httpPatches } from "./_deno_http.ts";
import { createServe } from "./_deno_serve.ts";
import { serveStreamHandle, streamHandlePatches } from "./_deno_stream_handles.ts";
import { serveDatagramHandle } from "./_deno_udp.ts";
import { createUpgrade } from "./_deno_upgrade.ts";
import { createWebSocketClass } from "./_deno_websocket.ts";

/** Creates what stands for an original. */
type Server = (world: World, readOriginal: () => unknown) => unknown;

/** What is served by its whole name. */
const SERVERS: Readonly<Record<string, Server>> = {
  "fetch": createFetch,
  "Deno.serve": createServe,
  "Deno.upgradeWebSocket": createUpgrade,
  "new WebSocket": createWebSocketClass,
};

/** What it replaces besides; the list is made once. */
let patches: readonly Patch[] | null = null;

/** What serves the web in a simulation that asks for it. */
export const web: Web = {
  serve(name, world, readOriginal, target): unknown {
    const server = SERVERS[name];
    if (server !== undefined) return server(world, readOriginal);
    const [module, key] = splitName(name);
    switch (module) {
      case "Deno":
        return serveDeno(key, world);
      case "node:net":
        return serveStreamHandle(key, world, readOriginal, target);
      case "node:dgram":
        return serveDatagramHandle(key, world, readOriginal);
      case "node:dns":
        return serveDns(key, world);
      default:
        return undefined;
    }
  },
  gates: builtinGates,
  patches: (): readonly Patch[] => {
    return patches ??= [
      ...usedHandlePatches(),
      ...streamHandlePatches(),
      ...httpPatches(),
      ...builtinPatches(),
      ...commonJsPatches(),
    ];
  },
};

/** Splits `node:net.connect` before the last dot; what has none is a global. */
function splitName(name: string): [module: string, key: string] {
  const dot = name.lastIndexOf(".");
  return dot < 0 ? ["", name] : [name.slice(0, dot), name.slice(dot + 1)];
}
