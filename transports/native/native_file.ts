import { closeDescriptor } from "./native_descriptors.ts";
import { EAGAIN, EINTR } from "./native_errno.ts";
import {
  F_DUPFD_CLOEXEC,
  F_GETFL,
  O_ACCMODE,
  O_WRONLY,
  S_IFMT,
  S_IFREG,
} from "./native_layouts.ts";
import { errno, layout, libc } from "./native_libc.ts";

/** `sendfile()` cannot do that with this file or this socket. */
const REFUSALS: readonly number[] = [22, 38, 95];

/** The highest descriptor that is looked at. */
const MOST_DESCRIPTORS = 4096;

/** A `struct stat` of any system fits. */
const status = new BigUint64Array(32);
const statusWords = new Uint32Array(status.buffer);
const position = new BigInt64Array(1);

/** A file that the system copies to sockets, by a descriptor of its own. */
export class FileSource {
  #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /**
   * Opens `file` once more; `null` if that is not possible.
   *
   * A `Deno.FsFile` does not tell its descriptor. But it tells which file it is, and some descriptor
   * of the process is that file's: a copy of one that can be read is as good, for each call says the
   * offset.
   */
  static of(file: unknown): FileSource | null {
    const descriptor = file instanceof Deno.FsFile ? findDescriptor(file) : -1;
    return descriptor < 0 ? null : new FileSource(descriptor);
  }

  /**
   * Sends bytes of the file to `socket`; where the file stands does not matter.
   *
   * @returns How many; `null` where there is no room, "unavailable" where the system cannot do it,
   * and below 0 the number of an error.
   */
  send(socket: number, offset: number, count: number): number | null | "unavailable" {
    position[0] = BigInt(offset);
    const sent = libc.sendfile(socket, this.#descriptor, position, count);
    if (sent >= 0) return sent;
    const number = errno();
    if (number === EAGAIN || number === EINTR) return null;
    return REFUSALS.includes(number) ? "unavailable" : -number;
  }

  /** Closes the descriptor, not the file. */
  close(): void {
    closeDescriptor(this.#descriptor);
    this.#descriptor = -1;
  }
}

function findDescriptor(file: Deno.FsFile): number {
  const { dev, ino, isFile } = file.statSync();
  if (!isFile || ino === null) return -1;
  for (let descriptor = 0; descriptor < MOST_DESCRIPTORS; descriptor += 1) {
    if (libc.fstat(descriptor, status) !== 0) continue;
    if (status[0] !== BigInt(dev) || status[1] !== BigInt(ino)) continue;
    const mode = statusWords[layout.statMode >> 2] as number;
    if ((mode & S_IFMT) !== S_IFREG) continue;
    const flags = libc.fcntl(descriptor, F_GETFL, 0);
    if (flags < 0 || (flags & O_ACCMODE) === O_WRONLY) continue;
    return libc.fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  }
  return -1;
}
