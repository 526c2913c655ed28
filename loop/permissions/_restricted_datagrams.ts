import * as inside from "../inside.ts";
import type { EventLoop } from "../event_loop.ts";
import type { DatagramChannel, DatagramSink } from "../platform/platform.ts";

/** Sends datagrams to permitted addresses only. What is refused is reported, as a failed send is. */
export class RestrictedDatagrams implements DatagramChannel {
  readonly #loop: EventLoop;
  readonly #channel: DatagramChannel;
  /** Returns the error for sending to an address; `null` if it is permitted. */
  readonly #check: (address: Deno.NetAddr) => Error | null;
  #sink: DatagramSink | null = null;
  #closed = false;

  constructor(
    loop: EventLoop,
    channel: DatagramChannel,
    check: (address: Deno.NetAddr) => Error | null,
  ) {
    this.#loop = loop;
    this.#channel = channel;
    this.#check = check;
  }

  get address(): Deno.NetAddr {
    return this.#channel.address;
  }

  start(sink: DatagramSink): void {
    this.#sink = sink;
    this.#channel.start(sink);
  }

  send(bytes: Uint8Array, address: Deno.NetAddr): void {
    const error = this.#check(address);
    if (error === null) return this.#channel.send(bytes, address);
    this.#loop[inside.enqueue]({
      [inside.run]: () => {
        if (this.#closed) return;
        this.#sink?.failed(error);
        this.#sink?.sent(bytes.length);
      },
    });
  }

  close(): void {
    this.#closed = true;
    this.#channel.close();
  }
}
