// TLS by OpenSSL against programs of others: openssl itself, CPython and curl.
import { assertEquals, assertInstanceOf, assertMatch, assertStringIncludes } from "@std/assert";
import {
  openConnection,
  run,
  startServer,
  type StreamReader,
  type StreamWriter,
  type TlsOptions,
} from "../../mod.ts";
import { newNativeEventLoop } from "../../transports/native/mod.ts";
import { filePath } from "../../loop/platform/deno_system.ts";
import { hasCommand, PeerProcess } from "../peers/_peer_process.ts";
import { utf8 } from "../transports/_backend.ts";
import { certificate, trusting } from "../transports/_tls.ts";

const PYTHON = filePath(new URL("_tls_peer.py", import.meta.url));
const CERTIFICATES = filePath(new URL("../transports/certificates/", import.meta.url));

const hasOpenssl = hasCommand("openssl", "version");
const hasPython = hasCommand("python3", "--version");
const hasCurl = hasCommand("curl", "--version");

const AUTHORITY = `${CERTIFICATES}authority.pem`;

function keyPair(name: string): string[] {
  return ["-cert", `${CERTIFICATES}${name}.pem`, "-key", `${CERTIFICATES}${name}.key`];
}

/** Answers one line with what is known of the connection, and ends. */
async function answer(reader: StreamReader, writer: StreamWriter): Promise<void> {
  await using output = writer;
  const line = new TextDecoder().decode(await reader.readLine());
  const info = output.getExtraInfo("tls");
  const name = info?.peerCertificate?.subject.CN ?? "stranger";
  output.write(utf8(`${name} with ${info?.version} said ${line}`));
}

/** Serves `main`, which gets the port. */
async function serving<T>(
  options: TlsOptions,
  main: (port: string) => Promise<T>,
  serve: (reader: StreamReader, writer: StreamWriter) => Promise<void> = answer,
): Promise<T> {
  return await run(async () => {
    await using server = await startServer(serve, {
      hostname: "127.0.0.1",
      tls: { ...certificate("server"), ...options },
    });
    return await main(String(server.address.port));
  }, { loopFactory: newNativeEventLoop });
}

/** Runs a client of OpenSSL that sends a line; gives all that it prints. */
async function sClient(port: string, ...args: string[]): Promise<string> {
  const always = ["-connect", `127.0.0.1:${port}`, "-CAfile", AUTHORITY, "-ign_eof"];
  const command = ["-c", 'exec openssl s_client "$@" 2>&1', "sh", ...always, ...args];
  await using client = new PeerProcess("sh", ...command);
  return await client.finish("hello\n");
}

async function python(port: string, ...args: string[]): Promise<string> {
  await using client = new PeerProcess("python3", PYTHON, CERTIFICATES, port, ...args);
  return await client.finish();
}

Deno.test({
  name: "openssl s_client gets the certificate of the name that it asks for, or none in particular",
  ignore: !hasOpenssl,
  async fn() {
    const asked: (string | null)[] = [];
    const sni = (name: string | null) => {
      asked.push(name);
      return name === "elsewhere.example" ? certificate("wrong_host") : null;
    };
    const [chosen, own] = await serving({ sni }, async (port) => [
      await sClient(port, "-servername", "elsewhere.example"),
      await sClient(port, "-noservername"),
    ]);
    assertMatch(chosen, /subject=CN = elsewhere$/m);
    assertMatch(own, /subject=CN = localhost$/m);
    assertEquals(asked, ["elsewhere.example", null]);
  },
});

Deno.test({
  name: "openssl s_client learns by an alert why it is refused, and shows a certificate optionally",
  ignore: !hasOpenssl,
  async fn() {
    const required: TlsOptions = { ...trusting, requestClientCert: true };
    const [none, untrusted, old] = await serving(required, async (port) => [
      await sClient(port, "-tls1_3"),
      await sClient(port, "-tls1_3", ...keyPair("untrusted_client")),
      await sClient(port, "-tls1_2", ...keyPair("untrusted_client")),
    ]);
    assertStringIncludes(none, "alert certificate required");
    assertStringIncludes(untrusted, "alert unknown ca");
    assertStringIncludes(old, "alert unknown ca");

    const optional: TlsOptions = { ...trusting, requestClientCert: "optional" };
    const [without, shown] = await serving(optional, async (port) => [
      await sClient(port),
      await sClient(port, ...keyPair("client")),
    ]);
    assertStringIncludes(without, "stranger with TLSv1.3 said hello");
    assertStringIncludes(shown, "Test client with TLSv1.3 said hello");
    // The authority that it should be of is named to it.
    assertStringIncludes(without, "CN = Test authority");
  },
});

/** Starts a server of OpenSSL that gives each line back in reverse; gives it and its port. */
async function sServer(...args: string[]): Promise<[PeerProcess, number]> {
  const always = ["-accept", "127.0.0.1:0", "-CAfile", AUTHORITY, "-rev"];
  const command = ["-c", 'exec openssl s_server "$@" 2>&1', "sh", ...always, ...args];
  const server = new PeerProcess("sh", ...command);
  for (;;) {
    const port = /^ACCEPT .*:(\d+)/.exec(await server.readLine())?.[1];
    if (port !== undefined) return [server, Number(port)];
  }
}

