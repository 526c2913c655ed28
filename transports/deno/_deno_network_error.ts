import { isNotCapable, nameMissingFlag } from "../../loop/errors/deno_not_capable.ts";
import { formatAddress } from "../../loop/values/format_address.ts";
import type { SocketAddress } from "../../loop/platform/platform.ts";
import { toDenoError } from "./_deno_node_error.ts";

/** How Deno's error for a name that does not resolve begins; it has no class of its own. */
const LOOKUP_FAILURE = "failed to lookup address information";

/** Says in the message what failed, and of a missing permission which flag it takes. */
export function explainNetworkError(error: unknown, action: string): unknown {
  if (!(error instanceof Error)) return error;
  if (isNotCapable(error)) return nameMissingFlag(error, action);
  const { code } = error as { code?: string };
  if (error.message.startsWith(LOOKUP_FAILURE) || code === "ENOTFOUND") {
    return new Deno.errors.NotFound(`Cannot ${action}: the name does not resolve`, {
      cause: error,
    });
  }
  if (code === undefined) return error;
  // What has a class of its own says it in Deno's words.
  const { constructor, message } = error.constructor === Error ? toDenoError(error) : error;
  const state = message.charAt(0).toLowerCase() + message.slice(1);
  const explained = new (constructor as ErrorConstructor)(`Cannot ${action}: ${state}`, {
    cause: error,
  });
  return Object.assign(explained, { code });
}

/** As {@linkcode explainNetworkError} for a datagram to `address`. */
export function explainSendError(error: Error, address: SocketAddress): Error {
  return explainNetworkError(error, `send a datagram to "${formatAddress(address)}"`) as Error;
}
