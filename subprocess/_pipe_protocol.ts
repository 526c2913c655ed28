import type { ProtocolLike } from "../transports/protocol.ts";

/** Who hears of the pipes of a child. */
export interface PipeOwner {
  /** `data` came from pipe `fd`. */
  pipeDataReceived(fd: number, data: Uint8Array): void;
  /** Pipe `fd` is closed. */
  pipeConnectionLost(fd: number, error: Error | null): void;
  /** More is buffered for a pipe than its high mark. */
  pauseWriting(): void;
  /** No more is buffered for it than its low mark. */
  resumeWriting(): void;
}

/** The protocol of one pipe: passes everything on to the transport of the process. */
export class PipeProtocol implements ProtocolLike {
  readonly #owner: PipeOwner;
  readonly #fd: number;

  constructor(owner: PipeOwner, fd: number) {
    this.#owner = owner;
    this.#fd = fd;
  }

  dataReceived(data: Uint8Array): void {
    this.#owner.pipeDataReceived(this.#fd, data);
  }

  connectionLost(error: Error | null): void {
    this.#owner.pipeConnectionLost(this.#fd, error);
  }

  pauseWriting(): void {
    this.#owner.pauseWriting();
  }

  resumeWriting(): void {
    this.#owner.resumeWriting();
  }
}
