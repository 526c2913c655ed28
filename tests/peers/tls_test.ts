// CPython and OpenSSL against our TLS, each as the client and as the server.
import { assertEquals, assertInstanceOf, assertRejects, assertStringIncludes } from "@std/assert";
import {
  getRunningLoop,
  openConnection,
  type OpenConnectionOptions,
  run,
  startServer,
  type StartServerOptions,
  type StreamReader,
  type StreamWriter,
} from "../../mod.ts";
import { minorVersion } from "../conformance/cpython.ts";
import { host } from "../transports/_host.ts";
import { authority, certificate, trusting } from "../transports/_tls.ts";
import { hasCommand, PeerProcess } from "./_peer_process.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

const PYTHON = filePath(new URL("_tls_peer.py", import.meta.url));
const START_TLS_PEER = filePath(new URL("_start_tls_peer.py", import.meta.url));
const CERTIFICATES = filePath(new URL("../transports/certificates/", import.meta.url));
/** The first CPython whose streams have `start_tls()`. */
const START_TLS = 11;

const minor = await minorVersion();
const hasOpenssl = hasCommand("openssl", "version");

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const python = (...args: string[]) => new PeerProcess("python3", PYTHON, CERTIFICATES, ...args);
const startTlsPeer = (...args: string[]) =>
  new PeerProcess("python3", START_TLS_PEER, CERTIFICATES, ...args);

/** What a client of CPython prints whose million bytes came back. */
const EXPECTED = `1000000 ${
  Array.from({ length: 1000 }, (_, number) => (number % 251) * 1000).reduce((a, b) => a + b)
}\n`;

async function echo(reader: StreamReader, writer: StreamWriter): Promise<void> {
  await using output = writer;
  for (;;) {
    const data = await reader.read(65_536);
    if (data.length === 0) break;
    output.write(data);
    await output.drain();
  }
}

/** Answers to STARTTLS in the way of the peer, then echoes. */
async function echoAfterStartTls(reader: StreamReader, writer: StreamWriter): Promise<void> {
  assertEquals(decode(await reader.readLine()), "STARTTLS\n");
  writer.write(utf8("go ahead\n"));
  await writer.startTls({ tls: certificate("server") });
  await echo(reader, writer);
}

/** Serves one test: `main` gets the port. */
async function serving<T>(
  serve: (reader: StreamReader, writer: StreamWriter) => Promise<void>,
  options: StartServerOptions,
  main: (port: string) => Promise<T>,
): Promise<T> {
  return await run(async () => {
    await using server = await startServer(serve, { hostname: "127.0.0.1", ...options });
    return await main(String(server.address.port));
  });
}

for (
  const [mode, serve, options] of [
    ["connect", echo, { tls: certificate("server") }],
    ["connect-starttls", echoAfterStartTls, {}],
  ] as const
) {
  Deno.test({
    name: `startServer() serves CPython over TLS: ${mode}`,
    ignore: minor < START_TLS,
    async fn() {
      const text = await serving(serve, options, async (port) => {
        await using client = python(mode, port);
        return await client.finish();
      });
      assertEquals(text, EXPECTED);
    },
  });
}

for (const mode of ["serve", "serve-starttls"]) {
  Deno.test({
    name: `openConnection() talks to CPython over TLS: ${mode}`,
    ignore: minor < START_TLS,
    async fn() {
      await using server = python(mode);
      const port = Number(await server.readLine());
      const size = 1_000_000;
      const received = await run(async () => {
        const [reader, writer] = await openConnection({
          port,
          ...mode === "serve" ? { tls: trusting } : {},
        });
        await using output = writer;
        if (mode === "serve-starttls") {
          output.write(utf8("STARTTLS\n"));
          assertEquals(decode(await reader.readLine()), "go ahead\n");
          await output.startTls({ tls: trusting, serverHostname: "localhost" });
        }
        output.write(new Uint8Array(size).fill(7));
        return await reader.readExactly(size);
      });
      assertEquals(received.length, size);
      assertEquals(received.every((byte) => byte === 7), true);
      assertEquals(await server.finish(), "");
    },
  });
}

/** Runs OpenSSL without what it tells of every connection. */
function openssl(...args: string[]): PeerProcess {
  return new PeerProcess("sh", "-c", 'exec openssl "$@" 2> /dev/null', "sh", ...args);
}

/** A client of OpenSSL that checks who it talks to. */
function sClient(port: string, ...args: string[]): PeerProcess {
  const checks = ["-CAfile", `${CERTIFICATES}authority.pem`, "-verify_return_error"];
  return openssl(
    "s_client",
    "-connect",
    `127.0.0.1:${port}`,
    "-quiet",
    "-verify_quiet",
    ...checks,
    ...args,
  );
}

