/**
 * Connects to a server whose authority only `SSL_CERT_FILE` names.
 *
 * @module
 */
import { getRunningLoop, run } from "../../../mod.ts";
import { newNativeEventLoop } from "../../../transports/native/mod.ts";
import { certificate } from "../../transports/_tls.ts";

await run(async () => {
  const loop = getRunningLoop();
  const server = await loop.createServer(() => ({}), {
    hostname: "127.0.0.1",
    tls: certificate("server"),
  });
  const [transport] = await loop.createConnection(() => ({}), {
    port: server.address.port,
    tls: true,
  });
  console.log(transport.getExtraInfo("tls")?.peerCertificate?.issuer.CN);
  transport.close();
  server.close();
  await server.waitClosed();
}, { loopFactory: newNativeEventLoop });
