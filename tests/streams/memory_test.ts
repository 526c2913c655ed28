// Whose memory the bytes are in that a program is given.
import { assert, assertEquals } from "@std/assert";
import { type Future, type IncompleteReadError, run, sleep, StreamReader } from "../../mod.ts";
import { stateOf } from "../../transports/streams/stream_reader.ts";

/** Lines of many lengths, so that reads end everywhere in what was fed. */
const TEXT = Array.from({ length: 90 }, (_, index) => `${index}:${"x".repeat(index % 70)}\n`).join(
  "",
);

/** Takes the memory of `bytes` away from this program, as a worker that it is sent to does. */
function transfer(bytes: Uint8Array): string {
  const buffer = bytes.buffer as ArrayBuffer;
  assert(buffer.byteLength <= 2 * bytes.length, `${bytes.length} keep ${buffer.byteLength}`);
  const offset = bytes.byteOffset;
  const size = bytes.length;
  const moved = structuredClone(buffer, { transfer: [buffer] });
  return new TextDecoder().decode(new Uint8Array(moved, offset, size));
}

/** Feeds `TEXT` in pieces of `size`, in one of the ways that bytes come. */
function* feeding(reader: StreamReader, size: number, way: string): Generator<void> {
  const bytes = new TextEncoder().encode(TEXT);
  const memory = new Uint8Array(size + 9);
  for (let start = 0; start < bytes.length; start += size) {
    const piece = bytes.subarray(start, start + size);
    if (way === "views") reader.feedData(piece);
    else if (way === "pieces") reader.feedData(piece.slice());
    else {
      memory.set(piece);
      stateOf(reader).feedCopy(memory, piece.length);
    }
    yield;
  }
  reader.feedEof();
}

const READS: Record<string, (reader: StreamReader) => Future<Uint8Array>> = {
  "read(7)": (reader) => reader.read(7),
  "read(100_000)": (reader) => reader.read(100_000),
  "read()": (reader) => reader.read(),
  "readLine()": (reader) => reader.readLine(),
  "readUntil()": (reader) => reader.readUntil("x"),
  "readExactly()": (reader) => reader.readExactly(13),
};

for (const [name, read] of Object.entries(READS)) {
  Deno.test(`what ${name} gives can be transferred, and keeps no more than it`, async () => {
    for (const way of ["views", "pieces", "memory that is used again"]) {
      for (const size of [1, 10, 64, 1000, 100_000]) {
        const text = await run(() => readAll(read, way, size));
        assertEquals(text, TEXT, `${way}, ${size}`);
      }
    }
  });
}

/** Reads `TEXT`, as it comes and from what has come before, and transfers every piece of it. */
async function readAll(
  read: (reader: StreamReader) => Future<Uint8Array>,
  way: string,
  size: number,
): Promise<string> {
  const reader = new StreamReader();
  const feed = feeding(reader, size, way);
  let text = "";
  for (let count = 0;; count += 1) {
    for (let ahead = count % 5; ahead > 0; ahead -= 1) feed.next();
    const reading = read(reader);
    while (!reading.done()) {
      feed.next();
      await sleep(0);
    }
    const bytes = await reading.then(
      (bytes) => bytes,
      (error) => (error as IncompleteReadError).partial,
    );
    if (bytes.length === 0) return text;
    text += transfer(bytes);
  }
}
