/**
 * A worker of a queue, as a program:
 *
 *     deno run --allow-read=. --allow-write=. --allow-run=deno jsr:@gyre/asyncio/queue/worker \
 *       --jobs ./jobs.ts --broker sqlite:jobs.db
 *
 * `SIGTERM` and `SIGINT` let the jobs that run end within the grace, hand the rest back, and exit
 * with 0; a second signal exits at once.
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { exitCodeOf, exitProgram } from "../../loop/platform/deno_program.ts";
import { isWindows } from "../../loop/platform/deno_system.ts";
import { runningPlatformLoop } from "../../loop/platform/platform_loop.ts";
import { addSignalHandler } from "../../loop/platform/signal_handlers.ts";
import { run } from "../../loop/runner.ts";
import { isAbsoluteUrl } from "../../loop/values/absolute_url.ts";
import type { JobBroker } from "./broker.ts";
import { JobWorker, type JobWorkerOptions } from "./job_worker.ts";

const USAGE = `Runs jobs of a queue.

  --jobs <module>       the module that has defineJobs() as its default export
  --broker <url>        sqlite:<file>, redis://<host>:<port> (BullMQ), or nats://<host>:<port>
  --queue <name>        the name of the queue ("jobs")
  --concurrency <n>     how many jobs run at once (1)
  --lease <seconds>     after which a worker that says nothing is taken for lost
  --grace <seconds>     that running jobs have at the end (10)
  --permissions <json>  what jobs may do, as {"net":["example.com"]}; to read this folder by default
`;

/**
 * Runs a worker as the whole program. It reads this folder, starts Deno for the jobs, and needs what its
 * broker does.
 *
 * @param args The arguments of the command line; `Deno.args` by default.
 * @throws {TypeError} If an argument is missing or unknown.
 *
 * @category Queues
 */
export async function main(args: readonly string[] = Deno.args): Promise<void> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      jobs: text,
      broker: text,
      queue: text,
      concurrency: text,
      lease: text,
      grace: text,
      permissions: text,
      help: { type: "boolean" },
    },
  });
  const { jobs, broker, queue, concurrency, lease, grace, permissions } = values;
  if (values.help) return console.log(USAGE);
  if (jobs === undefined || broker === undefined) {
    throw new TypeError(`Cannot run a worker: --jobs and --broker are missing\n\n${USAGE}`);
  }
  const url = isAbsoluteUrl(jobs) ? jobs : pathToFileURL(jobs).href;
  const stopping = new AbortController();
  const { default: defined } = await import(url) as { default: JobWorkerOptions["jobs"] };
  const worker = new JobWorker(await brokerOf(broker, { queue, lease: numberOf(lease) }), {
    jobs: defined,
    url,
    concurrency: numberOf(concurrency),
    grace: numberOf(grace),
    permissions: permissions === undefined ? undefined : JSON.parse(permissions),
    signal: stopping.signal,
  });
  await run(() => {
    const loop = runningPlatformLoop("run a worker");
    for (const signal of isWindows() ? ["SIGINT"] as const : ["SIGINT", "SIGTERM"] as const) {
      addSignalHandler(loop, signal, () => {
        if (stopping.signal.aborted) void exitCodeOf(signal).then(exitProgram);
        stopping.abort();
      }, []);
    }
    return worker.run();
  }, { signals: [] });
}

async function brokerOf(
  broker: string,
  options: { queue: string | undefined; lease: number | undefined },
): Promise<JobBroker> {
  const [scheme = "", rest = ""] = broker.split(/:(.*)/s);
  if (scheme === "sqlite" && rest !== "") {
    const { SqliteBroker } = await import("./sqlite.ts");
    return new SqliteBroker({ path: rest, ...options });
  }
  if (scheme === "redis" || scheme === "rediss") {
    return await create("./bullmq.ts", "BullmqBroker", { url: broker, ...options });
  }
  if (scheme === "nats" || scheme === "tls") {
    return await create("./nats.ts", "NatsBroker", { url: broker, ...options });
  }
  const known = "sqlite:<file>, redis://<host>:<port> and nats://<host>:<port>";
  throw new TypeError(`Cannot run a worker: "${broker}" names no broker, as ${known} do`);
}

/** Creates a broker of a file that has a client. Who names that file has Deno install the client. */
async function create(file: string, name: string, options: object): Promise<JobBroker> {
  const { [name]: Broker } = await import(new URL(file, import.meta.url).href);
  return new Broker(options);
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

if (import.meta.main) await main();
