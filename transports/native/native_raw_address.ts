import { unmap } from "../../loop/values/host_name.ts";
import type { SocketAddress } from "../../loop/platform/platform.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  SOCKADDR_SIZE,
  UNIX_PATH,
  UNIX_PATH_SIZE,
} from "./native_layouts.ts";
import { libc } from "./native_libc.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** An address as the system takes it. */
export interface RawAddress {
  /** A `sockaddr`, no longer than its kind is. */
  readonly bytes: Uint8Array;
  /** Its family: `AF_INET`, `AF_INET6` or `AF_UNIX`. */
  readonly family: number;
}

/** Returns `hostname`, which is numeric, and `port` as a `sockaddr`; `null` if it is no address. */
export function encodeAddress({ hostname, port }: SocketAddress): RawAddress | null {
  const family = hostname.includes(":") ? AF_INET6 : AF_INET;
  const bytes = new Uint8Array(family === AF_INET ? 16 : 28);
  const host = bytes.subarray(family === AF_INET ? 4 : 8);
  if (libc.inet_pton(family, encoder.encode(`${hostname}\0`), host) !== 1) return null;
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  return { bytes, family };
}

/** Returns an IPv4 address as the IPv6 one that it is in. */
export function mapAddress({ bytes }: RawAddress): RawAddress {
  const mapped = new Uint8Array(28);
  mapped.set(bytes.subarray(2, 4), 2);
  mapped.fill(0xff, 18, 20);
  mapped.set(bytes.subarray(4, 8), 20);
  new DataView(mapped.buffer).setUint16(0, AF_INET6, true);
  return { bytes: mapped, family: AF_INET6 };
}

/** Sets the port of an address of the Internet. */
export function setPort(bytes: Uint8Array, port: number): void {
  bytes[2] = port >> 8;
  bytes[3] = port & 0xff;
}

/** Returns the path of a Unix socket as a `sockaddr`; `null` if it is too long. */
export function encodePath(path: string): RawAddress | null {
  const text = encoder.encode(path);
  // A name that Linux keeps outside of the file system is as long as it is; a path ends with a 0.
  const size = UNIX_PATH + text.length + (path.startsWith("\0") ? 0 : 1);
  if (size > UNIX_PATH + UNIX_PATH_SIZE) return null;
  const bytes = new Uint8Array(size);
  bytes[0] = AF_UNIX;
  bytes.set(text, UNIX_PATH);
  return { bytes, family: AF_UNIX };
}

/** Reads the host and the port in `bytes`, a `sockaddr` of the Internet. */
export function decodeAddress(bytes: Uint8Array): { hostname: string; port: number } {
  const port = (bytes[2] as number) << 8 | bytes[3] as number;
  if (bytes[0] === AF_INET) return { hostname: bytes.subarray(4, 8).join("."), port };
  return { hostname: formatIpv6(bytes.subarray(8, 24)), port };
}

/** As {@linkcode decodeAddress}; an IPv4 address in IPv6 is the IPv4 address. */
export function decodeUnmapped(
  bytes: Uint8Array,
  transport: "tcp" | "udp",
): Deno.NetAddr {
  const { hostname, port } = decodeAddress(bytes);
  return {
    transport,
    hostname: hostname.startsWith("::ffff:") ? hostname.slice("::ffff:".length) : unmap(hostname),
    port,
  };
}

/** Reads the path in `bytes`, the `sockaddr` of a Unix socket. */
export function decodePath(bytes: Uint8Array): string {
  const path = bytes.subarray(UNIX_PATH);
  if (path[0] === 0) return decoder.decode(path);
  const end = path.indexOf(0);
  return decoder.decode(end < 0 ? path : path.subarray(0, end));
}

const text = new Uint8Array(64);

function formatIpv6(address: Uint8Array): string {
  libc.inet_ntop(AF_INET6, address, text, text.length);
  return decoder.decode(text.subarray(0, text.indexOf(0)));
}

const own = new Uint8Array(SOCKADDR_SIZE);
const ownSize = new Uint32Array(1);

/** Returns where `descriptor` is bound. */
export function ownAddress(descriptor: number): Uint8Array {
  ownSize[0] = SOCKADDR_SIZE;
  const isKnown = libc.getsockname(descriptor, own, ownSize) === 0;
  return own.slice(0, isKnown ? ownSize[0] : 2);
}

/** Whether there is somebody at the other end of `descriptor`. */
export function isConnected(descriptor: number): boolean {
  ownSize[0] = SOCKADDR_SIZE;
  return libc.getpeername(descriptor, own, ownSize) === 0;
}

/** Returns who is at the other end of `descriptor`. */
export function peerAddress(descriptor: number): Uint8Array {
  return isConnected(descriptor) ? own.slice(0, ownSize[0]) : own.slice(0, 0);
}
