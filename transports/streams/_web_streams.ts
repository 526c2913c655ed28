import type { Future } from "../../loop/tasks/future.ts";
import type { StreamReader } from "./stream_reader.ts";
import type { StreamWriter } from "./stream_writer.ts";

/** Reads on demand only: each pull is one read, and nothing is buffered twice. */
const ON_DEMAND: QueuingStrategy = { highWaterMark: 0 };

/** Returns the rest of `reader` as a Web stream; each chunk is `chunkSize` bytes at most. */
export function createReadable(
  reader: StreamReader,
  chunkSize: () => number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let pending: Future<Uint8Array> | null = null;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      pending = reader.read(chunkSize());
      // Not by `await`: that would make it a wait of the task that has called `read()` here, and
      // cancelling the task would break the stream.
      return pending.then((bytes) => {
        pending = null;
        if (bytes.length > 0) controller.enqueue(bytes as Uint8Array<ArrayBuffer>);
        else controller.close();
      });
    },
    cancel() {
      pending?.cancel();
      // The reader is free for others once the read has ended.
      return pending?.then(noop, noop);
    },
  }, ON_DEMAND);
}

/** Returns a Web stream that goes out by `writer`, at the pace of the connection. */
export function createWritable(writer: StreamWriter): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    write(bytes) {
      writer.write(bytes);
      return writer.drain().then();
    },
    close() {
      writer.close();
      return writer.waitClosed().then();
    },
    abort: () => writer.transport.abort(),
  });
}

function noop(): void {}
