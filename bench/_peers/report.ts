import { output } from "./workload.ts";

/** One metric of one workload. */
export interface Row {
  /** Name of the workload. */
  readonly workload: string;
  /** What of it was measured; may be empty. */
  readonly metric: string;
  /** The unit, less being better. */
  readonly unit: string;
  /** The measured values of each peer, in the order of the rounds; this package first. */
  readonly samples: Map<string, number[]>;
}

/** All that was measured. */
export interface Report {
  /** The rows. */
  readonly rows: Row[];
}

/** Prints a table for each row. */
export function printReport(report: Report): void {
  for (const { workload, metric, unit, samples } of report.rows) {
    console.log(`\n${workload}${metric === "" ? "" : `: ${metric}`} (${unit})`);
    const ours = [...samples.values()][0] ?? [];
    for (const [peer, values] of samples) {
      const sorted = [...values].sort((a, b) => a - b);
      const spread = `${format(sorted[0])} to ${format(sorted.at(-1))}`;
      const ratio = peer === "ours" ? "" : `${ratioTo(values, ours).toFixed(2)} x`;
      console.log(
        `  ${peer.padEnd(18)} ${format(median(values)).padStart(9)}  ${spread.padEnd(20)} ${ratio}`,
      );
    }
  }
}

/** Writes the report as JSON, with what it was measured on. */
export async function writeReport(report: Report, file: URL): Promise<void> {
  const text = JSON.stringify({
    date: new Date().toISOString(),
    deno: Deno.version.deno,
    node: (await output(["node", "--version"])).trim(),
    python: (await output(["/usr/bin/python3", "--version"])).trim(),
    cores: navigator.hardwareConcurrency,
    rows: report.rows.map(({ samples, ...row }) => ({ ...row, ...summarize(samples) })),
  });
  await Deno.writeTextFile(file, text + "\n");
}

function summarize(samples: Map<string, number[]>): { peers: Record<string, unknown> } {
  const ours = [...samples.values()][0] ?? [];
  const peers: Record<string, unknown> = {};
  for (const [peer, values] of samples) {
    peers[peer] = { median: median(values), values, ratio: ratioTo(values, ours) };
  }
  return { peers };
}

/** Returns the median of what a peer needs against what this package needs in the same round. */
export function ratioTo(values: readonly number[], ours: readonly number[]): number {
  return median(values.map((value, round) => value / (ours[round] ?? Number.NaN)));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] ?? Number.NaN;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

function format(value: number | undefined): string {
  return value === undefined ? "" : value.toFixed(value < 10 ? 3 : 1);
}
