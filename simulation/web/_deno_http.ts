import http from "node:http";
import net from "node:net";
import tls from "node:tls";
import { cancelHostTimer } from "../_deno_timers.ts";
import type { Patch } from "../_patch.ts";
import type { Place } from "../_place.ts";
import { createRefusal } from "../_refused_call.ts";
import type { World } from "../_world.ts";

/** A message as `node:http` sends it. */
interface Message {
  sendDate: boolean;
  _header: string;
}

/** What `node:http` finds a free connection by. */
interface AgentOptions {
  readonly host?: string;
}

/** What `node:http` hangs into the list of timers of the host, for each server. */
interface CheckingInterval {
  readonly _timerId: { _onTimeout: () => void; readonly _repeat: number };
}

/** What of `node:http` does not go through a handle or a timer. */
export function httpPatches(): Patch[] {
  const server = net.Server.prototype;
  return [
    { target: http.OutgoingMessage.prototype, key: "_storeHeader", create: createStoreHeader },
    { target: http.Agent.prototype, key: "getName", create: createGetName },
    { target: server, key: "listen", create: createListen },
    { target: server, key: "_emitCloseIfDrained", create: createEmitClose },
    {
      target: tls.TLSSocket.prototype,
      key: "_wrapHandle",
      create: () => createRefusal("node:tls.connect()", false),
    },
  ];
}

/** The host keeps the text of the date for a second of its own. */
function createStoreHeader(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (this: Message, ...args: unknown[]) => void;
  return function (this: Message, ...args: unknown[]): void {
    if (!this.sendDate) return Reflect.apply(original, this, args);
    this.sendDate = false;
    Reflect.apply(original, this, args);
    this.sendDate = true;
    if (/\r\ndate:/i.test(this._header)) return;
    const date = `Date: ${new Date(world.dateMs).toUTCString()}\r\n`;
    const at = this._header.search(/Connection: |Content-Length: \d+\r\n\r\n$|Transfer-Encoding: /);
    const place = at < 0 ? this._header.length - 2 : at;
    this._header = this._header.slice(0, place) + date + this._header.slice(place);
  };
}

/** The numbers of the places that have used an agent. */
const placeNumbers: WeakMap<Place, number> = new WeakMap();
let lastNumber = 0;

/** Hosts do not share connections, although they may share an agent, in one process as they are. */
function createGetName(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (this: http.Agent, options?: AgentOptions) => string;
  return function (this: http.Agent, options?: AgentOptions): string {
    const { place } = world;
    const number = placeNumbers.get(place) ?? ++lastNumber;
    if (!placeNumbers.has(place)) {
      placeNumbers.set(place, number);
      // `node:http` keeps connections that nobody will close.
      const forget = () => forgetConnections(http.globalAgent, `:place${number}`);
      place.onEnd(forget);
      world.leaving.push(forget);
    }
    return `${Reflect.apply(original, this, [options])}:place${number}`;
  };
}

function forgetConnections({ freeSockets, sockets, requests }: http.Agent, suffix: string): void {
  for (const table of [freeSockets, sockets, requests] as Record<string, unknown>[]) {
    for (const name of Object.keys(table)) if (name.endsWith(suffix)) delete table[name];
  }
}

/** A server of `node:http` looks now and then for clients that are too slow, by a timer of the host. */
function createListen(world: World, readOriginal: () => unknown): unknown {
  const original = readOriginal() as (this: net.Server, ...args: unknown[]) => net.Server;
  return function (this: net.Server, ...args: unknown[]): net.Server {
    const { place } = world;
    if (this instanceof tls.Server) throw createRefusal("node:tls.Server.listen()", false)();
    if (this instanceof http.Server) {
      this.once("listening", () => checkInSimulatedTime(this, place));
    }
    return Reflect.apply(original, this, args);
  };
}

function checkInSimulatedTime(server: net.Server, place: Place): void {
  const key = Object.getOwnPropertySymbols(server).find((key) => {
    return key.description === "http.server.connectionsCheckingInterval";
  });
  const interval = key && Reflect.get(server, key) as CheckingInterval | undefined;
  if (interval === undefined) return;
  const { _onTimeout: check, _repeat: milliseconds } = interval._timerId;
  cancelHostTimer(interval._timerId);
  if (!place.isAlive) return;
  server.once("close", place.everyIdle(milliseconds / 1000, check));
}

/** The host waits for a timer of its own before it says that a server is closed. */
function createEmitClose(world: World): unknown {
  return function (this: net.Server & { _handle: unknown; _connections: number }): void {
    if (this._handle || this._connections) return;
    world.place.later(0, () => this.emit("close"));
  };
}
