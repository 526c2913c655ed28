import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Place } from "../_place.ts";
import type { World } from "../_world.ts";
import { acceptKey, SimulatedWebSocket } from "./_deno_websocket.ts";

/** Seconds of silence after which Deno asks whether a client is there, and gives it up. */
const IDLE_TIMEOUT = 120;

/** The requests that may become a WebSocket. */
const upgrades: WeakMap<Request, IncomingMessage> = new WeakMap();

/** An answer that makes a WebSocket of its connection. */
interface Handshake {
  readonly websocket: SimulatedWebSocket;
  readonly key: string;
  readonly protocol: string;
}

const handshakes: WeakMap<Response, Handshake> = new WeakMap();

/** Notes that `request` asks for another protocol. */
export function noteUpgrade(request: Request, message: IncomingMessage): void {
  upgrades.set(request, message);
}

/** Returns `Deno.upgradeWebSocket` for a simulation. */
export function createUpgrade(world: World): unknown {
  return function upgradeWebSocket(
    request: Request,
    { protocol = "", idleTimeout = IDLE_TIMEOUT }: Deno.UpgradeWebSocketOptions = {},
  ): { socket: SimulatedWebSocket; response: Response } {
    const key = request.headers.get("sec-websocket-key");
    const upgrade = request.headers.get("upgrade");
    if (upgrade?.toLowerCase() !== "websocket" || key === null || !upgrades.has(request)) {
      throw new TypeError("Cannot upgrade a request: it does not ask for a WebSocket");
    }
    const url = request.url.replace(/^http/, "ws");
    const socket = new SimulatedWebSocket(world.place, url, null, idleTimeout);
    // The status is 101, which no response can be made with.
    const response = new Response(null, { status: 200 });
    Object.defineProperty(response, "status", { value: 101 });
    handshakes.set(response, { websocket: socket, key, protocol });
    return { socket, response };
  };
}

/** Answers a handshake, if `response` is for that. Returns whether it is. */
export function answerHandshake(
  response: Response,
  place: Place,
  { socket, head }: { socket: Socket; head: Uint8Array },
): boolean {
  const handshake = handshakes.get(response);
  if (handshake === undefined) return false;
  const { websocket, key, protocol } = handshake;
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptKey(key)}`,
    ...protocol === "" ? [] : [`Sec-WebSocket-Protocol: ${protocol}`],
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  place.later(0, () => websocket.take(socket, head, protocol));
  return true;
}
