import { Socket } from "node:net";
import { closeDescriptor, openSocketPair } from "./native_descriptors.ts";
import { AF_UNIX, MSG_DONTWAIT, MSG_NOSIGNAL, POLLIN, SOCK_STREAM } from "./native_layouts.ts";
import { libc } from "./native_libc.ts";
import { NativeMemory, SharedRing } from "./native_memory.ts";
import type { Sleeper } from "./native_sleeper.ts";

const SYS_IO_URING_SETUP = 425;
const SYS_IO_URING_ENTER = 426;
const ENTRIES = 2;
const OP_POLL_ADD = 6;
const OP_SEND = 26;
/** The next request begins when this one is done. */
const LINKED = 4;
const FEATURE_ONE_MAP = 1;
const OFFSET_RINGS = 0n;
const OFFSET_REQUESTS = 0x1000_0000n;
const REQUEST_SIZE = 64;
const COMPLETION_SIZE = 16;

/** `struct io_uring_params`: where its fields are. */
const PARAMS_SIZE = 120;
const FEATURES = 20;
const SQ_TAIL = 44;
const SQ_MASK = 48;
const SQ_ARRAY = 64;
const CQ_ENTRIES = 4;
const CQ_HEAD = 80;
const CQ_TAIL = 84;
const CQ_COMPLETIONS = 100;

/** A size of memory for the one byte that is sent. */
const BYTE_SIZE = 16;

/**
 * The kernel waits itself: io_uring polls the descriptor, and then sends a byte to a socket that Deno
 * reads, as it reads any other. No thread waits, and an idle process uses no time.
 *
 * The two are one chain of requests, handed over by one system call.
 */
export class RingSleeper implements Sleeper {
  readonly #ring: number;
  readonly #rings: SharedRing;
  readonly #requests: SharedRing;
  readonly #params: DataView;
  readonly #sender: number;
  readonly #byte = NativeMemory.take(BYTE_SIZE);
  readonly #socket: Socket;
  #isArmed = false;
  #isClosed = false;

  /** Returns `null` where the kernel has no io_uring, or does not lend it. */
  static create(descriptor: number, wake: () => void): RingSleeper | null {
    const params = new Uint8Array(PARAMS_SIZE);
    const ring = libc.io_uring_setup(SYS_IO_URING_SETUP, ENTRIES, params);
    if (ring < 0) return null;
    const view = new DataView(params.buffer);
    let pair: [sender: number, receiver: number] | null = null;
    if ((view.getUint32(FEATURES, true) & FEATURE_ONE_MAP) !== 0) {
      try {
        pair = openSocketPair(AF_UNIX, SOCK_STREAM);
      } catch {
        // No descriptor is left: the other way needs fewer.
      }
    }
    if (pair !== null) return new RingSleeper(ring, pair, view, descriptor, wake);
    closeDescriptor(ring);
    return null;
  }

  private constructor(
    ring: number,
    [sender, receiver]: readonly [number, number],
    params: DataView,
    descriptor: number,
    wake: () => void,
  ) {
    this.#ring = ring;
    this.#params = params;
    const size = Math.max(
      this.#param(SQ_ARRAY) + ENTRIES * 4,
      this.#param(CQ_COMPLETIONS) + this.#param(CQ_ENTRIES) * COMPLETION_SIZE,
    );
    this.#rings = new SharedRing(ring, size, OFFSET_RINGS);
    this.#requests = new SharedRing(ring, ENTRIES * REQUEST_SIZE, OFFSET_REQUESTS);
    this.#sender = sender;
    this.#socket = new Socket({ fd: receiver, readable: true, writable: false });
    this.#socket.unref();
    this.#socket.on("data", () => {
      this.#isArmed = false;
      this.#forgetCompletions();
      wake();
    });
    this.#writeRequest(0, OP_POLL_ADD, LINKED, descriptor, POLLIN);
    this.#writeRequest(1, OP_SEND, 0, sender, MSG_DONTWAIT | MSG_NOSIGNAL);
    this.#byte.writeAddress(this.#requests.view, REQUEST_SIZE + 16);
    this.#requests.view.setUint32(REQUEST_SIZE + 24, 1, true);
  }

  sleep(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    const { words } = this.#rings;
    const tail = this.#param(SQ_TAIL) >> 2;
    const array = this.#param(SQ_ARRAY) >> 2;
    const mask = words[this.#param(SQ_MASK) >> 2] as number;
    const next = words[tail] as number;
    for (let index = 0; index < ENTRIES; index += 1) words[array + ((next + index) & mask)] = index;
    words[tail] = next + ENTRIES;
    libc.io_uring_enter(SYS_IO_URING_ENTER, this.#ring, ENTRIES, 0, 0, null, 0);
  }

  rest(): void {
    // The socket holds nothing alive.
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.destroy();
    closeDescriptor(this.#ring);
    closeDescriptor(this.#sender);
    this.#rings.unmap();
    this.#requests.unmap();
    this.#byte.giveBack();
  }

  #param(offset: number): number {
    return this.#params.getUint32(offset, true);
  }

  #writeRequest(index: number, code: number, flags: number, descriptor: number, own: number): void {
    const { view } = this.#requests;
    const place = index * REQUEST_SIZE;
    view.setUint8(place, code);
    view.setUint8(place + 1, flags);
    view.setInt32(place + 4, descriptor, true);
    view.setUint32(place + 28, own, true);
  }

  /** Makes room for those of the next chain. */
  #forgetCompletions(): void {
    if (this.#isClosed) return;
    const { words } = this.#rings;
    words[this.#param(CQ_HEAD) >> 2] = words[this.#param(CQ_TAIL) >> 2] as number;
  }
}
