import type { ProtocolLike, Transport } from "../../mod.ts";
import { text } from "./_feeding.ts";

/** A transport that writes down what it is told, and sends nothing. */
export class FakeTransport implements Transport {
  readonly log: string[] = [];
  /** Called by `close()` and `abort()`. */
  onClose: () => void = () => {};
  readonly #info: Readonly<Record<string, unknown>>;
  #closing = false;

  constructor(info: Readonly<Record<string, unknown>> = {}) {
    this.#info = info;
  }

  getExtraInfo(name: string, fallback?: unknown): unknown {
    return this.#info[name] ?? fallback;
  }

  close(): void {
    this.#end("close");
  }

  abort(): void {
    this.#end("abort");
  }

  isClosing(): boolean {
    return this.#closing;
  }

  write(data: Uint8Array): void {
    this.log.push(`write ${text(data)}`);
  }

  writelines(chunks: Iterable<Uint8Array>): void {
    this.log.push(`write ${[...chunks].map(text).join("")}`);
  }

  writeEof(): void {
    this.log.push("eof");
  }

  canWriteEof(): boolean {
    return true;
  }

  setProtocol(): void {}

  getProtocol(): ProtocolLike {
    return {};
  }

  isReading(): boolean {
    return true;
  }

  pauseReading(): void {}

  resumeReading(): void {}

  getWriteBufferSize(): number {
    return 0;
  }

  getWriteBufferLimits(): [low: number, high: number] {
    return [0, 0];
  }

  setWriteBufferLimits(): void {}

  #end(action: string): void {
    this.log.push(action);
    this.#closing = true;
    this.onClose();
  }
}

/** A transport that writes down when it is paused. */
export class PauseLog extends FakeTransport {
  readonly entries: string[] = [];

  override pauseReading(): void {
    this.entries.push("pause");
  }

  override resumeReading(): void {
    this.entries.push("resume");
  }
}
