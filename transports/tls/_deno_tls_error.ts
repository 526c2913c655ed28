/** An error of `node:tls`, or of what it stands on. */
type CodedError = Error & { code?: string };

const OTHER_HOST = "ERR_TLS_CERT_ALTNAME_INVALID";

/** What the codes mean that users meet. */
const REASONS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the certificate of the peer has expired",
  CERT_NOT_YET_VALID: "the certificate of the peer is not valid yet",
  CERT_REVOKED: "the certificate of the peer was revoked",
  DEPTH_ZERO_SELF_SIGNED_CERT: "no trusted authority has signed the certificate of the peer",
  INVALID_PURPOSE: "the certificate of the peer is for another purpose",
  SELF_SIGNED_CERT_IN_CHAIN: "no trusted authority has signed the certificate of the peer",
  UNABLE_TO_GET_ISSUER_CERT: "no trusted authority has signed the certificate of the peer",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "no trusted authority has signed the certificate of the peer",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "no trusted authority has signed the certificate of the peer, or it is not valid now",
};

/** The certificate of the peer is for `others`. */
export function otherHost(hostname: string, others: string): Error {
  const message = `the certificate of the peer is for another host: for ${others}, not ${hostname}`;
  return Object.assign(new Error(message), { code: OTHER_HOST });
}

/** Says what TLS has failed with, in an error that has the code of `error`. */
export function explainTlsError(action: string, error: CodedError): Error {
  const explained = new Deno.errors.InvalidData(`Cannot ${action}: ${reasonOf(error)}`, {
    cause: error,
  });
  return error.code === undefined ? explained : Object.assign(explained, { code: error.code });
}

/** The peer has gone before the end: the connection is lost, as asyncio says by the same code. */
export function tlsUnexpectedEnd(action: string, when: string): Error {
  const error = new Deno.errors.UnexpectedEof(`Cannot ${action}: the peer has gone ${when}`);
  return Object.assign(error, { code: "ECONNRESET" });
}

/** The peer has sent something else. */
export function tlsForeign(action: string): Error {
  return new Deno.errors.InvalidData(`Cannot ${action}: the peer has sent what is not TLS`);
}

/** This side has closed the connection. */
export function tlsClosed(action: string): Error {
  return new Deno.errors.ConnectionAborted(`Cannot ${action}: it was closed`);
}

/** Something took too long. */
export function tlsTimeout(action: string, seconds: number): Error {
  return new Deno.errors.ConnectionAborted(`Cannot ${action}: it took over ${seconds} seconds`);
}

function reasonOf(error: CodedError): string {
  const { code = "", message } = error;
  if (code === OTHER_HOST) return message;
  return REASONS[code] ?? message.charAt(0).toLowerCase() + message.slice(1);
}
