/**
 * How memory and numbers look to the kernel and to libc, for each processor and libc.
 *
 * @module
 */

/** What differs from one Linux to another. */
export interface Layout {
  /** How libc is called, for messages. */
  readonly libc: "glibc" | "musl";
  /** The file name of libc. */
  readonly file: string;
  /** Words of 32 bits in an `epoll_event`, and which of them the data begins with. */
  readonly eventWords: number;
  readonly eventDataWord: number;
  /** Where a `struct stat` has the mode. The device is at 0 and the inode at 8 everywhere. */
  readonly statMode: number;
}

/** An `epoll_event` is packed on x86_64 alone. */
const X86_64 = { eventWords: 3, eventDataWord: 1, statMode: 24 };
const AARCH64 = { eventWords: 4, eventDataWord: 2, statMode: 16 };

/** The layouts by processor, those to try first in front. */
export const LAYOUTS: Readonly<Record<string, readonly Layout[]>> = {
  x86_64: [
    { libc: "glibc", file: "libc.so.6", ...X86_64 },
    { libc: "musl", file: "libc.musl-x86_64.so.1", ...X86_64 },
  ],
  aarch64: [
    { libc: "glibc", file: "libc.so.6", ...AARCH64 },
    { libc: "musl", file: "libc.musl-aarch64.so.1", ...AARCH64 },
  ],
};

/** What is the same on all of them. */
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
/** Both flags at once: nothing that we open may block, and no child inherits it. */
export const SOCK_NONBLOCK_CLOEXEC = 0x80800;

export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_ERROR = 4;
export const SO_BROADCAST = 6;
export const SO_KEEPALIVE = 9;
export const SO_LINGER = 13;
export const SO_REUSEPORT = 15;
export const IPPROTO_TCP = 6;
export const TCP_NODELAY = 1;

export const SHUT_WR = 1;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;

export const EPOLL_CLOEXEC = 0x80000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;
export const EPOLLIN = 1;
export const EPOLLOUT = 4;
export const EPOLLERR = 8;
export const EPOLLHUP = 16;

export const POLLIN = 1;
export const EFD_NONBLOCK_CLOEXEC = 0x80800;

export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_DUPFD_CLOEXEC = 1030;
export const O_ACCMODE = 3;
export const O_WRONLY = 1;
export const O_NONBLOCK = 0x800;
export const S_IFMT = 0o170000;
export const S_IFREG = 0o100000;

/** A `sockaddr` of any kind fits. */
export const SOCKADDR_SIZE = 128;
/** Where a `sockaddr_un` has its path, and how long that may be. */
export const UNIX_PATH = 2;
export const UNIX_PATH_SIZE = 108;