/** Answers one line and ends. */
async function answerLine(reader: StreamReader, writer: StreamWriter): Promise<void> {
  await using output = writer;
  const line = decode(await reader.readLine());
  const info = output.getExtraInfo("tls");
  const name = info?.peerCertificate?.subject.CN ?? "stranger";
  output.write(utf8(`${name} with ${info?.version} said ${line}`));
}

for (const version of ["1_2", "1_3"]) {
  Deno.test({
    name: `openssl s_client trusts a server and its name, with TLS ${version}`,
    ignore: !hasOpenssl,
    async fn() {
      const text = await serving(answerLine, { tls: certificate("server") }, async (port) => {
        await using client = sClient(port, "-verify_hostname", "localhost", `-tls${version}`);
        return await client.finish("hello\n");
      });
      assertEquals(text, `stranger with TLSv${version.replace("_", ".")} said hello\n`);
    },
  });
}

Deno.test({
  name: "openssl s_client refuses a certificate that has expired, or is for another host",
  ignore: !hasOpenssl,
  async fn() {
    for (const name of ["expired", "wrong_host"] as const) {
      const reports: string[] = [];
      const text = await serving(answerLine, { tls: certificate(name) }, async (port) => {
        const loop = getRunningLoop();
        loop.setDebug(true);
        loop.setExceptionHandler((_loop, context) => reports.push(String(context.exception)));
        await using client = sClient(port, "-verify_hostname", "localhost");
        return await client.finish("hello\n");
      });
      assertEquals(text, "");
      assertEquals(reports.length, 1);
      assertStringIncludes(reports[0] ?? "", "InvalidData: Cannot secure a connection");
    }
  },
});

Deno.test({
  name: "openssl s_client shows its certificate to a server that asks for it",
  ignore: !hasOpenssl,
  async fn() {
    const tls = { ...certificate("server"), ...trusting, requestClientCert: true };
    const [known, unknown, none] = await serving(answerLine, { tls }, async (port) => {
      const answers: string[] = [];
      for (const args of [keyPair("client"), keyPair("untrusted_client"), []]) {
        await using client = sClient(port, ...args);
        answers.push(await client.finish("hello\n"));
      }
      return answers;
    });
    assertEquals(known, "Test client with TLSv1.3 said hello\n");
    assertEquals([unknown, none], ["", ""]);
  },
});

Deno.test({
  name: "openssl s_client -starttls smtp goes through our dialogue",
  ignore: !hasOpenssl,
  async fn() {
    const asked: string[] = [];
    const text = await serving(
      async (reader, writer) => {
        writer.write(utf8("220 ready\r\n"));
        asked.push(decode(await reader.readLine()));
        writer.write(utf8("250-localhost\r\n250 STARTTLS\r\n"));
        asked.push(decode(await reader.readLine()));
        writer.write(utf8("220 go ahead\r\n"));
        await writer.startTls({ tls: certificate("server") });
        await answerLine(reader, writer);
      },
      {},
      async (port) => {
        await using client = sClient(port, "-starttls", "smtp", "-name", "tester");
        return await client.finish("hello\n");
      },
    );
    assertEquals(asked, ["EHLO tester\r\n", "STARTTLS\r\n"]);
    assertStringIncludes(text, "stranger with TLSv1.3 said hello\n");
  },
});

/** A mail server that tells with each answer whether it came in clear. */
async function serveMail(reader: StreamReader, writer: StreamWriter): Promise<void> {
  writer.write(utf8("220 localhost\r\n"));
  for (;;) {
    const line = decode(await reader.readLine()).trimEnd().toUpperCase();
    const version = writer.getExtraInfo("tls")?.version ?? "in clear";
    if (line === "") break;
    if (line.startsWith("EHLO")) {
      const offer = version === "in clear" ? "250-STARTTLS\r\n" : "";
      writer.write(utf8(`250-localhost\r\n${offer}250 HELP\r\n`));
    } else if (line === "STARTTLS") {
      writer.write(utf8("220 go ahead\r\n"));
      await writer.startTls({ tls: certificate("server") });
    } else if (line === "QUIT") {
      writer.write(utf8("221 bye\r\n"));
      break;
    } else writer.write(utf8(`250 ${line} ${version}\r\n`));
  }
  writer.close();
  await writer.waitClosed();
}

Deno.test({
  name: "CPython's smtplib goes through starttls(), and talks on",
  ignore: minor === 0,
  async fn() {
    const text = await serving(serveMail, {}, async (port) => {
      await using client = startTlsPeer("smtp", port);
      return await client.finish();
    });
    assertEquals(text, "220 go ahead\n250 NOOP TLSv1.3\n221 bye\n");
  },
});

Deno.test({
  name: "startServer() takes a hello that a client of CPython sends with the command",
  ignore: minor === 0,
  async fn() {
    const serve = async (reader: StreamReader, writer: StreamWriter) => {
      await reader.readLine();
      await writer.startTls({ tls: certificate("server") });
      await answerLine(reader, writer);
    };
    const text = await serving(serve, {}, async (port) => {
      await using client = startTlsPeer("pipeline", port);
      return await client.finish();
    });
    assertEquals(text, "stranger with TLSv1.3 said hello\n");
  },
});

