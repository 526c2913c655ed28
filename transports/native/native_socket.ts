import * as inside from "../../loop/inside.ts";
import { InvalidStateError } from "../../loop/errors/errors.ts";
import { describe } from "../../loop/values/describe.ts";
import { formatAddress } from "../../loop/values/format_address.ts";
import type { AnySocketAddress } from "../endpoints/sock_operations.ts";
import { checkNetPermission } from "../deno/_deno_net_permission.ts";
import { explainNetworkError } from "../deno/_deno_network_error.ts";
import { checkUnixPermission } from "../deno/_deno_unix_permission.ts";
import {
  checked,
  closeDescriptor,
  openSocket,
  openSocketPair,
  setOption,
  takeError,
} from "./native_descriptors.ts";
import { EAGAIN, EINPROGRESS, EINTR, systemError } from "./native_errno.ts";
import { FileSource } from "./native_file.ts";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  MSG_NOSIGNAL,
  SHUT_WR,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOCK_NONBLOCK_CLOEXEC,
  SOCK_STREAM,
  SOCKADDR_SIZE,
  SOL_SOCKET,
} from "./native_layouts.ts";
import { errno, libc, openLibc } from "./native_libc.ts";
import {
  decodePath,
  decodeUnmapped,
  encodeAddress,
  encodePath,
  isConnected,
  mapAddress,
  ownAddress,
  peerAddress,
  type RawAddress,
} from "./native_raw_address.ts";

/**
 * The family of a {@linkcode Socket}.
 *
 * @category Native backend
 */
export type SocketFamily = "ipv4" | "ipv6" | "unix";

/**
 * The kind of a {@linkcode Socket}.
 *
 * @category Native backend
 */
export type SocketKind = "stream" | "datagram";

const FAMILIES: Readonly<Record<SocketFamily, number>> = {
  ipv4: AF_INET,
  ipv6: AF_INET6,
  unix: AF_UNIX,
};
const KINDS: Readonly<Record<SocketKind, number>> = { stream: SOCK_STREAM, datagram: SOCK_DGRAM };

const sender = new Uint8Array(SOCKADDR_SIZE);
const senderSize = new Uint32Array(1);

/**
 * A socket of the system's, which never blocks: for `loop.sockRecv()` and its kin, and for
 * `loop.addReader()`. As Python's `socket.socket`. Created by {@linkcode socket} and
 * {@linkcode socketpair}; who creates it closes it.
 *
 * @category Native backend
 *
 * @example Two sockets that are connected
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { getRunningLoop, run } from "@gyre/asyncio";
 * import { newNativeEventLoop, socketpair } from "@gyre/asyncio/native";
 *
 * await run(async () => {
 *   const loop = getRunningLoop();
 *   const [ours, theirs] = socketpair();
 *   await loop.sockSendall(ours, new TextEncoder().encode("ping"));
 *   assertEquals(new TextDecoder().decode(await loop.sockRecv(theirs, 100)), "ping");
 *   ours.close();
 *   theirs.close();
 * }, { loopFactory: newNativeEventLoop });
 * ```
 */
export class Socket implements Disposable {
  /** Its family. */
  readonly family: SocketFamily;
  /** Its kind. */
  readonly kind: SocketKind;
  #descriptor: number;

  /** @ignore By {@linkcode socket}, {@linkcode socketpair} and `loop.sockAccept()`. */
  constructor(descriptor: number, family: SocketFamily, kind: SocketKind) {
    this.#descriptor = descriptor;
    this.family = family;
    this.kind = kind;
  }

  /** The number of its descriptor, -1 once it is closed. As `fileno()`. */
  get fd(): number {
    return this.#descriptor;
  }

  /** Where it is bound. As `getsockname()`. */
  get address(): Deno.Addr {
    return this.#decode(ownAddress(this.#open("tell the address of")));
  }

