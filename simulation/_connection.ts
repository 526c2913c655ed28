/**
 * A simulated connection from its opening to its end.
 *
 * *Theory of operation.* The client sends `connect`. A host that listens there accepts at once and
 * answers `accept`; then the client is connected. There is no third message as in TCP, so that a
 * server has accepted by the time the client knows. A host that does not listen refuses, and so does every host for a connection that it does not know: because it has
 * forgotten it in a crash, or because its program has closed it.
 *
 * @module
 */
import * as inside from "../loop/inside.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { createNetworkError, type NetworkErrorKind } from "./_deno_errors.ts";
import { SimulatedChannel } from "./_simulated_channel.ts";
import type { SimulatedListener } from "./_simulated_listener.ts";
import { type Reception, type SegmentKind, StreamLink } from "./_stream_link.ts";
import type { Stack, Wire } from "./_wire.ts";

/** Between whom a connection is, and who is told of it. */
export interface ConnectionOptions {
  /** The host that connects. */
  readonly client: Stack;
  /** The host that it connects to. */
  readonly server: Stack;
  /** Where packets come from. */
  readonly source: Deno.NetAddr;
  /** Where packets go to. */
  readonly destination: Deno.NetAddr;
  /** What the two ends tell about themselves. */
  readonly names: { readonly client: Deno.Addr; readonly server: Deno.Addr };
  /** What is done, for errors: `connect to "db:5432"`. */
  readonly action: string;
  /** Returns who listens there now. */
  findListener(): Pick<SimulatedListener, "loop" | "hasRoom" | "arrived"> | undefined;
  /** The client is connected. */
  opened(channel: SimulatedChannel): void;
  /** The client could not connect. */
  failed(error: Error): void;
  /** Nobody has an end of it any more. */
  over(): void;
}

/** One end, in the life of its host in which it was made. */
interface End {
  readonly channel: SimulatedChannel;
  readonly stack: Stack;
  readonly life: number;
  /** Whether the kernel knows of it no more. */
  isForgotten: boolean;
}

/** A connection. It opens at once. */
export class Connection {
  /** The names of its two hosts. */
  readonly hosts: readonly [client: string, server: string];
  readonly #wire: Wire;
  readonly #options: ConnectionOptions;
  readonly #client: End;
  readonly #clientLink: StreamLink;
  #server: End | null = null;
  #serverLink: StreamLink | null = null;
  /** Whether the client is connected. */
  #isOpen = false;
  #closedEnds = 0;

  constructor(wire: Wire, loop: EventLoop, options: ConnectionOptions) {
    const { client, server, names } = options;
    this.#wire = wire;
    this.#options = options;
    this.hosts = [client.name, server.name];
    this.#clientLink = this.#createLink("client", (kind, bytes) => this.#atServer(kind, bytes));
    const channel = new SimulatedChannel(loop, {
      link: this.#clientLink,
      peerLink: () => this.#serverLink,
      sockname: names.client,
      peername: names.server,
      onClose: () => this.#closed(),
    });
    this.#client = { channel, stack: client, life: client.life, isForgotten: false };
    this.#clientLink.send("connect");
  }

  /** The client gives up connecting. */
  abandon(): void {
    this.#client.isForgotten = true;
    this.#clientLink.close();
    this.#options.over();
  }

  /** Breaks the connection for both ends. */
  reset(): void {
    for (const host of this.hosts) this[inside.forget](host);
  }

  /** Breaks it for the end on `host` alone; the other one learns of it when it sends. */
  [inside.forget](host: string): void {
    for (const end of [this.#client, this.#server]) {
      if (end === null || end.stack.name !== host) continue;
      end.isForgotten = true;
      end.channel.fail(createNetworkError("connectionReset", "use a connection"));
    }
    if (!this.#isOpen && host === this.#client.stack.name) this.#fail("connectionReset");
  }

  /** The program of the end on `host` is gone: its kernel tells the peer. */
  [inside.reset](host: string): void {
    for (const end of [this.#client, this.#server]) {
      if (end !== null && end.stack.name === host && !end.isForgotten) end.channel[inside.reset]();
    }
  }

  /** Creates the link that `side` sends on. */
  #createLink(
    side: "client" | "server",
    receive: (kind: SegmentKind, bytes: Uint8Array) => Reception,
  ): StreamLink {
    const { client, server, source, destination } = this.#options;
    const common = {
      receive,
      refused: () => this.#break(side, "connectionReset"),
      timedOut: () => this.#break(side, "timedOut"),
    };
    return side === "client"
      ? new StreamLink(this.#wire, { from: client, to: server, source, destination, ...common })
      : new StreamLink(this.#wire, {
        from: server,
        to: client,
        source: destination,
        destination: source,
        ...common,
      });
  }

  #atServer(kind: SegmentKind, bytes: Uint8Array): Reception {
    if (kind === "connect") return this.#accept();
    const end = this.#server;
    if (end === null || isGone(end)) return "refused";
    return end.channel.receive(kind, bytes);
  }

  /** The server's kernel answers for who listens. */
  #accept(): Reception {
    const { server, names } = this.#options;
    const listener = this.#options.findListener();
    if (listener === undefined) return "refused";
    if (!listener.hasRoom) return "absent";
    const link = this.#createLink("server", this.#receiveAtClient);
    const channel = new SimulatedChannel(listener.loop, {
      link,
      peerLink: () => this.#clientLink,
      sockname: names.server,
      peername: names.client,
      onClose: () => this.#closed(),
    });
    this.#serverLink = link;
    const end: End = { channel, stack: server, life: server.life, isForgotten: false };
    this.#server = end;
    link.send("accept");
    listener.arrived({ channel, refuse: () => this.#refuse(end) });
    return "taken";
  }

  readonly #receiveAtClient = (kind: SegmentKind, bytes: Uint8Array): Reception => {
    const { channel } = this.#client;
    if (isGone(this.#client)) return "refused";
    if (kind !== "accept") return channel.receive(kind, bytes);
    this.#isOpen = true;
    this.#options.opened(channel);
    return "taken";
  };

  /** The server's program went before it accepted the connection. */
  #refuse(end: End): void {
    end.isForgotten = true;
    this.#serverLink?.send("reset");
  }

  /** One end has learned that the connection is no more. */
  #break(side: "client" | "server", kind: NetworkErrorKind): void {
    if (side === "client" && !this.#isOpen) {
      return this.#fail(kind === "connectionReset" ? "connectionRefused" : kind);
    }
    const end = side === "client" ? this.#client : this.#server;
    if (kind === "connectionReset") end?.channel.reset();
    else end?.channel.fail(createNetworkError(kind, "use a connection"));
  }

  #fail(kind: NetworkErrorKind): void {
    this.abandon();
    this.#options.failed(createNetworkError(kind, this.#options.action));
  }

  #closed(): void {
    this.#closedEnds += 1;
    if (this.#closedEnds === 2) this.#options.over();
  }
}

function isGone(end: End): boolean {
  return end.isForgotten || !end.stack.isUp || end.stack.life !== end.life;
}
