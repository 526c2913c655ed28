import { Buffer } from "node:buffer";
import type { DatagramChannel, DatagramSink } from "../../loop/platform/platform.ts";
import type { Place } from "../_place.ts";
import type { World } from "../_world.ts";
import { errorNumber, type HandleRequest, numberOf } from "./_deno_node.ts";
import type { HandleAddress } from "./_stream_handle.ts";

/** The handle as `node:dgram` has it. */
interface UdpHandle {
  onmessage?(size: number, handle: UdpHandle, bytes: Uint8Array, from: HandleAddress): void;
}

/** What is behind each handle that a simulation uses. */
const states: WeakMap<object, UdpState> = new WeakMap();

/** What is behind a handle of `node:dgram` in a simulation. */
class UdpState implements DatagramSink {
  readonly #place: Place;
  readonly #handle: UdpHandle;
  readonly #channel: DatagramChannel;
  #isReceiving = false;
  #hasStarted = false;
  #peer: Deno.NetAddr | null = null;

  constructor(place: Place, handle: UdpHandle, channel: DatagramChannel) {
    this.#place = place;
    this.#handle = handle;
    this.#channel = channel;
  }

  recvStart(): number {
    this.#isReceiving = true;
    if (!this.#hasStarted) {
      this.#hasStarted = true;
      this.#channel.start(this);
    }
    return 0;
  }

  recvStop(): number {
    this.#isReceiving = false;
    return 0;
  }

  connect(hostname: string, port: number): number {
    this.#peer = { transport: "udp", hostname, port };
    return 0;
  }

  disconnect(): number {
    this.#peer = null;
    return 0;
  }

  send(request: HandleRequest, parts: (string | Uint8Array)[], ...rest: unknown[]): number {
    // How many parts, then port and address unless it is connected, then whether somebody waits.
    const [, port, hostname] = rest.length > 2 ? rest as [number, number, string] : [];
    const to = hostname === undefined
      ? this.#peer
      : { transport: "udp" as const, hostname, port: Number(port) };
    if (to === null) return errorNumber("ENOTCONN");
    const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as Uint8Array)));
    if (bytes.length > LONGEST) return errorNumber("EMSGSIZE");
    this.#channel.send(new Uint8Array(bytes), to);
    if (hears(rest)) this.#place.later(0, () => request.oncomplete(null, bytes.length));
    return 0;
  }

  close(done: (() => void) | undefined): void {
    this.#isReceiving = false;
    this.#channel.close();
    this.#place.later(0, () => done?.());
  }

  getsockname(out: HandleAddress): number {
    return describe(this.#channel.address, out);
  }

  getpeername(out: HandleAddress): number {
    return this.#peer === null ? errorNumber("ENOTCONN") : describe(this.#peer, out);
  }

  received(bytes: Uint8Array, address: Deno.NetAddr): void {
    if (!this.#isReceiving) return;
    const from = {};
    describe(address, from);
    this.#place.run(() => {
      this.#handle.onmessage?.(bytes.length, this.#handle, Buffer.from(bytes), from);
    });
  }

  sent(): void {}

  failed(): void {}

  closed(): void {}
}

/** Whether somebody waits for what is sent, by the last argument of `send()`. */
function hears(rest: readonly unknown[]): boolean {
  return rest.at(-1) === true;
}

/** The longest datagram, in bytes. */
const LONGEST = 65_507;

function describe({ hostname, port }: Deno.NetAddr, out: HandleAddress): number {
  out.address = hostname;
  out.port = port;
  out.family = hostname.includes(":") ? "IPv6" : "IPv4";
  return 0;
}

type Call = (state: UdpState, ...args: never[]) => unknown;

const nothing = (): number => 0;

const CALLS: Readonly<Record<string, Call>> = {
  close: (state, done?: () => void) => state.close(done),
  connect: (state, hostname: string, port: number) => state.connect(hostname, port),
  connect6: (state, hostname: string, port: number) => state.connect(hostname, port),
  disconnect: (state) => state.disconnect(),
  getpeername: (state, out: HandleAddress) => state.getpeername(out),
  getsockname: (state, out: HandleAddress) => state.getsockname(out),
  hasRef: () => true,
  recvStart: (state) => state.recvStart(),
  recvStop: (state) => state.recvStop(),
  ref: () => {},
  send: (state, request: HandleRequest, parts: (string | Uint8Array)[], ...rest: unknown[]) => {
    return state.send(request, parts, ...rest);
  },
  send6: (state, request: HandleRequest, parts: (string | Uint8Array)[], ...rest: unknown[]) => {
    return state.send(request, parts, ...rest);
  },
  setBroadcast: nothing,
  setMulticastInterface: nothing,
  setMulticastLoopback: nothing,
  setMulticastTTL: nothing,
  setTTL: nothing,
  unref: () => {},
};

/** Returns what stands for the method called `key` of handles; `undefined` if nothing does. */
export function serveDatagramHandle(
  key: string,
  world: World,
  readOriginal: () => unknown,
): unknown {
  if (key === "bind" || key === "bind6") {
    return function (this: UdpHandle, hostname: string, port: number): number {
      const { place } = world;
      // Done at once.
      const opening = place.platform.network.openDatagrams(place.loop, { hostname, port });
      const error = opening.exception();
      if (error !== null) return numberOf(error);
      states.set(this, new UdpState(place, this, opening.result()));
      return 0;
    };
  }
  const call = CALLS[key];
  if (call === undefined) return undefined;
  const original = readOriginal() as () => unknown;
  return function (this: UdpHandle, ...args: never[]): unknown {
    const state = states.get(this);
    return state === undefined ? Reflect.apply(original, this, args) : call(state, ...args);
  };
}
