// curl and nc against examples/http_file_server.ts.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { findFreePort, hasCommand, PeerProcess } from "./_peer_process.ts";
import { filePath } from "../../loop/platform/deno_system.ts";

const EXAMPLE = filePath(new URL("../../examples/http_file_server.ts", import.meta.url));
const LARGE = 100 * 1024 * 1024;
const hasCurl = hasCommand("curl", "--version");

/** Runs the example on a folder with files, for the time of `test`. */
async function serve(test: (url: string, port: number) => Promise<void>): Promise<void> {
  const folder = Deno.makeTempDirSync({ dir: "/tmp" });
  try {
    Deno.writeTextFileSync(`${folder}/small.txt`, "0123456789");
    Deno.writeTextFileSync(`${folder}/empty`, "");
    writeLarge(`${folder}/large`);
    const port = findFreePort();
    const flags = [`--allow-net=127.0.0.1:${port}`, `--allow-read=${folder}`];
    await using server = new PeerProcess(
      "deno",
      ...["run", "--quiet", "--no-prompt", "--no-check", ...flags, EXAMPLE, folder, String(port)],
    );
    assertEquals(await server.readLine(), `Serving ${folder} on http://127.0.0.1:${port}/`);
    await test(`http://127.0.0.1:${port}`, port);
    assertEquals(await server.end(), "");
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Writes a file of which every MiB begins with its number; the rest is zeros. */
function writeLarge(path: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  file.truncateSync(LARGE);
  for (let offset = 0; offset < LARGE; offset += 1024 * 1024) {
    file.seekSync(offset, Deno.SeekMode.Start);
    file.writeSync(new TextEncoder().encode(String(offset)));
  }
}

async function curl(...args: string[]): Promise<string> {
  const options: Deno.CommandOptions = { args: ["--silent", "--max-time", "60", ...args] };
  return new TextDecoder().decode((await new Deno.Command("curl", options).output()).stdout);
}

Deno.test({
  name: "examples/http_file_server.ts sends curl 100 MiB twice over one connection",
  ignore: !hasCurl,
  fn: () =>
    serve(async (url) => {
      const folder = Deno.makeTempDirSync({ dir: "/tmp" });
      const report = await curl(
        ...["--output", `${folder}/1`, `${url}/large`, "--output", `${folder}/2`, `${url}/large`],
        ...["--write-out", "%{http_code} %{size_download} %{num_connects}\n"],
      );
      assertEquals(report, `200 ${LARGE} 1\n200 ${LARGE} 0\n`);
      for (const name of ["1", "2"]) {
        const bytes = Deno.readFileSync(`${folder}/${name}`);
        for (let offset = 0; offset < LARGE; offset += 1024 * 1024) {
          const text = new TextDecoder().decode(bytes.subarray(offset, offset + 16));
          assertEquals(text, String(offset).padEnd(16, "\0"));
        }
      }
      Deno.removeSync(folder, { recursive: true });
    }),
});

Deno.test({
  name: "examples/http_file_server.ts sends curl the ranges that it asks for",
  ignore: !hasCurl,
  fn: () =>
    serve(async (url) => {
      const ranges = {
        "0-3": "0123",
        "4-": "456789",
        "-2": "89",
        "8-99": "89",
        "-99": "0123456789",
      };
      for (const [range, expected] of Object.entries(ranges)) {
        const code = ["--write-out", " %{http_code}"];
        assertEquals(await curl("--range", range, ...code, `${url}/small.txt`), `${expected} 206`);
      }
      const offset = 64 * 1024 * 1024;
      const part = await curl("--range", `${offset}-${offset + 7}`, `${url}/large`);
      assertEquals(part, String(offset));
      const headers = await curl("--include", "--range", "99-", `${url}/small.txt`);
      assertStringIncludes(headers, "HTTP/1.1 416 ");
      assertStringIncludes(
        await curl("--include", "--range", "1-2", `${url}/small.txt`),
        "Content-Range: bytes 1-2/10\r\n",
      );
    }),
});

Deno.test({
  name: "examples/http_file_server.ts answers HEAD, what is not there and what it does not know",
  ignore: !hasCurl,
  fn: () =>
    serve(async (url) => {
      const code = ["--write-out", "%{http_code}", "--path-as-is"];
      assertStringIncludes(await curl("--head", `${url}/small.txt`), "Content-Length: 10\r\n");
      assertEquals(await curl(...code, `${url}/empty`), "200");
      assertEquals(await curl(...code, `${url}/none`), "404");
      assertEquals(await curl(...code, `${url}/`), "404");
      assertEquals(await curl(...code, `${url}/../../../etc/passwd`), "404");
      assertEquals(await curl(...code, `${url}/..%2f..%2fetc/passwd`), "404");
      assertEquals(await curl(...code, "--data", "x", `${url}/small.txt`), "400");
    }),
});

Deno.test({
  name: "examples/http_file_server.ts answers requests that nc sends at once, in order",
  ignore: !hasCommand("nc", "-h"),
  fn: () =>
    serve(async (_url, port) => {
      await using nc = new PeerProcess("nc", "-N", "127.0.0.1", String(port));
      const request = (range: string) =>
        `GET /small.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=${range}\r\n\r\n`;
      const answers = await nc.finish(request("0-0") + request("5-6") + request("9-9"));
      const bodies = answers.split("\r\n\r\n").slice(1).map((text) => text.split("HTTP/1.1")[0]);
      assertEquals(bodies, ["0", "56", "9"]);
      assert(answers.startsWith("HTTP/1.1 206 Partial Content\r\n"));
    }),
});
