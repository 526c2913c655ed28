import { type EngineContext, runInEngineContext } from "../../loop/platform/platform_loop.ts";
import type { ByteSink } from "../../loop/platform/platform.ts";

/** Passes reports on in a foreign context: that of who created the connection. */
export class SinkInContext implements ByteSink {
  readonly #context: EngineContext | null;
  readonly #sink: ByteSink;

  constructor(context: EngineContext | null, sink: ByteSink) {
    this.#context = context;
    this.#sink = sink;
  }

  get lends(): boolean {
    return this.#sink.lends !== false;
  }

  buffer(): Uint8Array | null {
    return runInEngineContext(this.#context, () => this.#sink.buffer());
  }

  received(buffer: Uint8Array, count: number, isOwned?: boolean): void {
    runInEngineContext(this.#context, () => this.#sink.received(buffer, count, isOwned));
  }

  ended(): void {
    runInEngineContext(this.#context, () => this.#sink.ended());
  }

  failed(error: Error): void {
    runInEngineContext(this.#context, () => this.#sink.failed(error));
  }

  /** Calls no code of users. */
  sent(count: number): void {
    this.#sink.sent(count);
  }

  closed(): void {
    runInEngineContext(this.#context, () => this.#sink.closed());
  }
}
