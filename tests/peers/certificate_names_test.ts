// Whom certificates are for: OpenSSL makes them, CPython and our clients take or refuse them.
import { assertEquals } from "@std/assert";
import { openConnection, run, startServer } from "../../mod.ts";
import { minorVersion } from "../conformance/cpython.ts";
import { type CertificateRow, TABLE } from "../tls/_names_table.ts";
import { hasCommand, PeerProcess } from "./_peer_process.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

const PYTHON = filePath(new URL("_names_peer.py", import.meta.url));

const minor = await minorVersion();
const hasOpenssl = hasCommand("openssl", "version");

/** Where a certificate, its key and that of its authority are. */
interface Files {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

async function openssl(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("openssl", { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

async function makeAuthority(folder: string): Promise<string> {
  const ca = `${folder}/ca.pem`;
  const extensions = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"];
  const args = extensions.flatMap((extension) => ["-addext", extension]);
  await openssl(
    ...["req", "-x509", ...NEW_KEY, "-days", "9", "-subj", "/CN=authority"],
    ...args,
    ...["-keyout", `${folder}/ca.key`, "-out", ca],
  );
  return ca;
}

/** Has the authority of `folder` sign a certificate. */
async function makeCertificate(
  folder: string,
  ca: string,
  row: CertificateRow,
  index: number,
): Promise<Files> {
  const path = `${folder}/${index}`;
  const names = row.names.map((name, at) => {
    const [kind = "", ...value] = name.split(":");
    return `${kind}.${at}="${value.join(":")}"`;
  });
  const extensions = [
    "basicConstraints=critical,CA:FALSE",
    "subjectKeyIdentifier=hash",
    "authorityKeyIdentifier=keyid",
    ...names.length > 0 ? ["subjectAltName=@names", "[names]", ...names] : [],
  ];
  await Deno.writeTextFile(`${path}.ext`, extensions.join("\n"));
  const subject = row.commonName === undefined ? "/O=nobody" : `/CN=${row.commonName}`;
  const request = ["-keyout", `${path}.key`, "-out", `${path}.csr`];
  await openssl("req", "-new", ...NEW_KEY, "-subj", subject, ...request);
  await openssl(
    ...["x509", "-req", "-in", `${path}.csr`, "-CA", ca, "-CAkey", `${folder}/ca.key`],
    ...["-days", "9", "-extfile", `${path}.ext`, "-out", `${path}.pem`],
  );
  return { cert: `${path}.pem`, key: `${path}.key`, ca };
}

/** Returns for which of `hosts` our client takes the certificate. */
function takenHere(files: Files, hosts: readonly string[]): Promise<boolean[]> {
  return run(async () => {
    const [cert, key, ca] = await Promise.all(
      [files.cert, files.key, files.ca].map((path) => Deno.readTextFile(path)),
    ) as [string, string, string];
    const serve = (_reader: unknown, writer: { close(): void }) => writer.close();
    const server = await startServer(serve, { hostname: "127.0.0.1", tls: { cert, key } });
    const { port } = server.address;
    const taken: boolean[] = [];
    for (const serverHostname of hosts) {
      const tls = { caCerts: [ca] };
      try {
        const [, writer] = await openConnection({ port, tls, serverHostname });
        writer.close();
        await writer.waitClosed();
        taken.push(true);
      } catch (error) {
        if (!/for another host|is no host/.test(String(error))) throw error;
        taken.push(false);
      }
    }
    server.close();
    await server.waitClosed();
    return taken;
  });
}

Deno.test({
  name: "openConnection() takes certificates for the hosts that CPython takes them for",
  ignore: !hasOpenssl || minor === 0,
  async fn() {
    const folder = await Deno.makeTempDir({ dir: "/tmp" });
    try {
      const ca = await makeAuthority(folder);
      const made = await Promise.all(
        TABLE.map((row, index) => makeCertificate(folder, ca, row, index)),
      );
      await using python = new PeerProcess("python3", PYTHON);
      const questions = TABLE.map((row, index) => {
        const hosts = [...row.accepted, ...row.refused];
        return { ...made[index] as Files, hosts };
      });
      const text = await python.finish(questions.map((row) => JSON.stringify(row) + "\n").join(""));
      const answers: boolean[][] = text.trimEnd().split("\n").map((line) => JSON.parse(line));
      for (const [index, { names, accepted }] of TABLE.entries()) {
        const question = questions[index] as (typeof questions)[number];
        const expected = question.hosts.map((host) => [host, accepted.includes(host)]);
        const pair = (taken: boolean[]) => question.hosts.map((host, at) => [host, taken[at]]);
        assertEquals([names, pair(answers[index] ?? [])], [names, expected]);
        assertEquals([names, pair(await takenHere(question, question.hosts))], [names, expected]);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
