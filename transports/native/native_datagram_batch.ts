import { MSG_DONTWAIT } from "./native_layouts.ts";
import { libc } from "./native_libc.ts";
import { NativeMemory } from "./native_memory.ts";
import { decodeUnmapped } from "./native_raw_address.ts";

/** Datagrams that are received at once. */
const BATCH = 16;
/** No datagram is longer. */
const LARGEST = 64 * 1024;

/** What each message has: a `struct mmsghdr`, a `struct iovec`, an address, and its bytes. */
const HEADER_SIZE = 64;
const NAME_SIZE = 32;
const VECTORS = BATCH * HEADER_SIZE;
const NAMES = VECTORS + BATCH * 16;
const DATA = NAMES + BATCH * NAME_SIZE;
const SIZE = DATA + BATCH * LARGEST;

/** Where a `struct mmsghdr` has what. */
const NAME = 0;
const NAME_LENGTH = 8;
const VECTOR = 16;
const VECTOR_COUNT = 24;
const LENGTH = 56;

/** Addresses that are remembered; with more, all are forgotten. */
const MOST_ADDRESSES = 4096;

/**
 * Memory for a few datagrams, which one call fills. All channels of the thread share it: what came is
 * copied out before another one receives.
 */
export class DatagramBatch {
  readonly #memory = NativeMemory.take(SIZE);
  /** Addresses of IPv4, by number and port; and the others, by their bytes. */
  readonly #known: Map<number | string, Deno.NetAddr> = new Map();

  private constructor() {
    const { view } = this.#memory;
    for (let index = 0; index < BATCH; index += 1) {
      const header = index * HEADER_SIZE;
      const vector = VECTORS + index * 16;
      this.#memory.writeAddress(view, header + NAME, NAMES + index * NAME_SIZE);
      this.#memory.writeAddress(view, header + VECTOR, vector);
      view.setUint32(header + VECTOR_COUNT, 1, true);
      this.#memory.writeAddress(view, vector, DATA + index * LARGEST);
      view.setUint32(vector + 8, LARGEST, true);
    }
  }

  /** Returns the one of the thread. */
  static shared(): DatagramBatch {
    return batch ??= new DatagramBatch();
  }

  /** Receives what has come at `descriptor`; returns how many datagrams, or -1. */
  receive(descriptor: number): number {
    const { view } = this.#memory;
    for (let index = 0; index < BATCH; index += 1) {
      view.setUint32(index * HEADER_SIZE + NAME_LENGTH, NAME_SIZE, true);
    }
    return libc.recvmmsg(descriptor, this.#memory.pointer(), BATCH, MSG_DONTWAIT, null);
  }

  /** Returns a copy of a datagram. */
  copy(index: number): Uint8Array {
    const length = this.#memory.view.getUint32(index * HEADER_SIZE + LENGTH, true);
    const start = DATA + index * LARGEST;
    return this.#memory.bytes.slice(start, start + Math.min(length, LARGEST));
  }

  /** Returns where a datagram has come from. */
  address(index: number): Deno.NetAddr {
    const place = NAMES + index * NAME_SIZE;
    const { view, bytes } = this.#memory;
    const length = view.getUint32(index * HEADER_SIZE + NAME_LENGTH, true);
    const name = bytes.subarray(place, place + Math.min(length, NAME_SIZE));
    const key = length === 16
      ? view.getUint32(place + 4) * 0x1_0000 + view.getUint16(place + 2)
      : name.join();
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST_ADDRESSES) this.#known.clear();
    const address = Object.freeze(decodeUnmapped(name, "udp"));
    this.#known.set(key, address);
    return address;
  }
}

/** The one of the thread, once a datagram has come. */
let batch: DatagramBatch | null = null;