  /** Who it is connected to; `null` if it is not. As `getpeername()`. */
  get peerAddress(): Deno.Addr | null {
    const bytes = peerAddress(this.#open("tell the peer of"));
    return bytes.length === 0 ? null : this.#decode(bytes);
  }

  /**
   * Binds it to an address in numbers, or to a path. A port that a closed listener has left may be
   * bound at once.
   *
   * Needs `--allow-net=<hostname>:<port>`, or for a path `--allow-read`, `--allow-write` and
   * `--allow-net=unix:<path>`.
   */
  bind(address: AnySocketAddress): void {
    const descriptor = this.#open("bind");
    const { bytes } = this.#admit(address, "bind a socket to");
    if (this.kind === "stream" && this.family !== "unix") {
      setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, 1);
    }
    this.#explained(`bind a socket to ${quote(address)}`, () => {
      checked(libc.bind(descriptor, bytes, bytes.length));
    });
  }

  /** Has it accept connections, of which `backlog` may wait. */
  listen(backlog = 128): void {
    checked(libc.listen(this.#open("listen on"), backlog));
  }

  /** Ends the side that sends. As `shutdown(SHUT_WR)`. */
  shutdownWrite(): void {
    checked(libc.shutdown(this.#open("end"), SHUT_WR));
  }

  /** Closes it. Operations that wait for it wait on: cancel them first. Idempotent. */
  close(): void {
    if (this.#descriptor < 0) return;
    closeDescriptor(this.#descriptor);
    this.#descriptor = -1;
  }

  /** As {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** @ignore */
  [inside.tryAccept](): [socket: Socket, address: Deno.Addr] | null {
    const descriptor = this.#open("accept a connection from");
    senderSize[0] = SOCKADDR_SIZE;
    const accepted = libc.accept4(descriptor, sender, senderSize, SOCK_NONBLOCK_CLOEXEC);
    if (accepted < 0) return blocked(errno());
    const address = this.#decode(sender.slice(0, senderSize[0]));
    return [new Socket(accepted, this.family, this.kind), address];
  }

  /** @ignore */
  [inside.tryConnect](address: AnySocketAddress): boolean {
    const descriptor = this.#open("connect");
    const { bytes } = this.#admit(address, "connect a socket to");
    return this.#explained(`connect a socket to ${quote(address)}`, () => {
      if (libc.connect(descriptor, bytes, bytes.length) === 0) return true;
      const number = errno();
      if (number !== EINPROGRESS && number !== EAGAIN) throw systemError(number);
      return false;
    });
  }

  /** @ignore */
  [inside.endConnect](): boolean {
    const descriptor = this.#open("connect");
    const number = takeError(descriptor);
    if (number !== 0) throw explainNetworkError(systemError(number), "connect a socket");
    return isConnected(descriptor);
  }

  /** @ignore */
  [inside.tryReceive](memory: Uint8Array): number | null {
    const descriptor = this.#open("receive from");
    const count = libc.recv(descriptor, memory, memory.length, 0);
    return count < 0 ? blocked(errno()) : count;
  }

  /** @ignore */
  [inside.tryReceiveFrom](memory: Uint8Array): [count: number, address: Deno.Addr] | null {
    const descriptor = this.#open("receive from");
    senderSize[0] = SOCKADDR_SIZE;
    const count = libc.recvfrom(descriptor, memory, memory.length, 0, sender, senderSize);
    if (count < 0) return blocked(errno());
    return [count, this.#decode(sender.slice(0, senderSize[0]))];
  }

  /** @ignore */
  [inside.trySend](bytes: Uint8Array): number | null {
    const descriptor = this.#open("send to");
    const count = libc.send(descriptor, bytes, bytes.length, MSG_NOSIGNAL);
    return count < 0 ? blocked(errno()) : count;
  }

  /** @ignore */
  [inside.trySendTo](bytes: Uint8Array, address: AnySocketAddress): number | null {
    const descriptor = this.#open("send to");
    const target = this.#admit(address, "send to");
    const { bytes: name } = target;
    const count = libc.sendto(descriptor, bytes, bytes.length, MSG_NOSIGNAL, name, name.length);
    return count < 0 ? blocked(errno()) : count;
  }

  /** @ignore */
  [inside.sendFile](file: unknown): {
    send(offset: number, count: number): number | null | "unavailable";
    close(): void;
  } | null {
    const source = FileSource.of(file);
    if (source === null) return null;
    return {
      send: (offset, count) => {
        const result = source.send(this.#open("send a file to"), offset, count);
        if (typeof result === "number" && result < 0) throw systemError(-result);
        return result;
      },
      close: () => source.close(),
    };
  }

  #open(action: string): number {
    if (this.#descriptor >= 0) return this.#descriptor;
    throw new InvalidStateError(`Cannot ${action} a socket: it is closed`);
  }

  /** Returns `address` as the system takes it, if the process may use it. */
  #admit(address: AnySocketAddress, action: string): RawAddress {
    if (this.family === "unix") {
      if (!("path" in address) || typeof address.path !== "string") throw wrong(address, "a path");
      checkUnixPermission(address.path);
      const raw = encodePath(address.path);
      if (raw !== null) return raw;
      throw new TypeError(`Cannot ${action} "${address.path}": path must be shorter than SUN_LEN`);
    }
    if (!("hostname" in address) || typeof address.hostname !== "string") {
      throw wrong(address, "a hostname and a port");
    }
    const { hostname, port } = address;
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      throw new RangeError(`Cannot ${action} port ${port}: it is not between 0 and 65535`);
    }
    this.#explained(`${action} ${quote(address)}`, () => checkNetPermission({ hostname, port }));
    const raw = encodeAddress({ hostname, port });
    if (raw === null) throw wrong(address, "a hostname in numbers");
    const fits = raw.family === FAMILIES[this.family];
    if (fits) return raw;
    if (this.family === "ipv6") return mapAddress(raw);
    throw new TypeError(`Cannot ${action} ${quote(address)}: the socket is one of IPv4`);
  }

  #explained<T>(action: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw explainNetworkError(error, action);
    }
  }

  #decode(bytes: Uint8Array): Deno.Addr {
    if (this.family === "unix") return { transport: "unix", path: decodePath(bytes) };
    return decodeUnmapped(bytes, this.kind === "stream" ? "tcp" : "udp");
  }
}

