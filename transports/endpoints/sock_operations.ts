/**
 * The operations of asyncio's loop on sockets of the program's own.
 *
 * *Theory of operation.* Each tries at once, and waits until the socket is ready where that would
 * block. Nothing is lost when it is cancelled: bytes are taken only by the try that gives them.
 *
 * @module
 */
import * as inside from "../../loop/inside.ts";
import { checkOptions } from "../../loop/values/check_options.ts";
import { describe } from "../../loop/values/describe.ts";
import { ensureFuture } from "../../loop/tasks/ensure_future.ts";
import { SendfileNotAvailableError } from "../../loop/errors/errors.ts";
import { NamedFuture } from "../../loop/tasks/named_future.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { SocketAddress } from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import { SENDFILE } from "../_options.ts";
import { remedyForBytes } from "../core/_remedy_for_bytes.ts";
import {
  checkFile,
  checkRange,
  type SendableFile,
  type SendfileOptions,
  SIZE_OF_PIECE,
} from "./sendfile.ts";
import { readinessOf } from "./watch_descriptor.ts";

/**
 * Where a socket is or goes to: a {@linkcode SocketAddress} in numbers, or the path of a Unix socket.
 *
 * @category Native backend
 */
export type AnySocketAddress = Readonly<SocketAddress> | {
  /** The path of a Unix socket. */
  readonly path: string;
};

/**
 * A socket that never blocks, as the `sock*` methods of a loop take it. What would block gives
 * `null`.
 *
 * @category Native backend
 */
export interface NonBlockingSocket {
  /** The number of its descriptor; -1 once it is closed. */
  readonly fd: number;
  /** @ignore */
  [inside.tryAccept](): [socket: NonBlockingSocket, address: Deno.Addr] | null;
  /** @ignore Begins to connect; says whether it is connected. */
  [inside.tryConnect](address: AnySocketAddress): boolean;
  /** @ignore Throws what connecting has failed with; `false` where it has to begin again. */
  [inside.endConnect](): boolean;
  /** @ignore */
  [inside.tryReceive](memory: Uint8Array): number | null;
  /** @ignore */
  [inside.tryReceiveFrom](memory: Uint8Array): [count: number, address: Deno.Addr] | null;
  /** @ignore */
  [inside.trySend](bytes: Uint8Array): number | null;
  /** @ignore */
  [inside.trySendTo](bytes: Uint8Array, address: AnySocketAddress): number | null;
  /** @ignore Returns what has the system send `file`; `null` if it cannot. */
  [inside.sendFile](file: unknown): FileCopier | null;
}

/** Copies parts of a file to a socket; throws what the system fails with. */
export interface FileCopier {
  /** As that of a `FileSender`. */
  send(offset: number, count: number): number | null | "unavailable";
  /** Ends it. */
  close(): void;
}

/** Seconds until a Unix socket whose server has no room is tried again. */
const RETRY_DELAY = 0.005;

/** As `loop.sock_accept()`. */
export function sockAccept<S extends NonBlockingSocket>(
  loop: PlatformLoop,
  sock: S,
): Future<[socket: S, address: Deno.Addr]> {
  return start(
    loop,
    "accept a connection",
    sock,
    "read",
    () => sock[inside.tryAccept]() as [S, Deno.Addr] | null,
  );
}

/** As `loop.sock_connect()`. */
export function sockConnect(
  loop: PlatformLoop,
  sock: NonBlockingSocket,
  address: AnySocketAddress,
): Future<void> {
  return startOperation(loop, connectSteps(loop, sock, address));
}

function* connectSteps(
  loop: PlatformLoop,
  sock: NonBlockingSocket,
  address: AnySocketAddress,
): Coroutine<void> {
  const readiness = checkSocket(loop, "connect a socket", sock);
  const target = copyAddress(address);
  readiness.checkAddress?.(target, "connect to");
  for (;;) {
    if (sock[inside.tryConnect](target)) return;
    yield* untilReady(loop, sock, "write");
    if (sock[inside.endConnect]()) return;
    const pause = loop.createFuture<void>();
    const timer = loop.callLater(RETRY_DELAY, () => pause.setResult());
    try {
      yield* pause;
    } finally {
      timer.cancel();
    }
  }
}

