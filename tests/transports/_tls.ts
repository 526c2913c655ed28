import { newEventLoop, type TlsOptions } from "../../mod.ts";
import type { Backend } from "./_backend.ts";

/** The certificates of certificates/. */
export type CertificateName =
  | "client"
  | "expired"
  | "server"
  | "steady"
  | "untrusted_client"
  | "wrong_host";

/** Returns a certificate and its key. */
export function certificate(name: CertificateName): { cert: string; key: string } {
  return { cert: read(`${name}.pem`), key: read(`${name}.key`) };
}

/** Returns the certificate of an authority: the one behind all, or one that signed nothing of note. */
export function authority(name: "authority" | "stranger" = "authority"): string {
  return read(`${name}.pem`);
}

/** What a client needs to trust the servers of the tests. */
export const trusting: TlsOptions = { caCerts: [authority()] };

/** TLS over TCP on the loopback interface. */
export const tls: Backend<Deno.NetAddr> = {
  name: "TLS",
  capacity: 24 * 1024 * 1024,
  endsWhole: true,
  createLoop: () => newEventLoop(),
  serve: (loop, factory, options) =>
    loop.createServer(factory, { hostname: "127.0.0.1", tls: certificate("server"), ...options }),
  connect: (loop, address, factory) =>
    loop.createConnection(factory, { port: address.port, tls: trusting }),
};

function read(name: string): string {
  return Deno.readTextFileSync(new URL(`certificates/${name}`, import.meta.url));
}
