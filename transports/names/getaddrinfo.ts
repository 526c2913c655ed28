import { checkLoopOpen } from "../../loop/errors/loop_closed.ts";
import { checkArgument, checkOptions } from "../../loop/values/check_options.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { AddressFamily, HostAddress, SocketAddress } from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { GETADDRINFO, HOST } from "../_options.ts";
import { parseAddress } from "./ip_address.ts";
import { portOf } from "./_services.ts";
import { nameNotFound } from "./deno_name_not_found.ts";
import { describe } from "../../loop/values/describe.ts";

/**
 * What a socket carries.
 *
 * @category Names
 */
export type SocketType = "stream" | "datagram";

/**
 * The protocol under it.
 *
 * @category Names
 */
export type SocketProtocol = "tcp" | "udp";

/**
 * How {@linkcode getaddrinfo} works: `passive` gives the addresses to listen on where there is no
 * host, `numericHost` and `numericService` look nothing up, `canonicalName` fills `canonname`.
 *
 * @category Names
 */
export type AddrInfoFlag = "passive" | "numericHost" | "numericService" | "canonicalName";

/**
 * Settings of {@linkcode getaddrinfo}.
 *
 * @category Names
 */
export interface GetaddrinfoOptions {
  /** Addresses of this family only. */
  family?: AddressFamily | undefined;
  /** Sockets of this type only. */
  type?: SocketType | undefined;
  /** Sockets of this protocol only. */
  proto?: SocketProtocol | undefined;
  /** How to work. */
  flags?: readonly AddrInfoFlag[] | undefined;
}

/**
 * One way to reach a service.
 *
 * @category Names
 */
export interface AddrInfo {
  /** The version of the Internet protocol. */
  readonly family: AddressFamily;
  /** What the socket carries. */
  readonly type: SocketType;
  /** The protocol under it. */
  readonly proto: SocketProtocol;
  /** The name of the host, in the first result and with the flag `canonicalName`; else empty. */
  readonly canonname: string;
  /** Where to connect to or listen. */
  readonly address: SocketAddress;
}

const KINDS = [{ type: "stream", proto: "tcp" }, { type: "datagram", proto: "udp" }] as const;

/**
 * Resolves a host name and a service to addresses. As `loop.getaddrinfo()`.
 *
 * Numeric hosts are not looked up and need no permission; they are given as the system writes them:
 * `::1` for `0:0:0:0:0:0:0:1`. Services are ports, numbers as text, or names of a built-in list.
 *
 * @permissions allow-net=<hostname> for a name; without a port
 * @param loop The loop to resolve on.
 * @param hostname A name or a numeric address; `null` for the local host, or with the flag
 * `passive` for every address of the machine.
 * @param port A port, the name of a service, or `null` for port 0.
 * @param options Additional options.
 * @throws {Deno.errors.NotFound} If the name does not resolve, or not to the wanted family.
 * @throws {RangeError} If the port is out of range or the service unknown.
 * @throws {TypeError} If there is neither a host nor a port, or type and protocol do not fit.
 *
 * @category Names
 *
 * @example Numeric addresses need no permission
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { getRunningLoop, run } from "@gyre/asyncio";
 *
 * await run(async () => {
 *   const loop = getRunningLoop();
 *   const [first] = await loop.getaddrinfo("127.0.0.1", "https", { type: "stream" });
 *   assertEquals(first?.address, { hostname: "127.0.0.1", port: 443 });
 * });
 * ```
 */
export function getaddrinfo(
  loop: PlatformLoop,
  hostname: string | null,
  port: number | string | null,
  options: GetaddrinfoOptions = {},
): Future<AddrInfo[]> {
  checkOptions("resolve an address", options, GETADDRINFO);
  checkArgument("resolve an address", "hostname", hostname, HOST);
  checkLoopOpen(loop, "resolve an address");
  return startOperation(
    loop,
    resolve(loop, hostname, port, options),
    `getaddrinfo of ${describe(hostname)}`,
  );
}

function* resolve(
  loop: PlatformLoop,
  hostname: string | null,
  port: number | string | null,
  options: GetaddrinfoOptions,
): Coroutine<AddrInfo[]> {
  if (hostname === null && port === null) {
    throw new TypeError("Cannot resolve an address: there is neither a host nor a port");
  }
  const kinds = KINDS.filter(({ type, proto }) =>
    (options.type ?? type) === type && (options.proto ?? proto) === proto
  );
  if (kinds.length === 0) {
    throw new TypeError(
      `Cannot resolve an address: type "${options.type}" does not go with "${options.proto}"`,
    );
  }
  const number = checkPort(port, options.flags ?? []);
  const hosts = yield* findHosts(loop, hostname, options);
  const canonname = options.flags?.includes("canonicalName") ? hostname ?? "" : "";
  const found = hosts.flatMap(({ family, hostname }) =>
    kinds.map(({ type, proto }) => ({
      family,
      type,
      proto,
      canonname: "",
      address: { hostname, port: number },
    }))
  );
  return found.map((info, index) => index === 0 ? { ...info, canonname } : info);
}

function checkPort(port: number | string | null, flags: readonly AddrInfoFlag[]): number {
  const numeric = typeof port !== "string" || /^\d+$/.test(port) ||
    !flags.includes("numericService");
  const number = typeof port === "string" ? portOf(port) : port ?? 0;
  if (number === null || !numeric) {
    throw new RangeError(`Cannot resolve service "${port}": it has no known port`);
  }
  if (!Number.isInteger(number) || number < 0 || number > 65_535) {
    throw new RangeError(`Cannot resolve port ${port}: it is not between 0 and 65535`);
  }
  return number;
}

function* findHosts(
  loop: PlatformLoop,
  hostname: string | null,
  { family, flags = [] }: GetaddrinfoOptions,
): Coroutine<HostAddress[]> {
  const hosts = hostname === null
    ? ownAddresses(flags.includes("passive"))
    : yield* lookUp(loop, hostname, flags.includes("numericHost"));
  const wanted = hosts.filter((host) => family === undefined || host.family === family);
  if (wanted.length === 0) throw nameNotFound(hostname ?? "", `it has no ${family} address`);
  return wanted;
}

/** The local host, or every address of the machine; what to try first comes first. */
function ownAddresses(passive: boolean): HostAddress[] {
  const ipv4: HostAddress = { family: "ipv4", hostname: passive ? "0.0.0.0" : "127.0.0.1" };
  const ipv6: HostAddress = { family: "ipv6", hostname: passive ? "::" : "::1" };
  return passive ? [ipv4, ipv6] : [ipv6, ipv4];
}

function* lookUp(
  loop: PlatformLoop,
  hostname: string,
  numericOnly: boolean,
): Coroutine<HostAddress[]> {
  const address = parseAddress(hostname);
  if (address !== null) return [address];
  if (/[:%]/.test(hostname)) throw nameNotFound(hostname, "it is neither a name nor an address");
  if (hostname === "") throw nameNotFound(hostname, "it is empty");
  if (numericOnly) throw nameNotFound(hostname, "it is not numeric");
  return yield* loop.platform.network.lookup(loop, hostname);
}
