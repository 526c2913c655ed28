/**
 * Uses TLS on the native backend where the system has no OpenSSL.
 *
 * @module
 */
const { dlopen } = Deno;
Object.assign(Deno, {
  dlopen(file: string, functions: Deno.ForeignLibraryInterface) {
    if (file.startsWith("libssl")) throw new Error(`${file}: cannot open shared object file`);
    return dlopen(file, functions);
  },
});

const { getRunningLoop, run } = await import("../../../mod.ts");
const { newNativeEventLoop } = await import("../../../transports/native/mod.ts");
const { certificate, trusting } = await import("../../transports/_tls.ts");

await run(async () => {
  const loop = getRunningLoop();
  const server = await loop.createServer(() => ({}), {
    hostname: "127.0.0.1",
    tls: certificate("server"),
  });
  const { port } = server.address;
  const [transport] = await loop.createConnection(() => ({}), { port, tls: trusting });
  const info = transport.getExtraInfo("tls");
  console.log(info?.version, "to", info?.peerCertificate?.subject.CN);
  transport.close();
  server.close();
  await server.waitClosed();
  try {
    await loop.createConnection(() => ({}), { port, tls: { ...trusting, ciphers: "DEFAULT" } });
  } catch (error) {
    const { name, message } = error as Error;
    console.log(name, message.slice(0, message.indexOf(":")));
  }
}, { loopFactory: newNativeEventLoop });
