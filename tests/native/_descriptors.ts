// Descriptors of kinds that the package itself does not open.

const { symbols: libc } = Deno.dlopen("libc.so.6", {
  close: { parameters: ["i32"], result: "i32" },
  eventfd: { parameters: ["i32", "i32"], result: "i32" },
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  timerfd_create: { parameters: ["i32", "i32"], result: "i32" },
  timerfd_settime: { parameters: ["i32", "i32", "buffer", "buffer"], result: "i32" },
});

const NONBLOCK_CLOEXEC = 0x80800;

/** A descriptor that is closed by who has it. */
export interface OpenDescriptor {
  readonly fd: number;
  close(): void;
}

function opened(fd: number): OpenDescriptor {
  if (fd < 0) throw new Error("Cannot open a descriptor: the system has refused it");
  return { fd, close: () => void libc.close(fd) };
}

/** The ends of a pipe: the one that is read, and the one that is written. */
export function pipeDescriptors(): [OpenDescriptor, OpenDescriptor] {
  const ends = new Int32Array(2);
  libc.pipe2(ends, NONBLOCK_CLOEXEC);
  return [opened(ends[0] as number), opened(ends[1] as number)];
}

/** An event that has happened. */
export function eventDescriptor(): OpenDescriptor {
  return opened(libc.eventfd(1, NONBLOCK_CLOEXEC));
}

/** A timer of a millisecond. */
export function timerDescriptor(): OpenDescriptor {
  const timer = opened(libc.timerfd_create(1, NONBLOCK_CLOEXEC));
  libc.timerfd_settime(timer.fd, 0, new BigInt64Array([0n, 0n, 0n, 1_000_000n]), null);
  return timer;
}
