/**
 * The functions of libc. This is the one file with `Deno.dlopen`.
 *
 * *Theory of operation.* A function that may block is `nonblocking`: Deno runs it on another thread.
 * All others return at once, on descriptors that never block. Sizes and results are 32 bits wide, as a
 * number of 64 costs 0.6 us: no call moves more than 1 GiB. What takes a `buffer` uses the memory only during the call;
 * what is kept longer is a `pointer` into memory of native_memory.ts.
 *
 * @module
 */
import { architecture, isLinux, systemName } from "../../loop/platform/deno_system.ts";
import { type Layout, LAYOUTS } from "./native_layouts.ts";

const LIBC = {
  __errno_location: { parameters: [], result: "pointer" },
  accept4: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  eventfd: { parameters: ["i32", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  freeaddrinfo: { parameters: ["pointer"], result: "void" },
  fstat: { parameters: ["i32", "buffer"], result: "i32" },
  getaddrinfo: {
    parameters: ["pointer", "pointer", "pointer", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  inet_ntop: { parameters: ["i32", "buffer", "buffer", "u32"], result: "pointer" },
  inet_pton: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  mmap: { parameters: ["usize", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  poll: { parameters: ["pointer", "u64", "i32"], result: "i32", nonblocking: true },
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recvfrom: { parameters: ["i32", "buffer", "u32", "i32", "buffer", "buffer"], result: "i32" },
  recvmmsg: { parameters: ["i32", "pointer", "u32", "i32", "pointer"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  sendfile: { parameters: ["i32", "i32", "buffer", "u32"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "u32", "i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  io_uring_setup: {
    name: "syscall",
    parameters: ["i32", "u32", "buffer"],
    result: "i32",
  },
  io_uring_enter: {
    name: "syscall",
    parameters: ["i32", "i32", "u32", "u32", "u32", "pointer", "u32"],
    result: "i32",
  },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of libc. */
export type Libc = Deno.DynamicLibrary<typeof LIBC>["symbols"];

/** What was opened: once for the thread, and for its life. */
interface Opened {
  readonly libc: Libc;
  readonly layout: Layout;
  /** Where libc leaves the number of the last error of this thread. */
  readonly errno: Int32Array;
}

let opened: Opened | null = null;

/** The functions of libc, after {@linkcode openLibc}. */
export let libc: Libc;

/** How memory looks to it. */
export let layout: Layout;

let errnoCell: Int32Array;

/**
 * Has the functions be there. What is the first to need one calls it; the module itself can be
 * imported without a permission.
 *
 * @throws {Deno.errors.NotCapable} Without `--allow-ffi`.
 * @throws {Deno.errors.NotSupported} On a system that nothing is known of.
 */
export function openLibc(): void {
  if (opened !== null) return;
  opened = open();
  ({ libc, layout, errno: errnoCell } = opened);
}

/**
 * As {@linkcode openLibc}, where that asks nobody and can be done; else whoever needs it is told why.
 *
 * @returns Whether they are there.
 */
export function openLibcIfPermitted(): boolean {
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") return false;
  try {
    openLibc();
    return true;
  } catch {
    // The system is unknown.
    return false;
  }
}

/** Returns the number of the error of the last call. To be read in the very next expression. */
export function errno(): number {
  return errnoCell[0] as number;
}

/** Opens another library; {@linkcode openLibc} has asked for the permission. */
export function openLibrary<F extends Deno.ForeignLibraryInterface>(
  file: string,
  functions: F,
): Deno.DynamicLibrary<F>["symbols"] {
  return Deno.dlopen(file, functions).symbols;
}

function open(): Opened {
  if (!isLinux()) {
    throw new Deno.errors.NotSupported(refusal(`it needs Linux, this is ${systemName()}`));
  }
  const arch = architecture();
  const layouts = LAYOUTS[arch];
  if (layouts === undefined) {
    throw new Deno.errors.NotSupported(refusal(`it does not know the processor ${arch}`));
  }
  if (Deno.permissions.requestSync({ name: "ffi" }).state !== "granted") {
    throw new Deno.errors.NotCapable(
      "Cannot use the native backend, which opens libraries by name: it requires --allow-ffi",
    );
  }
  const failures: unknown[] = [];
  for (const candidate of layouts) {
    try {
      return locate(Deno.dlopen(candidate.file, LIBC).symbols, candidate);
    } catch (error) {
      failures.push(error);
    }
  }
  const names = layouts.map((candidate) => candidate.file).join(" and no ");
  throw new Deno.errors.NotSupported(refusal(`there is no ${names} that it knows`), {
    cause: failures,
  });
}

function locate(libc: Libc, layout: Layout): Opened {
  const cell = libc.__errno_location();
  if (cell === null) throw new Deno.errors.NotSupported(refusal("libc does not tell errors"));
  return { libc, layout, errno: new Int32Array(Deno.UnsafePointerView.getArrayBuffer(cell, 4)) };
}

function refusal(state: string): string {
  return `Cannot use the native backend: ${state}`;
}
