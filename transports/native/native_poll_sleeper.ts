import { checked, closeDescriptor } from "./native_descriptors.ts";
import { EFD_NONBLOCK_CLOEXEC, POLLIN } from "./native_layouts.ts";
import { libc } from "./native_libc.ts";
import { NativeMemory } from "./native_memory.ts";
import type { Sleeper } from "./native_sleeper.ts";

/** What `poll()` is given: two descriptors, each with what is wanted of it. */
const POLL_SIZE = 16;

/** What an event is counted up by, and where the count is read to. */
const ONE = new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]);
const counter = new Uint8Array(8);

/**
 * A thread of Deno's in `poll()`, where the kernel does not lend io_uring: in many containers.
 *
 * Such a call holds the process alive, so it is ended when the loop stops: by an event that it waits
 * for too.
 */
export class PollSleeper implements Sleeper {
  readonly #wake: () => void;
  readonly #stop: number;
  readonly #memory = NativeMemory.take(POLL_SIZE);
  #isPolling = false;
  /** Whether somebody wants to be woken. */
  #isAwaited = false;
  /** Whether the call was told to end. */
  #isStopping = false;
  #isClosed = false;

  /** Creates what calls `wake` once `descriptor` can be read. */
  constructor(descriptor: number, wake: () => void) {
    this.#wake = wake;
    this.#stop = checked(libc.eventfd(0, EFD_NONBLOCK_CLOEXEC));
    const { view } = this.#memory;
    view.setInt32(0, descriptor, true);
    view.setInt16(4, POLLIN, true);
    view.setInt32(8, this.#stop, true);
    view.setInt16(12, POLLIN, true);
  }

  sleep(): void {
    this.#isAwaited = true;
    if (!this.#isPolling) this.#poll();
  }

  rest(): void {
    this.#isAwaited = false;
    if (!this.#isPolling || this.#isStopping) return;
    this.#isStopping = true;
    libc.write(this.#stop, ONE, ONE.length);
  }

  close(): void {
    this.rest();
    this.#isClosed = true;
    if (!this.#isPolling) this.#free();
  }

  #poll(): void {
    this.#isPolling = true;
    libc.poll(this.#memory.pointer(), 2n, -1).then(() => this.#ended());
  }

  #ended(): void {
    this.#isPolling = false;
    if (this.#isClosed) return this.#free();
    const wasStopped = this.#isStopping;
    if (wasStopped) libc.read(this.#stop, counter, counter.length);
    this.#isStopping = false;
    if (!this.#isAwaited) return;
    // Who waits again did not see the end of the call before.
    if (wasStopped) return this.#poll();
    this.#isAwaited = false;
    this.#wake();
  }

  #free(): void {
    closeDescriptor(this.#stop);
    this.#memory.giveBack();
  }
}
