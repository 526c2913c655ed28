import type { PeerCertificate } from "node:tls";
import { describeAlternativeNames } from "./certificate_names.ts";
import { nodeTls } from "./_deno_node_tls.ts";
import type { TlsCertificate } from "./tls_options.ts";

/** Says what is in a certificate as `node:tls` and `node:crypto` have it. */
export function describeCertificate(certificate: PeerCertificate): TlsCertificate {
  return {
    subject: { ...certificate.subject as unknown as Record<string, string> },
    issuer: { ...certificate.issuer as unknown as Record<string, string> },
    // Not what Node has written: there a name with a comma in it looks like two.
    subjectAltName: describeAlternativeNames(certificate.raw),
    validFrom: certificate.valid_from,
    validTo: certificate.valid_to,
    serialNumber: certificate.serialNumber,
    fingerprint256: certificate.fingerprint256,
    raw: new Uint8Array(certificate.raw),
  };
}

/** Says what is in a certificate in DER. */
export function describeCertificateIn(der: Uint8Array): TlsCertificate {
  return describeCertificate(new (nodeTls().crypto.X509Certificate)(der).toLegacyObject());
}
