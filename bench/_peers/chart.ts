import type { Row } from "./report.ts";
import { ratioTo } from "./report.ts";

const BAR = 18;
const LABEL = 300;
const WIDTH = 760;
/** The ratio at the right edge; longer bars are cut there, their number stands. */
const LONGEST = 10;

/** Draws, for each row that has uvloop in it, how much more that needs than this package. */
export function drawChart(rows: readonly Row[]): string {
  const bars = rows.flatMap(({ workload, metric, samples }) => {
    const theirs = samples.get("uvloop");
    const ours = samples.get("ours");
    if (theirs === undefined || ours === undefined) return [];
    const name = metric === "" ? workload : metric;
    return [{ name, ratio: ratioTo(theirs, ours) }];
  });
  const height = bars.length * (BAR + 6) + 40;
  const scale = (WIDTH - LABEL - 60) / LONGEST;
  const lines = bars.map(({ name, ratio }, index) => {
    const y = 30 + index * (BAR + 6);
    const length = Math.min(ratio, LONGEST) * scale;
    const color = ratio >= 1 ? "#2a9d8f" : "#e76f51";
    return [
      `<text x="${LABEL - 8}" y="${y + 13}" text-anchor="end">${name}</text>`,
      `<rect x="${LABEL}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" fill="${color}"/>`,
      `<text x="${(LABEL + length + 6).toFixed(1)}" y="${y + 13}">${ratio.toFixed(2)} x</text>`,
    ].join("\n");
  });
  const one = LABEL + scale;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="white"/>
<text x="${LABEL}" y="16" font-weight="bold">What uvloop needs for the same work; above 1, this package needs less</text>
<line x1="${one}" y1="24" x2="${one}" y2="${height - 8}" stroke="#888" stroke-dasharray="3"/>
${lines.join("\n")}
</svg>
`;
}
