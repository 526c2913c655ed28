import { formatAddress } from "../../loop/values/format_address.ts";
import type { SocketAddress } from "../../loop/platform/platform.ts";

/** The address of every host on the wire. */
const BROADCAST = "255.255.255.255";

/**
 * Returns the error for a datagram that no system sends to `address`; `null` if one does. The hosts
 * differ: one throws, one says nothing, and one sends to everybody without being asked for it.
 */
export function unsendable(address: SocketAddress, allowBroadcast: boolean): Error | null {
  if (address.port === 0) {
    const error = new TypeError(`Cannot ${actionOf(address)}: there is no port 0 to send to`);
    return Object.assign(error, { code: "EINVAL" });
  }
  if (allowBroadcast || address.hostname !== BROADCAST) return null;
  const error = new Deno.errors.PermissionDenied(
    `Cannot ${actionOf(address)}: allowBroadcast is not set`,
  );
  return Object.assign(error, { code: "EACCES" });
}

function actionOf(address: SocketAddress): string {
  return `send a datagram to "${formatAddress(address)}"`;
}
