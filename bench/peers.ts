/**
 * The same work on this package and on its peers, in turns:
 * `deno task bench:peers [--quick] [name …]`.
 *
 * Each workload runs in alternating rounds, server and load on a core each where there are two.
 * Every peer has done the same work before it is measured, and a server has served and closed
 * connections. Prints the median and spread of every peer and the ratio to it, losing rows too. A
 * ratio above 1 means that this package needs less. With all workloads it writes bench/results.json
 * and bench/chart.svg. Bun is `npm install --global bun`, the C program is built where there is a
 * compiler. `--quick` shows in a minute that all peers work, and writes nothing.
 *
 * @module
 */
import { drawChart } from "./_peers/chart.ts";
import { connectionWorkloads } from "./_peers/connections.ts";
import { echoWorkloads } from "./_peers/echo.ts";
import { processesWorkload } from "./_peers/processes_workload.ts";
import { printReport, type Report, writeReport } from "./_peers/report.ts";
import { schedulingWorkload } from "./_peers/scheduling_workload.ts";
import { findMissing, isQuick, output, type Peer, type Workload } from "./_peers/workload.ts";

const ROUNDS = isQuick ? 1 : 3;

const workloads: Workload[] = [
  schedulingWorkload,
  ...echoWorkloads,
  ...connectionWorkloads,
  processesWorkload,
];
const names = Deno.args.filter((arg) => !arg.startsWith("--"));
const wanted = names.length === 0
  ? workloads
  : workloads.filter((each) => names.some((name) => each.name.includes(name)));

/** Gives whether a peer can be measured; says it once where it cannot. */
async function isThere(peer: Peer): Promise<boolean> {
  const known = ready.get(peer.name);
  if (known !== undefined) return known;
  const missing = findMissing(peer);
  if (missing !== undefined) console.log(`${peer.name}: not measured, there is no ${missing}`);
  else if (peer.build !== undefined) await output(peer.build);
  ready.set(peer.name, missing === undefined);
  return missing === undefined;
}

const ready = new Map<string, boolean>();
await Deno.mkdir(new URL("./_build/", import.meta.url), { recursive: true });

const report: Report = { rows: [] };
for (const workload of wanted) {
  const peers: Peer[] = [];
  for (const peer of workload.peers) if (await isThere(peer)) peers.push(peer);
  const samples = new Map<string, Map<string, number[]>>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const peer of peers) {
      const measured = await workload.measure(peer);
      for (const [metric, value] of Object.entries(measured)) {
        const perPeer = samples.get(metric) ?? new Map<string, number[]>();
        perPeer.set(peer.name, [...perPeer.get(peer.name) ?? [], value]);
        samples.set(metric, perPeer);
      }
    }
  }
  for (const [metric, perPeer] of samples) {
    const row = { workload: workload.name, metric, unit: workload.unit, samples: perPeer };
    report.rows.push(row);
    printReport({ rows: [row] });
  }
}
if (names.length === 0 && !isQuick) {
  await writeReport(report, new URL("./results.json", import.meta.url));
  await Deno.writeTextFile(new URL("./chart.svg", import.meta.url), drawChart(report.rows));
}
