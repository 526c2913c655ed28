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
 * @example A server that shows each client the certificate of the host that it asks for
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { openConnection, run, startServer } from "@gyre/asyncio";
 * import { newNativeEventLoop } from "@gyre/asyncio/native";
 *
 * const read = (name: string) => Deno.readTextFileSync(`tests/transports/certificates/${name}`);
 * const hosts: Record<string, { cert: string; key: string }> = {
 *   "elsewhere.example": { cert: read("wrong_host.pem"), key: read("wrong_host.key") },
 * };
 *
 * const shown = await run(async () => {
 *   await using server = await startServer((_reader, writer) => writer.close(), {
 *     hostname: "127.0.0.1",
 *     tls: {
 *       cert: read("server.pem"),
 *       key: read("server_encrypted.key"),
 *       password: "open sesame",
 *       sni: (name) => hosts[name ?? ""] ?? null,
 *     },
 *   });
 *   const [, writer] = await openConnection({
 *     port: server.address.port,
 *     tls: { caCerts: [read("authority.pem")] },
 *     serverHostname: "elsewhere.example",
 *   });
 *   writer.close();
 *   return writer.getExtraInfo("tls")?.peerCertificate?.subject.CN;
 * }, { loopFactory: newNativeEventLoop });
 * assertEquals(shown, "elsewhere");
 * ```
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
