import { setEventLoopPolicy } from "../../mod.ts";
import "../../transports/native/mod.ts";
import { nativeTls } from "../../transports/native/native_tls_context.ts";
import { host } from "../transports/_host.ts";
import type { Backend } from "../transports/_backend.ts";

// Backends and tests ask the policy for their loops.
setEventLoopPolicy("native");
host.isNative = true;
host.tls = nativeTls;
host.saysExpired = "the certificate of the peer has expired";

/** Returns `backend` with what differs on the loops of the native backend. */
export function onNative<A extends Deno.Addr>(backend: Backend<A>): Backend<A> {
  return { ...backend, name: `Native ${backend.name}`, writesAtOnce: true };
}
