import { formatAddress } from "../../loop/values/format_address.ts";
import type { SocketAddress } from "../../loop/platform/platform.ts";

/**
 * Asks for the permission to use `address`, as Deno's own APIs do. Those of Node would throw the
 * refusal where nobody can catch it.
 *
 * @throws {Deno.errors.NotCapable} If it is refused.
 */
export function checkNetPermission(address: SocketAddress): void {
  const host = formatAddress(address);
  if (Deno.permissions.querySync({ name: "net", host }).state === "granted") return;
  if (Deno.permissions.requestSync({ name: "net", host }).state === "granted") return;
  throw new Deno.errors.NotCapable(
    `Requires net access to "${host}", run again with the --allow-net=${host} flag`,
  );
}
