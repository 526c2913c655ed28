/**
 * **This backend needs `--allow-ffi`, with which a program may do anything: Deno's sandbox ends with
 * it.** It is for Linux, on x86_64 and arm64. Connections, listeners and datagrams are sockets of the
 * system's here, and cost about as much as uvloop's; TLS is OpenSSL 3's, where there is `libssl.so.3`; all
 * the rest is as on Deno's own backend, which stays the default. It is chosen by name:
 *
 * ```ts
 * import { run } from "@gyre/asyncio";
 * import { newNativeEventLoop } from "@gyre/asyncio/native";
 *
 * await run(async () => {}, { loopFactory: newNativeEventLoop });
 * ```
 *
 * or, once this module is imported, by `setEventLoopPolicy("native")`. Besides `--allow-ffi` a program
 * needs the permissions that it needs on Deno's own backend: each use of the network or of a path asks
 * for them. They guard against mistakes, not against code that means harm: that can use FFI itself.
 *
 * @module
 */
import { openLibcIfPermitted } from "./native_libc.ts";
import { registerNativePolicy } from "./native_loop.ts";
import { openOpenssl } from "./native_openssl.ts";
import { createServerCallbacks } from "./native_tls_callbacks.ts";

export { type NativeEventLoopOptions, newNativeEventLoop } from "./native_loop.ts";
export { nativePlatform } from "./native_platform.ts";
export { TransportSocket } from "./native_byte_channel.ts";
export { Socket, socket, type SocketFamily, type SocketKind, socketpair } from "./native_socket.ts";
export type { AnySocketAddress, NonBlockingSocket } from "../endpoints/sock_operations.ts";
export type { Descriptor } from "../endpoints/watch_descriptor.ts";

registerNativePolicy();
// Not within a test, which would be told that it has opened a library and not closed it.
if (openLibcIfPermitted() && openOpenssl()) createServerCallbacks();
