import type { EventLoop } from "../loop/event_loop.ts";
import { FlowControlProtocol } from "../transports/core/flow_control_protocol.ts";
import { PipeReaderProtocol } from "../transports/streams/pipe_reader_protocol.ts";
import { StreamReader } from "../transports/streams/stream_reader.ts";
import { StreamWriter } from "../transports/streams/stream_writer.ts";
import type { SubprocessProtocolLike } from "./subprocess_protocol.ts";
import type { SubprocessTransport } from "./subprocess_transport.ts";

/**
 * The protocol under a `Process`: makes streams of its pipes. What a pipe reads goes to its reader;
 * of its end the process hears first, as it ends with its pipes.
 */
export class ProcessStreams implements SubprocessProtocolLike {
  stdin: StreamWriter | null = null;
  stdout: StreamReader | null = null;
  stderr: StreamReader | null = null;
  readonly #options: { loop: EventLoop; limit?: number };
  readonly #stdinFlow: FlowControlProtocol;
  #transport: SubprocessTransport | null = null;
  /** Output pipes that have not ended, by descriptor. */
  readonly #open: Set<number> = new Set();

  constructor(loop: EventLoop, limit: number | undefined) {
    this.#options = limit === undefined ? { loop } : { loop, limit };
    this.#stdinFlow = new FlowControlProtocol({ loop });
  }

  connectionMade(transport: SubprocessTransport): void {
    this.#transport = transport;
    this.stdout = this.#createReader(transport, 1);
    this.stderr = this.#createReader(transport, 2);
    const stdin = transport.getPipeTransport(0);
    if (stdin !== null) this.stdin = new StreamWriter(stdin, this.#stdinFlow);
  }

  pipeConnectionLost(fd: number, error: Error | null): void {
    if (fd === 0) return this.#stdinFlow.connectionLost(error);
    if (error === null) this.#reader(fd)?.feedEof();
    else this.#reader(fd)?.setException(error);
    this.#open.delete(fd);
    this.#closeIfDone();
  }

  processExited(): void {
    this.#closeIfDone();
  }

  pauseWriting(): void {
    this.#stdinFlow.pauseWriting();
  }

  resumeWriting(): void {
    this.#stdinFlow.resumeWriting();
  }

  #createReader(transport: SubprocessTransport, fd: 1 | 2): StreamReader | null {
    const pipe = transport.getPipeTransport(fd);
    if (pipe === null) return null;
    const reader = new StreamReader(this.#options);
    reader.setTransport(pipe);
    pipe.setProtocol(new PipeReaderProtocol(reader, pipe.getProtocol()));
    this.#open.add(fd);
    return reader;
  }

  #reader(fd: number): StreamReader | null {
    return fd === 1 ? this.stdout : this.stderr;
  }

  #closeIfDone(): void {
    const transport = this.#transport;
    if (transport !== null && transport.getReturncode() !== null && this.#open.size === 0) {
      transport.close();
    }
  }
}
