import type { EventLoop, Future } from "../../../loop/mod.ts";
import type {
  ByteChannel,
  DatagramChannel,
  HostAddress,
  Listener,
  Network,
  SocketAddress,
} from "../../../loop/platform/platform.ts";

/** A network that only notes what it is asked to do, as the system calls of a host would. */
export class RecordingNetwork implements Network {
  /** What was asked, in order. */
  readonly calls: string[] = [];
  /** The addresses of each name. */
  readonly names: Record<string, string[]> = {};
  /** What the process, which has less than all, refuses: `lookup` or `connect 10.0.0.1:80`. */
  readonly refused: Set<string> = new Set();
  /** Where connections by name end up. */
  actualPeer = "10.0.0.1";

  connectTcp(loop: EventLoop, { hostname, port }: SocketAddress): Future<ByteChannel> {
    return this.#answer(loop, `connect ${hostname}:${port}`, () => {
      const peer = /^[\d.]+$|:/.test(hostname) ? hostname : this.actualPeer;
      const abort = () => void this.calls.push("abort");
      const channel = { abort, getExtraInfo: () => ({ hostname: peer, port }) };
      return channel as unknown as ByteChannel;
    });
  }

  listenTcp(loop: EventLoop, address: SocketAddress): Future<Listener<Deno.NetAddr>> {
    return this.#answer(loop, `listen ${address.hostname}:${address.port}`, () => {
      return { address: { transport: "tcp", ...address } } as Listener<Deno.NetAddr>;
    });
  }

  connectUnix(loop: EventLoop, path: string): Future<ByteChannel> {
    return this.#answer(loop, `connect ${path}`, () => ({} as ByteChannel));
  }

  listenUnix(loop: EventLoop, path: string): Future<Listener<Deno.UnixAddr>> {
    return this.#answer(loop, `listen ${path}`, () => ({} as Listener<Deno.UnixAddr>));
  }

  openDatagrams(loop: EventLoop, { hostname, port }: SocketAddress): Future<DatagramChannel> {
    return this.#answer(loop, `bind ${hostname}:${port}`, () => this.#createDatagrams());
  }

  lookup(loop: EventLoop, hostname: string): Future<HostAddress[]> {
    return this.#answer(loop, `lookup ${hostname}`, () => {
      return (this.names[hostname] ?? []).map((address): HostAddress => ({
        family: address.includes(":") ? "ipv6" : "ipv4",
        hostname: address,
      }));
    });
  }

  reverseLookup(loop: EventLoop, hostname: string): Future<string | null> {
    return this.#answer(loop, `name of ${hostname}`, () => null);
  }

  adopt(): ByteChannel {
    return {} as ByteChannel;
  }

  adoptListener<A extends Deno.Addr>(): Listener<A> {
    return {} as Listener<A>;
  }

  adoptDatagrams(): DatagramChannel {
    return this.#createDatagrams();
  }

  #createDatagrams(): DatagramChannel {
    return {
      address: { transport: "udp", hostname: "0.0.0.0", port: 1 },
      start: () => {},
      close: () => {},
      send: (_bytes, { hostname, port }) => {
        this.calls.push(`send ${hostname}:${port}`);
      },
    };
  }

  #answer<T>(loop: EventLoop, call: string, work: () => T): Future<T> {
    this.calls.push(call);
    const future = loop.createFuture<T>();
    if (this.refused.has(call) || this.refused.has(call.split(" ")[0] as string)) {
      future.setException(new Deno.errors.NotCapable(`Requires net access to "${call}"`));
    } else future.setResult(work());
    return future;
  }
}
