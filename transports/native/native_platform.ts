import { createHostPlatform } from "../../loop/deno_event_loop.ts";
import type { Platform } from "../../loop/platform/platform.ts";
import { openLibc } from "./native_libc.ts";
import { NativeNetwork } from "./native_network.ts";
import { openOpenssl } from "./native_openssl.ts";
import { NativeReadiness } from "./native_readiness.ts";
import { nativeTls } from "./native_tls_context.ts";

/**
 * Creates what loops of the native backend stand on: sockets by system calls, TLS by OpenSSL 3 where
 * the system has it (`libssl.so.3`), and all the rest as on Deno's own backend.
 *
 * @permissions allow-ffi
 * @category Native backend
 */
export function nativePlatform(): Platform {
  openLibc();
  const hasTls = openOpenssl();
  return {
    ...createHostPlatform(),
    network: new NativeNetwork(),
    readiness: new NativeReadiness(),
    ...hasTls ? { tls: nativeTls } : {},
  };
}
