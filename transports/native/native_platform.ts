import { createHostPlatform } from "../../loop/deno_event_loop.ts";
import type { Platform } from "../../loop/platform/platform.ts";
import { openLibc } from "./native_libc.ts";
import { NativeNetwork } from "./native_network.ts";
import { NativeReadiness } from "./native_readiness.ts";

/**
 * Creates what loops of the native backend stand on: sockets by system calls, and all the rest as
 * on Deno's own backend.
 *
 * @permissions allow-ffi
 * @category Native backend
 */
export function nativePlatform(): Platform {
  openLibc();
  return {
    ...createHostPlatform(),
    network: new NativeNetwork(),
    readiness: new NativeReadiness(),
  };
}
