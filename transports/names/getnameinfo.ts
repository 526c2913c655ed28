import { checkLoopOpen } from "../../loop/errors/loop_closed.ts";
import { checkArgument, checkOptions, TEXT } from "../../loop/values/check_options.ts";
import type { Future } from "../../loop/tasks/future.ts";
import type { SocketAddress } from "../../loop/platform/platform.ts";
import type { PlatformLoop } from "../../loop/platform/platform_loop.ts";
import { startOperation } from "../../loop/tasks/start_operation.ts";
import type { Coroutine } from "../../loop/tasks/task.ts";
import { NAME_INFO_FLAGS, NET_ADDRESS } from "../_options.ts";
import { parseAddress } from "./ip_address.ts";
import { serviceOf } from "./_services.ts";
import { nameNotFound } from "./deno_name_not_found.ts";

/**
 * How {@linkcode getnameinfo} works: `numericHost` and `numericService` give numbers for names,
 * `nameRequired` fails where the host has no name.
 *
 * @category Names
 */
export type NameInfoFlag = "numericHost" | "numericService" | "nameRequired";

/**
 * Finds the names of a host and a service. As `loop.getnameinfo()`.
 *
 * @permissions allow-net=<address> unless the flag `numericHost` is given; without a port
 * @param loop The loop to resolve on.
 * @param address A numeric address and a port.
 * @param flags How to work.
 * @returns The name of the host, or its address if it has none, and the name of the service.
 * @throws {TypeError} If the host is not numeric.
 * @throws {RangeError} If the port is out of range.
 * @throws {Deno.errors.NotFound} If the host has no name, with the flag `nameRequired`.
 *
 * @category Names
 *
 * @example Numbers need no permission
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { getRunningLoop, run } from "@gyre/asyncio";
 *
 * await run(async () => {
 *   const loop = getRunningLoop();
 *   const address = { hostname: "127.0.0.1", port: 80 };
 *   assertEquals(await loop.getnameinfo(address, ["numericHost"]), ["127.0.0.1", "http"]);
 * });
 * ```
 */
export function getnameinfo(
  loop: PlatformLoop,
  address: SocketAddress,
  flags: readonly NameInfoFlag[] = [],
): Future<[host: string, service: string]> {
  checkOptions("find a name", address, NET_ADDRESS);
  checkArgument("find a name", "the hostname", address.hostname, TEXT);
  checkArgument("find a name", "flags", flags, NAME_INFO_FLAGS);
  checkLoopOpen(loop, "find a name");
  return startOperation(loop, findNames(loop, address, flags), "getnameinfo of", address);
}

function* findNames(
  loop: PlatformLoop,
  { hostname: text, port }: SocketAddress,
  flags: readonly NameInfoFlag[],
): Coroutine<[host: string, service: string]> {
  const hostname = parseAddress(text)?.hostname;
  if (hostname === undefined) {
    throw new TypeError(`Cannot find the name of "${text}": it is not a numeric address`);
  }
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new RangeError(`Cannot find the service of port ${port}: it is not between 0 and 65535`);
  }
  const service = flags.includes("numericService") ? String(port) : serviceOf(port);
  if (flags.includes("numericHost")) return [hostname, service];
  const name = yield* loop.platform.network.reverseLookup(loop, hostname);
  if (name === null && flags.includes("nameRequired")) {
    throw nameNotFound(hostname, "it has no name");
  }
  return [name ?? hostname, service];
}
