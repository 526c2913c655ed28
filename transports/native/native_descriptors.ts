/**
 * Opening, setting up and closing descriptors. All are closed on exec and never block.
 *
 * @module
 */
import {
  IPPROTO_TCP,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SOCK_NONBLOCK_CLOEXEC,
  SOL_SOCKET,
  TCP_NODELAY,
} from "./native_layouts.ts";
import { errno, libc } from "./native_libc.ts";
import { systemError } from "./native_errno.ts";

/** Opens a socket. */
export function openSocket(family: number, type: number, protocol = 0): number {
  return checked(libc.socket(family, type | SOCK_NONBLOCK_CLOEXEC, protocol));
}

/** Opens two sockets that are connected to each other. */
export function openSocketPair(family: number, type: number): [number, number] {
  const pair = new Int32Array(2);
  checked(libc.socketpair(family, type | SOCK_NONBLOCK_CLOEXEC, 0, pair));
  return [pair[0] as number, pair[1] as number];
}

/** Closes `descriptor`. What it fails with changes nothing: the descriptor is gone. */
export function closeDescriptor(descriptor: number): void {
  libc.close(descriptor);
}

/** Returns `result` of a call that has just been made; throws its error if it is below 0. */
export function checked(result: number): number {
  if (result < 0) throw systemError(errno());
  return result;
}

const option = new Int32Array(2);
const optionSize = new Uint32Array(1);

/** Sets an option that is a number. */
export function setOption(descriptor: number, level: number, name: number, value: number): void {
  option[0] = value;
  checked(libc.setsockopt(descriptor, level, name, option, 4));
}

/** Sends small writes at once. What is no TCP has no such thing. */
export function setNoDelay(descriptor: number, isOn = true): void {
  option[0] = isOn ? 1 : 0;
  libc.setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, option, 4);
}

/** Has the system probe a connection that is silent. */
export function setKeepAlive(descriptor: number, isOn: boolean): void {
  setOption(descriptor, SOL_SOCKET, SO_KEEPALIVE, isOn ? 1 : 0);
}

/** Has the next close tell the peer that the connection is broken, and drop what is unsent. */
export function setReset(descriptor: number): void {
  option[0] = 1;
  option[1] = 0;
  libc.setsockopt(descriptor, SOL_SOCKET, SO_LINGER, option, 8);
}

/** Takes the error that a socket holds; 0 if there is none. */
export function takeError(descriptor: number): number {
  optionSize[0] = 4;
  const isKnown = libc.getsockopt(descriptor, SOL_SOCKET, SO_ERROR, option, optionSize) === 0;
  return isKnown ? option[0] as number : errno();
}