/** As `loop.sock_recv()`. */
export function sockRecv(
  loop: PlatformLoop,
  sock: NonBlockingSocket,
  size: number,
): Future<Uint8Array> {
  return startOperation(
    loop,
    (function* () {
      const memory = new Uint8Array(checkSize(size));
      const count = yield* sockRecvInto(loop, sock, memory);
      return count === size ? memory : memory.slice(0, count);
    })(),
  );
}

/** As `loop.sock_recv_into()`. */
export function sockRecvInto(
  loop: PlatformLoop,
  sock: NonBlockingSocket,
  memory: Uint8Array,
): Future<number> {
  const receive = () => sock[inside.tryReceive](checkMemory(memory));
  return start(loop, "receive", sock, "read", receive);
}

/** As `loop.sock_recvfrom()`. */
export function sockRecvfrom(
  loop: PlatformLoop,
  sock: NonBlockingSocket,
  size: number,
): Future<[bytes: Uint8Array, address: Deno.Addr]> {
  return startOperation(
    loop,
    (function* (): Coroutine<[bytes: Uint8Array, address: Deno.Addr]> {
      const memory = new Uint8Array(checkSize(size));
      const [count, address] = yield* sockRecvfromInto(loop, sock, memory);
      return [count === size ? memory : memory.slice(0, count), address];
    })(),
  );
}

/** As `loop.sock_recvfrom_into()`. */
export function sockRecvfromInto(
  loop: PlatformLoop,
  sock: NonBlockingSocket,
  memory: Uint8Array,
): Future<[count: number, address: Deno.Addr]> {
  const receive = () => sock[inside.tryReceiveFrom](checkMemory(memory));
  return start(loop, "receive", sock, "read", receive);
}

/** As `loop.sock_sendall()`. */
export function sockSendall(
  loop: PlatformLoop,
  sock: NonBlockingSocket,
  bytes: Uint8Array,
): Future<void> {
  return startOperation(loop, sendAllSteps(loop, sock, bytes));
}

function* sendAllSteps(
  loop: PlatformLoop,
  sock: NonBlockingSocket,
  bytes: Uint8Array,
): Coroutine<void> {
  checkSocket(loop, "send", sock);
  const { length } = checkBytes(bytes);
  for (let sent = 0; sent < length;) {
    const count = sock[inside.trySend](sent === 0 ? bytes : bytes.subarray(sent));
    if (count === null) yield* untilReady(loop, sock, "write");
    else sent += count;
    if (bytes.length !== length) {
      throw new TypeError(`Cannot send ${length} bytes: their memory was changed meanwhile`);
    }
  }
}

/** As `loop.sock_sendto()`. */
export function sockSendto(
  loop: PlatformLoop,
  sock: NonBlockingSocket,
  bytes: Uint8Array,
  address: AnySocketAddress,
): Future<number> {
  let target: AnySocketAddress | undefined;
  const send = () => {
    target ??= copyAddress(address);
    loop.platform.readiness?.checkAddress?.(target, "send to");
    return sock[inside.trySendTo](checkBytes(bytes), target);
  };
  return start(loop, "send", sock, "write", send);
}

/** As `loop.sock_sendfile()`. */
export function sockSendfile(
  loop: PlatformLoop,
  sock: NonBlockingSocket,
  file: SendableFile,
  options: SendfileOptions,
): Future<number> {
  checkOptions("send a file", options, SENDFILE);
  checkFile(file);
  return startOperation(loop, sendFileSteps(loop, sock, file, options));
}

