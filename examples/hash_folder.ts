/**
 * Hashes every file of a folder on all cores, with a progress bar.
 *
 * deno run --allow-read=. examples/hash_folder.ts executor
 *
 * Prints, for instance:
 *     [########################################] 100%
 *     560a2b326a98  executor/_deno_job_scopes.ts
 *     …
 *     27 files, 0.1 MB
 *
 * @module
 */
import { createJob, run, WorkerPoolExecutor } from "@gyre/asyncio";

/** Runs on a thread: reads a file in pieces, reports each, and returns the hash. */
async function hashFile(path: string, report: (bytes: number) => void): Promise<string> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const chunk of file.readable) {
    hash.update(chunk);
    report(chunk.length);
  }
  return hash.digest("hex").slice(0, 12);
}

/** Draws the bar over itself. */
function draw(done: number, total: number): void {
  const share = total === 0 ? 1 : done / total;
  const bar = "#".repeat(Math.floor(share * 40)).padEnd(40);
  Deno.stderr.writeSync(new TextEncoder().encode(`\r[${bar}] ${Math.floor(share * 100)}%`));
}

async function main(folder: string): Promise<void> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  const paths = entries.filter((entry) => entry.isFile).map(({ name }) => `${folder}/${name}`);
  const infos = await Promise.all(paths.sort().map((path) => Deno.stat(path)));
  const total = infos.reduce((sum, { size }) => sum + size, 0);

  let done = 0;
  const job = createJob(hashFile, { onProgress: (bytes: number) => draw(done += bytes, total) });
  await using pool = new WorkerPoolExecutor();
  const hashes = await Array.fromAsync(pool.map(job, paths));

  Deno.stderr.writeSync(new TextEncoder().encode("\n"));
  for (const [index, path] of paths.entries()) console.log(`${hashes[index]}  ${path}`);
  console.log(`${paths.length} files, ${(total / 1e6).toFixed(1)} MB`);
}

await run(() => main(Deno.args[0] ?? "."));
