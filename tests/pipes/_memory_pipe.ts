/** As much as a pipe of Linux holds. */
const CAPACITY = 64 * 1024;

/** A pipe as two streams of the Web. */
export interface MemoryPipe {
  readable: ReadableStream<Uint8Array>;
  writable: WritableStream<Uint8Array>;
}

/** Creates a pipe in memory that ends as one of the system does: whoever writes to no reader fails. */
export function createMemoryPipe(): MemoryPipe {
  let controller: ReadableByteStreamController;
  let isRead = true;
  let wake = (): void => {};
  const readable = new ReadableStream({
    type: "bytes",
    start: (given) => void (controller = given),
    pull: () => wake(),
    cancel() {
      isRead = false;
      wake();
    },
  }, { highWaterMark: CAPACITY });
  const end = () => {
    if (!isRead) return;
    controller.close();
    controller.byobRequest?.respond(0);
  };
  const writable = new WritableStream<Uint8Array>({
    async write(bytes) {
      while (isRead && (controller.desiredSize ?? 0) <= 0) {
        await new Promise<void>((resolve) => wake = resolve);
      }
      if (!isRead) throw new Deno.errors.BrokenPipe("Cannot write to a pipe: nobody reads it");
      try {
        controller.enqueue(new Uint8Array(bytes));
      } catch (error) {
        // The memory is gone. Where a write fails, the stream is closed and not aborted.
        end();
        throw error;
      }
    },
    close: end,
    abort: end,
  });
  return { readable, writable };
}