/** Sends a line to a server of OpenSSL; gives the answer, and the name in its certificate. */
async function reversed(
  port: number,
  tls: TlsOptions,
  serverHostname = "localhost",
): Promise<string> {
  return await run(async () => {
    const [reader, writer] = await openConnection({
      port,
      tls: { ...trusting, ...tls },
      serverHostname,
    });
    await using output = writer;
    output.write(utf8("hello\n"));
    const line = new TextDecoder().decode(await reader.readLine());
    const certificate = output.getExtraInfo("tls")?.peerCertificate;
    return `${certificate?.subject.CN} says ${line.trim()}`;
  }, { loopFactory: newNativeEventLoop });
}

Deno.test({
  name: "openConnection() names the host to openssl s_server, and shows it a certificate",
  ignore: !hasOpenssl,
  async fn() {
    const [server, port] = await sServer(
      ...keyPair("server"),
      "-servername",
      "elsewhere.example",
      "-cert2",
      `${CERTIFICATES}wrong_host.pem`,
      "-key2",
      `${CERTIFICATES}wrong_host.key`,
      "-Verify",
      "1",
      "-verify_return_error",
    );
    await using _server = server;
    const known = certificate("client");
    assertEquals(await reversed(port, known), "localhost says olleh");
    assertEquals(await reversed(port, known, "elsewhere.example"), "elsewhere says olleh");
    for (
      const [shown, alert] of [[{}, "certificate required"], [
        certificate("untrusted_client"),
        "unknown ca",
      ]] as const
    ) {
      const error = await reversed(port, shown).catch((error) => error);
      assertInstanceOf(error, Deno.errors.InvalidData);
      assertStringIncludes(error.message, `has refused it with the alert "${alert}"`);
    }
  },
});

Deno.test({
  name: "CPython's asyncio learns by an alert why it is refused",
  ignore: !hasPython,
  async fn() {
    const tls: TlsOptions = { ...trusting, requestClientCert: true };
    const told = await serving(tls, async (port) => [
      await python(port, "read"),
      await python(port, "read", "untrusted_client"),
      await python(port, "read", "client"),
    ]);
    assertEquals(told, [
      "TLSV13_ALERT_CERTIFICATE_REQUIRED\n",
      "TLSV1_ALERT_UNKNOWN_CA\n",
      "Test client with TLSv1.3 said hello\n",
    ]);
  },
});

Deno.test({
  name: "a client of CPython resumes its session, and is known by its certificate as before",
  ignore: !hasPython,
  async fn() {
    const tls: TlsOptions = { ...trusting, requestClientCert: true };
    for (const version of ["TLSv1.2", "TLSv1.3"]) {
      const text = await serving(tls, (port) => python(port, "resume", version));
      const said = `Test client with ${version} said hello\n`;
      assertEquals(text, `False ${said}True ${said}`);
    }
  },
});

Deno.test({
  name: "CPython sees the end of TLS in good order, whoever ends it first",
  ignore: !hasPython,
  async fn() {
    const ended = await serving({}, (port) => python(port, "ragged"));
    assertEquals(ended, "stranger with TLSv1.3 said hello\nclean b''\n");

    // It waits for our confirmation, and then for the end of the connection.
    const ends: Uint8Array[] = [];
    const unwrapped = await serving(
      {},
      (port) => python(port, "unwrap"),
      async (reader, writer) => {
        writer.write(utf8(`${new TextDecoder().decode(await reader.readLine()).trim()} yourself`));
        ends.push(await reader.read());
        writer.close();
        await writer.waitClosed();
      },
    );
    assertEquals(unwrapped, "hello yourself\nunwrapped b''\n");
    assertEquals(ends, [new Uint8Array(0)]);
  },
});

Deno.test({
  name: "curl agrees with a server on a protocol, and shows it a certificate",
  ignore: !hasCurl,
  async fn() {
    const tls: TlsOptions = { ...trusting, requestClientCert: true, alpnProtocols: ["http/1.1"] };
    const serve = async (reader: StreamReader, writer: StreamWriter) => {
      await using output = writer;
      while ((await reader.readLine()).length > 2);
      const { alpnProtocol, peerCertificate } = output.getExtraInfo("tls") ?? {};
      const body = `${peerCertificate?.subject.CN} by ${alpnProtocol}\n`;
      output.write(utf8(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`));
    };
    const text = await serving(tls, async (port) => {
      const shown = ["--cert", `${CERTIFICATES}client.pem`, "--key", `${CERTIFICATES}client.key`];
      const trust = ["--cacert", AUTHORITY, "--resolve", `localhost:${port}:127.0.0.1`];
      await using client = new PeerProcess(
        "curl",
        "-sS",
        "--noproxy",
        "*",
        ...shown,
        ...trust,
        `https://localhost:${port}/`,
      );
      return await client.finish();
    }, serve);
    assertEquals(text, "Test client by http/1.1\n");
  },
});
