/**
 * Memory whose address the kernel or a library is told. No other file stores addresses.
 *
 * *Theory of operation.* Memory of JavaScript's is collected, and may move. What somebody outside
 * keeps the address of is a {@linkcode NativeMemory}: pages of their own, which are given back only to a
 * pool, so that a late use of them can never be a use of something else's memory.
 *
 * @module
 */
import { libc } from "./native_libc.ts";

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_SHARED_POPULATE = 0x8001;
/** What `mmap()` gives when it fails. */
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** Memory that is not used now, by size. */
const pool: Map<number, NativeMemory[]> = new Map();

/** Memory that stays where it is. */
export class NativeMemory {
  /** All of it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same, for numbers. */
  readonly view: DataView<ArrayBuffer>;
  readonly #address: bigint;

  private constructor(size: number) {
    const pointer = map(size, MAP_PRIVATE_ANONYMOUS, -1, 0n);
    this.#address = Deno.UnsafePointer.value(pointer);
    this.bytes = new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, size));
    this.view = new DataView(this.bytes.buffer);
  }

  /** Takes memory of `size` bytes, all of them 0. */
  static take(size: number): NativeMemory {
    const memory = pool.get(size)?.pop();
    memory?.bytes.fill(0);
    return memory ?? new NativeMemory(size);
  }

  /** Gives the memory back. Nobody outside may use it any more. */
  giveBack(): void {
    const { length } = this.bytes;
    const list = pool.get(length);
    if (list === undefined) pool.set(length, [this]);
    else list.push(this);
  }

  /** Returns where the byte at `offset` is, for a call. */
  pointer(offset = 0): Deno.PointerValue {
    return Deno.UnsafePointer.create(this.#address + this.#inside(offset));
  }

  /** Writes the address of the byte at `offset` to `place` of `target`. */
  writeAddress(target: DataView, place: number, offset = 0): void {
    target.setBigUint64(place, this.#address + this.#inside(offset), true);
  }

  #inside(offset: number): bigint {
    if (offset >= 0 && offset < this.bytes.length) return BigInt(offset);
    throw new RangeError(`Cannot point at byte ${offset}: there are ${this.bytes.length}`);
  }
}

/** Memory that the kernel has made for a descriptor, and shares. */
export class SharedRing {
  readonly words: Uint32Array<ArrayBuffer>;
  readonly view: DataView<ArrayBuffer>;
  readonly #pointer: NonNullable<Deno.PointerValue>;
  readonly #size: number;

  /** Maps `size` bytes of what `descriptor` has at `offset`. */
  constructor(descriptor: number, size: number, offset: bigint) {
    this.#size = size;
    this.#pointer = map(size, MAP_SHARED_POPULATE, descriptor, offset);
    const memory = Deno.UnsafePointerView.getArrayBuffer(this.#pointer, size);
    this.words = new Uint32Array(memory, 0, size >> 2);
    this.view = new DataView(memory);
  }

  /** Unmaps it. Nothing of it may be used any more. */
  unmap(): void {
    libc.munmap(this.#pointer, BigInt(this.#size));
  }
}

/** Reads a list of addresses that `getaddrinfo()` has left at `place`, and frees it. */
export function takeAddressList(memory: NativeMemory, place: number): Uint8Array[] {
  const first = Deno.UnsafePointer.create(memory.view.getBigUint64(place, true));
  const found: Uint8Array[] = [];
  for (let pointer = first; pointer !== null;) {
    const info = new DataView(Deno.UnsafePointerView.getArrayBuffer(pointer, 48));
    const size = info.getUint32(16, true);
    const address = Deno.UnsafePointer.create(info.getBigUint64(24, true));
    if (address !== null) {
      found.push(new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(address, size)).slice());
    }
    pointer = Deno.UnsafePointer.create(info.getBigUint64(40, true));
  }
  if (first !== null) libc.freeaddrinfo(first);
  return found;
}

/** Reads the text at `pointer`, which ends with a 0; `null` if there is none. */
export function textAt(pointer: Deno.PointerValue): string | null {
  return pointer === null ? null : Deno.UnsafePointerView.getCString(pointer);
}

/** Copies `size` bytes from `pointer`. */
export function bytesAt(pointer: Deno.PointerValue, size: number): Uint8Array {
  if (pointer === null || size === 0) return new Uint8Array(0);
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, size)).slice();
}

/** Copies `size` bytes from the address that a call has left in `place`. */
export function bytesAtAddress(place: BigUint64Array, size: number): Uint8Array {
  return bytesAt(Deno.UnsafePointer.create(place[0] as bigint), size);
}

/** What a callback was told to fill in: numbers, or the place of bytes that it was given. */
export const outputs = {
  byte(pointer: Deno.PointerValue, value: number): void {
    if (pointer !== null) {
      new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, 1))[0] = value;
    }
  },
  int(pointer: Deno.PointerValue, value: number): void {
    if (pointer !== null) {
      new Int32Array(Deno.UnsafePointerView.getArrayBuffer(pointer, 4))[0] = value;
    }
  },
  place(pointer: Deno.PointerValue, given: Deno.PointerValue, offset: number): void {
    if (pointer === null || given === null) return;
    const address = Deno.UnsafePointer.value(given) + BigInt(offset);
    new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(pointer, 8))[0] = address;
  },
};

function map(
  size: number,
  flags: number,
  descriptor: number,
  offset: bigint,
): NonNullable<Deno.PointerValue> {
  const pointer = libc.mmap(0n, BigInt(size), PROT_READ_WRITE, flags, descriptor, offset);
  if (pointer !== null && Deno.UnsafePointer.value(pointer) !== MAP_FAILED) return pointer;
  throw new RangeError(`Cannot map ${size} bytes of memory: the system has refused it`);
}