Deno.test({
  name: "startServer() hangs up on a client that sends commands in clear behind STARTTLS",
  ignore: minor === 0,
  async fn() {
    const lines: string[] = [];
    let failure: unknown;
    const serve = async (reader: StreamReader, writer: StreamWriter) => {
      lines.push(decode(await reader.readLine()));
      writer.write(utf8("220 go ahead\r\n"));
      try {
        await writer.startTls({ tls: certificate("server") });
        lines.push(decode(await reader.readLine()));
      } catch (error) {
        failure = error;
      }
    };
    const text = await serving(serve, {}, async (port) => {
      await using client = startTlsPeer("inject", port);
      return await client.finish();
    });
    assertEquals(text, "220 go ahead\n");
    assertEquals(lines, ["STARTTLS\r\n"]);
    assertInstanceOf(failure, Deno.errors.InvalidData);
    assertStringIncludes(failure.message, "the peer has sent what is not TLS");
  },
});

Deno.test({
  name: "StreamWriter.startTls() refuses a server that answers in clear behind its consent",
  ignore: minor === 0,
  async fn() {
    await using server = startTlsPeer("serve-inject");
    const port = Number(await server.readLine());
    await run(async () => {
      const [reader, writer] = await openConnection({ port });
      writer.write(utf8("STARTTLS\r\n"));
      assertEquals(decode(await reader.readLine()), "220 go ahead\r\n");
      await assertRejects(
        async () => await writer.startTls({ tls: trusting, serverHostname: "localhost" }),
        Deno.errors.InvalidData,
        "the peer has sent what is not TLS",
      );
      await assertRejects(async () => await reader.readLine(), Deno.errors.InvalidData);
      await assertRejects(async () => await writer.waitClosed(), Deno.errors.InvalidData);
    });
  },
});

/** Runs `main` with the port of a server of OpenSSL that sends back lines reversed. */
async function withServer<T>(args: string[], main: (port: number) => Promise<T>): Promise<T> {
  await using server = openssl("s_server", "-accept", "127.0.0.1:0", "-rev", ...args);
  for (;;) {
    const port = /^ACCEPT .*:(\d+)$/.exec(await server.readLine())?.[1];
    if (port !== undefined) return await main(Number(port));
  }
}

function keyPair(name: string): string[] {
  return ["-cert", `${CERTIFICATES}${name}.pem`, "-key", `${CERTIFICATES}${name}.key`];
}

/** Sends a line to the server at `port`, and gives what comes back. */
async function ask(port: number, options: Partial<OpenConnectionOptions> = {}): Promise<string> {
  return await run(async () => {
    const [reader, writer] = await openConnection({ port, tls: trusting, ...options });
    await using output = writer;
    output.write(utf8("abc\n"));
    return decode(await reader.readLine());
  });
}

Deno.test({
  name: "openConnection() trusts openssl s_server, its chain and its name",
  ignore: !hasOpenssl,
  async fn() {
    await withServer(keyPair("server"), async (port) => {
      assertEquals(await ask(port), "cba\n");
      assertEquals(await ask(port, { hostname: "localhost" }), "cba\n");
      await assertRejects(
        () => ask(port, { serverHostname: "elsewhere.example" }),
        Deno.errors.InvalidData,
        "the certificate of the peer is for another host",
      );
      await assertRejects(
        () => ask(port, { tls: { caCerts: [authority("stranger")] } }),
        Deno.errors.InvalidData,
        "no trusted authority has signed the certificate of the peer",
      );
      assertEquals(await ask(port), "cba\n");
    });
  },
});

Deno.test({
  name: "openConnection() refuses openssl s_server with a certificate that has expired",
  ignore: !hasOpenssl,
  async fn() {
    await withServer(keyPair("expired"), async (port) => {
      await assertRejects(() => ask(port), Deno.errors.InvalidData, host.saysExpired);
    });
  },
});

Deno.test({
  name: "openConnection() shows its certificate to openssl s_server, which asks for it",
  ignore: !hasOpenssl,
  async fn() {
    const checks = ["-Verify", "1", "-verify_return_error", "-CAfile"];
    const args = [...keyPair("server"), ...checks, `${CERTIFICATES}authority.pem`];
    await withServer(args, async (port) => {
      assertEquals(await ask(port, { tls: { ...trusting, ...certificate("client") } }), "cba\n");
      // The refusal comes when the handshake is over on this side.
      const error = await assertRejects(() => ask(port));
      assertInstanceOf(error, Error);
      await assertRejects(() =>
        ask(port, { tls: { ...trusting, ...certificate("untrusted_client") } })
      );
    });
  },
});