function* sendFileSteps(
  loop: PlatformLoop,
  sock: NonBlockingSocket,
  file: SendableFile,
  { offset = 0, count = Infinity, fallback = true }: SendfileOptions,
): Coroutine<number> {
  checkRange(offset, count);
  checkSocket(loop, "send a file", sock);
  const copier = sock[inside.sendFile](file);
  let sent = 0;
  let isAvailable = copier !== null;
  try {
    while (copier !== null && sent < count) {
      const size = copier.send(offset + sent, Math.min(count - sent, SIZE_OF_PIECE));
      isAvailable = size !== "unavailable";
      if (size === "unavailable" || size === 0) break;
      if (size === null) yield* untilReady(loop, sock, "write");
      else sent += size;
    }
  } finally {
    copier?.close();
    if (sent > 0) yield* ensureFuture(file.seek(offset + sent, 0), { loop });
  }
  if (isAvailable) return sent;
  if (fallback) return yield* copySteps(loop, sock, file, offset, count);
  throw new SendfileNotAvailableError(
    "Cannot send a file without fallback: the system does not copy it to a socket",
  );
}

/** Reads and sends in turns. */
function* copySteps(
  loop: PlatformLoop,
  sock: NonBlockingSocket,
  file: SendableFile,
  offset: number,
  count: number,
): Coroutine<number> {
  const memory = new Uint8Array(Math.min(count, SIZE_OF_PIECE));
  yield* ensureFuture(file.seek(offset, 0), { loop });
  let sent = 0;
  while (sent < count) {
    const room = memory.subarray(0, Math.min(memory.length, count - sent));
    const size = yield* ensureFuture(file.read(room), { loop });
    if (size === null || size === 0) break;
    yield* sendAllSteps(loop, sock, room.subarray(0, size));
    sent += size;
  }
  return sent;
}

/** Tries until that does not give `null`. */
function start<T>(
  loop: PlatformLoop,
  action: string,
  sock: NonBlockingSocket,
  kind: "read" | "write",
  attempt: () => T | null,
): Future<T> {
  return startOperation(loop, trySteps(loop, action, sock, kind, attempt));
}

function* trySteps<T>(
  loop: PlatformLoop,
  action: string,
  sock: NonBlockingSocket,
  kind: "read" | "write",
  attempt: () => T | null,
): Coroutine<T> {
  checkSocket(loop, action, sock);
  for (;;) {
    const result = attempt();
    if (result !== null) return result;
    yield* untilReady(loop, sock, kind);
  }
}

function* untilReady(
  loop: PlatformLoop,
  sock: NonBlockingSocket,
  kind: "read" | "write",
): Coroutine<void> {
  const action = kind === "read" ? "wait to read from" : "wait to write to";
  const ready = new NamedFuture<void>(loop, action, sock);
  const readiness = readinessOf(loop, "wait for a socket");
  const stop = readiness.watch(loop, sock.fd, kind, () => ready.done() || ready.setResult());
  try {
    yield* ready;
  } finally {
    stop();
  }
}

function checkSocket(loop: PlatformLoop, action: string, sock: NonBlockingSocket) {
  if (typeof sock?.[inside.trySend] === "function") return readinessOf(loop, action);
  throw new TypeError(
    `Cannot ${action}: expected a Socket of "@gyre/asyncio/native", got ${describe(sock)}`,
  );
}

/** What is checked is what is used: getters could tell something else the second time. */
function copyAddress(address: AnySocketAddress): AnySocketAddress {
  if (typeof address !== "object" || address === null) {
    throw new TypeError(
      `Cannot use an address: expected a hostname and a port, or a path, got ${describe(address)}`,
    );
  }
  if ("path" in address) return { path: address.path };
  return { hostname: address.hostname, port: address.port };
}

function checkMemory(memory: Uint8Array): Uint8Array {
  if (memory instanceof Uint8Array && memory.length > 0) return memory;
  throw new TypeError("Cannot receive: expected a Uint8Array with room in it");
}

function checkBytes(bytes: Uint8Array): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  throw new TypeError(
    `Cannot send: expected a Uint8Array, got ${describe(bytes)}${remedyForBytes(bytes)}`,
  );
}

function checkSize(size: number): number {
  if (Number.isInteger(size) && size > 0) return size;
  throw new RangeError(`Cannot receive ${size} bytes: the number must be a whole one above 0`);
}
