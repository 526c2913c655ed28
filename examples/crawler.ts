/**
 * Fetches a page and all that it links to on the same host, four at a time, each for a second.
 *
 * deno run --allow-net=127.0.0.1 examples/crawler.ts
 *
 * Prints, for instance:
 *     200 http://127.0.0.1:43219/1
 *     …
 *     TimeoutError: Cannot finish in time: the deadline has passed http://127.0.0.1:43219/7
 *     13 pages
 *
 * @module
 */
import { CancelledError, currentTask, Queue, runMain, taskGroup, timeout } from "@gyre/asyncio";

const pages = new Queue<string>();
const seen = new Set<string>();
function visit(link: string, base?: string): void {
  const url = new URL(link, base);
  if (seen.has(url.href) || url.origin !== new URL(base ?? link).origin) return;
  seen.add(url.href);
  pages.putNowait(url.href);
}

async function crawl(page: string): Promise<number> {
  const response = await fetch(page, { signal: currentTask()?.signal });
  const links = (await response.text()).matchAll(/href="([^"]+)/g);
  for (const [, link = ""] of links) visit(link, page);
  return response.status;
}

async function work(): Promise<void> {
  for await (const page of pages) {
    try {
      console.log(await timeout(1, () => crawl(page)), page);
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      console.log(String(error), page);
    }
    pages.taskDone();
  }
}

/** Something to try it on: each page links to two, up to 13, and number 7 never answers. */
const site = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
  const page = Number(url.split("/").at(-1));
  const links = page > 6 ? "" : `href="/${2 * page}" href="/${2 * page + 1}"`;
  return page === 7 ? new Promise(() => {}) : new Response(links);
});
site.unref();
await runMain(async () => {
  visit(Deno.args[0] ?? `http://127.0.0.1:${site.addr.port}/1`);
  await taskGroup(async (group) => {
    for (let count = 0; count < 4; count += 1) group.createTask(work);
    await pages.join();
    pages.shutdown(); // ends the workers' loops
  });
  console.log(`${seen.size} pages`);
});
