/**
 * What OpenSSL asks a server in the middle of a handshake. There are two functions for all
 * connections, which live as long as the library; whose handshake it is, is known from the call.
 *
 * @module
 */
import { bytesAt, outputs } from "./native_memory.ts";
import {
  SSL_AD_HANDSHAKE_FAILURE,
  SSL_TLSEXT_ERR_ALERT_FATAL,
  SSL_TLSEXT_ERR_NOACK,
  SSL_TLSEXT_ERR_OK,
} from "./native_openssl.ts";

/** Who is asked. It must not throw. */
export interface Chooser {
  /** Sets the certificate for the name that the client has asked for; `false` refuses the client. */
  chooseName(): boolean;
  /** Returns which of the protocols of `offer` it is, by its place; `null` if there are none, -1 refuses. */
  chooseProtocol(offer: Uint8Array): number | null;
}

/** Whose handshake goes on now. */
let asked: Chooser | null = null;

const PROTOCOL = {
  parameters: ["pointer", "pointer", "pointer", "pointer", "u32", "pointer"],
  result: "i32",
} as const satisfies Deno.UnsafeCallbackDefinition;

const NAME = {
  parameters: ["pointer", "pointer", "pointer"],
  result: "i32",
} as const satisfies Deno.UnsafeCallbackDefinition;

interface Callbacks {
  readonly protocol: Deno.UnsafeCallback<typeof PROTOCOL>;
  readonly name: Deno.UnsafeCallback<typeof NAME>;
}

let callbacks: Callbacks | null = null;

/** Creates them. They are held for the life of the thread: nobody knows when the last context is gone. */
export function createServerCallbacks(): void {
  callbacks ??= {
    protocol: new Deno.UnsafeCallback(PROTOCOL, (_ssl, place, size, offer, length) => {
      const list = bytesAt(offer, length);
      const chosen = asked?.chooseProtocol(list) ?? null;
      if (chosen === null) return SSL_TLSEXT_ERR_NOACK;
      if (chosen < 0) return SSL_TLSEXT_ERR_ALERT_FATAL;
      // OpenSSL copies it before it lets go of the offer.
      outputs.place(place, offer, chosen + 1);
      outputs.byte(size, list[chosen] as number);
      return SSL_TLSEXT_ERR_OK;
    }),
    name: new Deno.UnsafeCallback(NAME, (_ssl, alert) => {
      if (asked?.chooseName() !== false) return SSL_TLSEXT_ERR_OK;
      outputs.int(alert, SSL_AD_HANDSHAKE_FAILURE);
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    }),
  };
}

/** Returns what OpenSSL is to call. */
export function serverCallbacks(): {
  chooseName: Deno.PointerValue;
  chooseProtocol: Deno.PointerValue;
} {
  createServerCallbacks();
  const { name, protocol } = callbacks as Callbacks;
  return { chooseName: name.pointer, chooseProtocol: protocol.pointer };
}

/** Does `step` of a handshake, in which `chooser` is asked. */
export function asking(chooser: Chooser, step: () => number): number {
  const outer = asked;
  asked = chooser;
  try {
    return step();
  } finally {
    asked = outer;
  }
}