/**
 * Creates a socket. As `socket.socket()`.
 *
 * @permissions allow-ffi
 * @category Native backend
 */
export function socket(family: SocketFamily = "ipv4", kind: SocketKind = "stream"): Socket {
  openLibc();
  return new Socket(openSocket(familyNumber(family), kindNumber(kind)), family, kind);
}

/**
 * Creates two sockets that are connected to each other. As `socket.socketpair()`.
 *
 * @permissions allow-ffi
 * @category Native backend
 */
export function socketpair(kind: SocketKind = "stream"): [Socket, Socket] {
  openLibc();
  const [first, second] = openSocketPair(AF_UNIX, kindNumber(kind));
  return [new Socket(first, "unix", kind), new Socket(second, "unix", kind)];
}

function familyNumber(family: SocketFamily): number {
  const number = Object.hasOwn(FAMILIES, family) ? FAMILIES[family] : undefined;
  if (number !== undefined) return number;
  throw new TypeError(`Cannot create a socket of ${describe(family)}: there is no such family`);
}

function kindNumber(kind: SocketKind): number {
  const number = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (number !== undefined) return number;
  throw new TypeError(`Cannot create a socket of ${describe(kind)}: there is no such kind`);
}

/** `null` for what would block; throws all else. */
function blocked(number: number): null {
  if (number === EAGAIN || number === EINTR) return null;
  throw systemError(number);
}

function wrong(address: unknown, expected: string): TypeError {
  return new TypeError(`Cannot use an address: expected ${expected}, got ${describe(address)}`);
}

function quote(address: AnySocketAddress): string {
  return `"${"path" in address ? address.path : formatAddress(address)}"`;
}
