import type { Readable, Writable } from "node:stream";

/** A stream of Node that chunks come from. */
export type Source = Readable & { readonly complete?: boolean };

/**
 * Returns `source` as a stream of the web, which reads no faster than it is read.
 *
 * @param describe Returns the error of a source that has ended too early.
 */
export function readFrom(
  source: Source,
  describe: (error: unknown) => unknown,
  onCancel: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let isOver = false;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      const fail = (error: unknown) => {
        if (isOver) return;
        isOver = true;
        controller.error(describe(error));
      };
      source.on("data", (chunk: Uint8Array) => {
        if (isOver) return;
        controller.enqueue(new Uint8Array(chunk));
        if ((controller.desiredSize ?? 0) <= 0) source.pause();
      });
      source.on("end", () => {
        if (isOver) return;
        isOver = true;
        controller.close();
      });
      source.on("error", fail);
      // An aborted message of HTTP may close without an error.
      source.on("close", () => fail(null));
      source.pause();
    },
    pull() {
      source.resume();
    },
    cancel() {
      isOver = true;
      onCancel();
    },
  }, { highWaterMark: 0 });
}

/** Writes what `stream` gives into `target`, no faster than that takes it, and ends it. */
export async function writeTo(
  target: Writable,
  stream: ReadableStream<Uint8Array>,
): Promise<void> {
  const reader = stream.getReader();
  const gone = new Promise<void>((resolve) => target.once("close", resolve));
  const lost = gone.then(() => "lost" as const);
  try {
    for (;;) {
      const result = await Promise.race([reader.read(), lost]);
      if (result === "lost") {
        await reader.cancel(new Error("Cannot send a body: the connection is closed"));
        return;
      }
      if (result.done) break;
      if (!(result.value instanceof Uint8Array)) {
        throw new TypeError("Cannot send a body: its stream gives something else than bytes");
      }
      if (target.write(result.value)) continue;
      await Promise.race([new Promise<void>((resolve) => target.once("drain", resolve)), gone]);
    }
    target.end();
  } finally {
    reader.releaseLock();
  }
}
