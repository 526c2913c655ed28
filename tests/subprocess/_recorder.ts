import { DenoEventLoop } from "../../loop/deno_event_loop.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import type { SubprocessTransport } from "../../subprocess/mod.ts";
import { SubprocessProtocol } from "../../subprocess/mod.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Returns `text` as bytes. */
export function bytes(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Returns `data` as text. */
export function text(data: Uint8Array | null): string {
  return data === null ? "(none)" : decoder.decode(data);
}

/** Runs `body` on a loop of its own, and closes that. */
export async function onLoop<T>(body: (loop: DenoEventLoop) => Coroutine<T>): Promise<T> {
  const loop = new DenoEventLoop();
  try {
    return await loop.runUntilComplete(body(loop));
  } finally {
    loop.close();
  }
}

/** Writes down what a subprocess transport calls. */
export class Recorder extends SubprocessProtocol {
  /** The calls, in their order; data is joined in {@linkcode output}. */
  readonly events: string[] = [];
  /** What came from each descriptor. */
  readonly output: Record<number, string> = {};
  /** Done with `connectionLost`. */
  readonly ended: Future<void>;
  readonly #waits: [condition: () => boolean, future: Future<void>][] = [];

  constructor(loop: DenoEventLoop) {
    super();
    this.ended = loop.createFuture();
  }

  /** Waits until `condition` holds after an event. */
  until(condition: () => boolean): Future<void> {
    const future = this.ended.getLoop().createFuture<void>();
    if (condition()) future.setResult();
    else this.#waits.push([condition, future]);
    return future;
  }

  override connectionMade(_transport: SubprocessTransport): void {
    this.#record("made");
  }

  override pipeDataReceived(fd: number, data: Uint8Array): void {
    this.output[fd] = (this.output[fd] ?? "") + text(data);
    if (this.events.at(-1) !== `data ${fd}`) this.#record(`data ${fd}`);
    else this.#record(null);
  }

  override pipeConnectionLost(fd: number, error: Error | null): void {
    this.#record(`pipe ${fd} lost${error === null ? "" : `: ${error.name}`}`);
  }

  override processExited(): void {
    this.#record("exited");
  }

  override pauseWriting(): void {
    this.#record("pause");
  }

  override resumeWriting(): void {
    this.#record("resume");
  }

  override connectionLost(error: Error | null): void {
    this.#record(error === null ? "lost" : `lost: ${error.name}`);
    this.ended.setResult();
  }

  #record(event: string | null): void {
    if (event !== null) this.events.push(event);
    for (const [condition, future] of this.#waits) {
      if (!future.done() && condition()) future.setResult();
    }
  }
}
