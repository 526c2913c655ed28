/**
 * Serves the files of a folder over HTTP/1.1, whole or in part, on connections that stay open.
 *
 * deno run --allow-net=127.0.0.1:8080 --allow-read=. examples/http_file_server.ts . 8080
 *
 * Prints:
 *     Serving . on http://127.0.0.1:8080/
 *     ^C
 *
 * @module
 */
import { type DenoEventLoop, getRunningLoop, Protocol, run, type Transport } from "@gyre/asyncio";

const [folder = ".", port = "8080"] = Deno.args;
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Answers the requests of a connection in turn, and reads no more of them meanwhile. */
class HttpProtocol extends Protocol {
  #unread = "";
  override connectionMade(transport: Transport): void {
    const loop = getRunningLoop() as DenoEventLoop;
    this.dataReceived = async (data) => {
      const heads = (this.#unread + new TextDecoder("latin1").decode(data)).split("\r\n\r\n");
      this.#unread = heads.pop() ?? "";
      transport.pauseReading();
      for (const head of heads) await answer(loop, transport, head).catch(() => transport.abort());
      this.#unread.length < 65_536 ? transport.resumeReading() : transport.abort();
    };
  }
}

async function answer(loop: DenoEventLoop, transport: Transport, head: string): Promise<void> {
  const respond = (status: string, size = 0, more = "") =>
    transport.write(utf8(`HTTP/1.1 ${status}\r\nContent-Length: ${size}\r\n${more}\r\n`));
  const [, method, target = ""] = /^(GET|HEAD) (\/\S*) HTTP\/1\.1/.exec(head) ?? [];
  if (method === undefined) respond("400 Bad Request", 0, "Connection: close\r\n");
  if (method === undefined) return transport.close();
  const { pathname } = new URL(target, "http://localhost");
  const path = decodeURI(pathname);
  using file = await Deno.open(folder + path).catch(() => null);
  const { size, isFile } = await file?.stat() ?? { size: 0, isFile: false };
  if (file === null || !isFile) return respond("404 Not Found");
  const [, from, to] = /^range: *bytes=(\d*)-(\d*)/im.exec(head) ?? [];
  const first = from === "" ? Math.max(size - Number(to), 0) : Number(from ?? 0);
  const count = Math.min(from && to ? Number(to) + 1 : size, size) - first;
  if (from !== undefined && count <= 0) return respond("416 Range Not Satisfiable");
  const range = `Content-Range: bytes ${first}-${first + count - 1}/${size}\r\n`;
  if (from === undefined) respond("200 OK", size);
  else respond("206 Partial Content", count, range);
  if (method === "GET" && count > 0) await loop.sendfile(transport, file, { offset: first, count });
  if (/^connection: *close/im.test(head)) transport.close();
}

await run(async () => {
  const loop = getRunningLoop() as DenoEventLoop;
  await loop.createServer(() => new HttpProtocol(), { hostname: "127.0.0.1", port: Number(port) });
  console.log(`Serving ${folder} on http://127.0.0.1:${port}/`);
  const stopped = loop.createFuture<void>();
  loop.addSignalHandler("SIGINT", () => stopped.setResult());
  await stopped;
});
