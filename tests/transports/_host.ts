import type { Tls } from "../../loop/platform/platform.ts";
import { denoTls } from "../../transports/tls/_deno_tls_context.ts";

/** What the tests of sockets run on. */
export const host: { isNative: boolean; tls: Tls; saysExpired: string } = {
  /**
   * Whether that is the native backend, where the system takes what fits within the call of
   * `write()` and `sendto()`, and what Deno cannot do can be done.
   */
  isNative: false,
  /** What TLS is done by. */
  tls: denoTls,
  /** What is said of a certificate that has expired: Deno's engine does not tell. */
  saysExpired: "or it is not valid now",
};
