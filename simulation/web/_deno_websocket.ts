import { createHash } from "node:crypto";
import http from "node:http";
import type { Socket } from "node:net";
import type { Place } from "../_place.ts";
import { createRefusal } from "../_refused_call.ts";
import type { World } from "../_world.ts";
import type { SeededRandom } from "../seeded_random.ts";
import { encodeFrame, type Frame, FrameReader, isControl, OPCODE } from "./_websocket_frames.ts";

/** What the key of a handshake is hashed with. */
const HANDSHAKE = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** The bytes that the reason of an end has at most. */
const LONGEST_REASON = 123;

const KNOWN_OPCODES: ReadonlySet<number> = new Set(Object.values(OPCODE));

function ignore(): void {}

const encoder = new TextEncoder();

/** What may be given to the constructor beside the address. */
interface WebSocketOptions {
  readonly protocols?: string | string[];
  readonly headers?: HeadersInit;
}

/** Returns the answer to the key of a handshake. */
export function acceptKey(key: string): string {
  return createHash("sha1").update(key + HANDSHAKE).digest("base64");
}

/** The handlers that a socket has as properties. */
const EVENTS = ["open", "message", "error", "close"] as const;
type Handler = ((event: Event) => unknown) | null;

/** A WebSocket in a simulation, of a client or of a server. */
export class SimulatedWebSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  binaryType: BinaryType = "blob";
  onopen: Handler = null;
  onmessage: Handler = null;
  onerror: Handler = null;
  onclose: Handler = null;
  readonly #place: Place;
  readonly #url: string;
  /** Where masks come from; a server sends none. */
  readonly #random: SeededRandom | null;
  #readyState = 0;
  #protocol = "";
  #socket: Socket | null = null;
  readonly #reader = new FrameReader();
  /** The parts of a message whose end has not come. */
  #parts: Frame[] = [];
  /** What the peer has said as it ended the connection, or we. */
  #end: { code: number; reason: string } | null = null;
  #hasSentClose = false;
  /** Seconds of silence after which a server asks whether the client is there. */
  readonly #idleTimeout: number;
  #cancelIdle: () => void = () => {};
  #awaitsPong = false;

  constructor(place: Place, url: string, random: SeededRandom | null, idleTimeout = 0) {
    super();
    this.#place = place;
    this.#url = url;
    this.#random = random;
    this.#idleTimeout = idleTimeout;
    for (const type of EVENTS) {
      this.addEventListener(
        type,
        (event) => Reflect.apply(this[`on${type}`] ?? ignore, this, [event]),
      );
    }
  }

  get url(): string {
    return this.#url;
  }

  get readyState(): number {
    return this.#readyState;
  }

  get protocol(): string {
    return this.#protocol;
  }

  get extensions(): string {
    return "";
  }

  get bufferedAmount(): number {
    return this.#socket?.writableLength ?? 0;
  }

  get [Symbol.toStringTag](): string {
    return "WebSocket";
  }

  send(data: string | ArrayBufferLike | Blob | ArrayBufferView): void {
    if (this.#readyState === 0) {
      throw new DOMException(
        "Cannot send a message: the WebSocket is not open",
        "InvalidStateError",
      );
    }
    if (this.#readyState !== 1) return;
    if (data instanceof Blob) {
      data.arrayBuffer().then((bytes) => this.#write(OPCODE.binary, new Uint8Array(bytes)));
    } else if (ArrayBuffer.isView(data)) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      this.#write(OPCODE.binary, bytes.slice());
    } else if (typeof data === "object") this.#write(OPCODE.binary, new Uint8Array(data.slice(0)));
    else this.#write(OPCODE.text, encoder.encode(String(data)));
  }

  close(code?: number, reason = ""): void {
    const isAllowed = code === undefined || code === 1000 || (code >= 3000 && code <= 4999);
    if (!isAllowed) {
      throw new DOMException(
        `Cannot close a WebSocket: its code must be 1000, or from 3000 to 4999, not ${code}`,
        "InvalidAccessError",
      );
    }
    if (encoder.encode(reason).length > LONGEST_REASON) {
      throw new DOMException("Cannot close a WebSocket: its reason is too long", "SyntaxError");
    }
    if (this.#readyState >= 2) return;
    const isOpen = this.#readyState === 1;
    this.#readyState = 2;
    if (isOpen) this.#sendClose(code, reason);
    else this.#fail();
  }

  /** Goes on over `socket`, whose handshake is done. */
  take(socket: Socket, head: Uint8Array, protocol: string): void {
    if (this.#readyState !== 0) return void socket.destroy();
    this.#socket = socket;
    this.#protocol = protocol;
    this.#readyState = 1;
    socket.setTimeout(0);
    socket.on("data", (bytes: Uint8Array) => this.#receive(bytes));
    socket.on("end", () => socket.end());
    socket.on("error", () => {});
    socket.on("close", () => this.#closed());
    this.#watch();
    this.dispatchEvent(new Event("open"));
    if (head.length > 0) this.#receive(head);
  }

  /** The handshake has failed. */
  refuse(message: string): void {
    if (this.#readyState === 3) return;
    this.#readyState = 3;
    this.#cancelIdle();
    this.dispatchEvent(new ErrorEvent("error", { message }));
    // Deno gives no code.
    this.dispatchEvent(new CloseEvent("close"));
  }

  #fail(): void {
    this.#place.later(0, () => this.refuse("WebSocket is closed before it was open"));
  }

  #write(opcode: number, payload: Uint8Array): void {
    const socket = this.#socket;
    if (socket === null || !socket.writable) return;
    const random = this.#random;
    const mask = random && Uint8Array.from({ length: 4 }, () => random.below(256));
    socket.write(encodeFrame(opcode, payload, mask));
  }

  #sendClose(code: number | undefined, reason: string): void {
    if (this.#hasSentClose) return;
    this.#hasSentClose = true;
    const text = encoder.encode(reason);
    const payload = new Uint8Array(code === undefined ? 0 : 2 + text.length);
    if (code !== undefined) {
      new DataView(payload.buffer).setUint16(0, code);
      payload.set(text, 2);
    }
    this.#write(OPCODE.close, payload);
  }

  #receive(bytes: Uint8Array): void {
    this.#awaitsPong = false;
    this.#watch();
    for (const frame of this.#reader.push(bytes)) {
      if (this.#end !== null || this.#readyState === 3) return;
      if (!KNOWN_OPCODES.has(frame.opcode)) return this.#break();
      if (isControl(frame.opcode)) this.#receiveControl(frame);
      else this.#receivePart(frame);
    }
  }

  #receiveControl({ opcode, payload }: Frame): void {
    if (opcode === OPCODE.ping) this.#write(OPCODE.pong, payload);
    if (opcode !== OPCODE.close) return;
    const code = payload.length < 2 ? 1005 : new DataView(payload.buffer).getUint16(0);
    this.#end = { code, reason: new TextDecoder().decode(payload.subarray(2)) };
    this.#readyState = 2;
    this.#sendClose(code === 1005 ? undefined : code, this.#end.reason);
    // The server ends the connection below; then both know.
    if (this.#random === null) this.#socket?.end();
  }

  #receivePart(frame: Frame): void {
    this.#parts.push(frame);
    if (!frame.isLast) return;
    const [first] = this.#parts;
    const payload = joinParts(this.#parts);
    this.#parts = [];
    if (this.#readyState !== 1) return;
    const isText = first?.opcode === OPCODE.text;
    let data: unknown;
    try {
      data = isText ? new TextDecoder("utf-8", { fatal: true }).decode(payload) : payload.buffer;
    } catch {
      return this.#break();
    }
    if (!isText && this.binaryType === "blob") data = new Blob([payload]);
    const { origin } = new URL(this.#url);
    this.dispatchEvent(new MessageEvent("message", { data, origin }));
  }

  #closed(): void {
    if (this.#readyState === 3) return;
    this.#readyState = 3;
    this.#cancelIdle();
    if (this.#end !== null) {
      this.dispatchEvent(new CloseEvent("close", { wasClean: true, ...this.#end }));
      return;
    }
    this.dispatchEvent(new ErrorEvent("error", { message: "Unexpected EOF" }));
    // Deno gives no code.
    this.dispatchEvent(new CloseEvent("close"));
  }

  /** The peer has sent what no peer may send. */
  #break(): void {
    this.#socket?.destroy();
    this.#closed();
  }

  /** A server asks after half of the time, and gives up after the rest. */
  #watch(): void {
    this.#cancelIdle();
    if (this.#idleTimeout <= 0 || this.#readyState !== 1) return;
    this.#cancelIdle = this.#place.later(this.#idleTimeout / 2, () => {
      if (this.#readyState !== 1) return;
      if (this.#awaitsPong) {
        this.#end = { code: 1001, reason: "No response from ping frame." };
        return void this.#socket?.destroy();
      }
      this.#write(OPCODE.ping, new Uint8Array(0));
      this.#awaitsPong = true;
      this.#watch();
    });
  }
}

function joinParts(parts: readonly Frame[]): Uint8Array<ArrayBuffer> {
  const size = parts.reduce((sum, { payload }) => sum + payload.length, 0);
  const joined = new Uint8Array(size);
  let offset = 0;
  for (const { payload } of parts) {
    joined.set(payload, offset);
    offset += payload.length;
  }
  return joined;
}

/** Returns the class `WebSocket` for a simulation. */
export function createWebSocketClass(world: World): unknown {
  const random = world.seeds.derive("websocket");
  return class WebSocket extends SimulatedWebSocket {
    constructor(address: string | URL, given: string | string[] | WebSocketOptions = []) {
      const { place } = world;
      const url = parseAddress(address);
      super(place, url.href, random);
      const options = typeof given === "object" && !Array.isArray(given)
        ? given
        : { protocols: given };
      shakeHands(this, place, url, options, random);
    }
  };
}

function parseAddress(address: string | URL): URL {
  const url = URL.parse(address);
  const protocol = url?.protocol.replace("http", "ws");
  if (url === null || (protocol !== "ws:" && protocol !== "wss:")) {
    throw new DOMException(
      `Cannot open a WebSocket to "${address}": it is no such URL`,
      "SyntaxError",
    );
  }
  if (url.hash !== "") {
    throw new DOMException(`Cannot open a WebSocket to "${url}": it has a fragment`, "SyntaxError");
  }
  if (protocol === "wss:") throw createRefusal("new WebSocket() of wss:", false)();
  url.protocol = protocol;
  return url;
}

function shakeHands(
  websocket: SimulatedWebSocket,
  place: Place,
  url: URL,
  { protocols = [], headers }: WebSocketOptions,
  random: SeededRandom,
): void {
  const key = btoa(
    Array.from({ length: 16 }, () => String.fromCharCode(random.below(256))).join(""),
  );
  const { pathname, search } = url;
  const wanted = typeof protocols === "string" ? [protocols] : protocols;
  const request = place.run(() =>
    http.request({
      agent: false,
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port === "" ? 80 : Number(url.port),
      path: pathname + search,
      headers: {
        ...Object.fromEntries(new Headers(headers)),
        "host": url.host,
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-key": key,
        "sec-websocket-version": "13",
        ...wanted.length === 0 ? {} : { "sec-websocket-protocol": wanted.join(", ") },
      },
    })
  );
  const refuse = (state: string) => websocket.refuse(`NetworkError: failed to connect: ${state}`);
  request.on("upgrade", (response, socket, head) => {
    const protocol = response.headers["sec-websocket-protocol"] ?? "";
    if (response.headers["sec-websocket-accept"] !== acceptKey(key)) {
      socket.destroy();
      return refuse("the key of the answer is wrong");
    }
    websocket.take(socket, head, protocol);
  });
  request.on("response", (response) => {
    response.destroy();
    refuse(`the status is ${response.statusCode}`);
  });
  request.on("error", (error) => refuse(error.message));
  request.end();
}
