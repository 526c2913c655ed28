import type { Row } from "./report.ts";
import { ratioTo } from "./report.ts";

const WIDTH = 760;
/** Height of a bar, of the room between two of one row, and below a row. */
const BAR = 12;
const BETWEEN = 2;
const BELOW = 8;
/** Where the first row begins, and how far rows of another kind stand apart. */
const TOP = 112;
const GAP = 10;
/** From where to where the axis goes. */
const LEFT = 330;
const RIGHT = WIDTH - 64;
/** The lines across the chart. */
const TICKS = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16];
/** The ratios at the ends of the axis; longer bars are cut there, their number stands. */
const LEAST = 0.1;
const MOST = 20;

const STYLE = `
  svg { font: 12px system-ui, sans-serif; --paper: #ffffff; --ink: #1f2328; --faint: #d1d9e0;
    --soft: #59636e; --ours: #1a7f72; --native: #8250df; }
  @media (prefers-color-scheme: dark) { svg { --paper: #0d1117; --ink: #e6edf3; --faint: #30363d;
    --soft: #9198a1; --ours: #3fb5a3; --native: #a371f7; } }
  .paper { fill: var(--paper); }
  text { fill: var(--ink); }
  .title { font-size: 14px; font-weight: 600; }
  .soft { fill: var(--soft); }
  .number { paint-order: stroke; stroke: var(--paper); stroke-width: 5px; stroke-linejoin: round; }
  line { stroke: var(--faint); }
  .one { stroke: var(--soft); }
  .ours { fill: var(--ours); }
  .native { fill: var(--native); }
`;

/** Who is drawn: the name among the peers, and the class of its bars. */
const DRAWN = [["ours", "ours"], ["ours, native", "native"]] as const;

/** One row of the chart. */
interface ChartRow {
  readonly kind: string;
  readonly name: string;
  /** A bar for each of `DRAWN` that was measured. */
  readonly bars: readonly { readonly style: string; readonly ratio: number }[];
}

/**
 * Draws, for each row that has uvloop in it, how much more that needs than this package, and than
 * this package on its native backend where it has one for the row: to the right of 1 where uvloop
 * needs more, to the left where it needs less. The axis is logarithmic, so that twice and half are
 * equally long.
 */
export function drawChart(rows: readonly Row[]): string {
  const chartRows = chartRowsOf(rows);
  let y = TOP;
  const lines = chartRows.map((row, index) => {
    if (index > 0 && chartRows[index - 1]?.kind !== row.kind) y += GAP;
    const drawn = drawRow(row, y);
    y += heightOf(row) + BELOW;
    return drawn;
  });
  const height = y + 14;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">
<style>${STYLE}</style>
<rect class="paper" width="100%" height="100%"/>
<text class="title" x="16" y="26">What uvloop needs for the same work, divided by what this package needs</text>
<rect class="ours" x="16" y="40" width="${BAR}" height="${BAR}" rx="2"/>
<text x="34" y="50">on Deno's API</text>
<rect class="native" x="136" y="40" width="${BAR}" height="${BAR}" rx="2"/>
<text x="154" y="50">on the native backend</text>
<text class="soft" x="${x(1) - 10}" y="76" text-anchor="end">uvloop needs less ←</text>
<text class="soft" x="${x(1) + 10}" y="76">→ this package needs less</text>
${TICKS.map((tick) => drawTick(tick, y + 4)).join("\n")}
${lines.join("\n")}
</svg>
`;
}

function chartRowsOf(rows: readonly Row[]): ChartRow[] {
  return rows.flatMap(({ workload, metric, samples }) => {
    const theirs = samples.get("uvloop");
    if (theirs === undefined) return [];
    const bars = DRAWN.flatMap(([peer, style]) => {
      const ours = samples.get(peer);
      return ours === undefined ? [] : [{ style, ratio: ratioTo(theirs, ours) }];
    });
    const kind = metric === "" ? workload.split(/,| \(/)[0] ?? "" : workload;
    return [{
      kind: kind.includes("echo") ? "echo" : kind,
      name: metric === "" ? workload : metric,
      bars,
    }];
  });
}

function heightOf({ bars }: ChartRow): number {
  return bars.length * (BAR + BETWEEN) - BETWEEN;
}

function drawTick(tick: number, bottom: number): string {
  const at = x(tick).toFixed(1);
  return [
    `<line${tick === 1 ? ' class="one"' : ""} x1="${at}" y1="${
      TOP - 8
    }" x2="${at}" y2="${bottom}"/>`,
    `<text class="soft" x="${at}" y="${TOP - 14}" text-anchor="middle">${tick}</text>`,
  ].join("\n");
}

function drawRow(row: ChartRow, y: number): string {
  const middle = y + heightOf(row) / 2 + 4;
  const name = `<text class="number" x="${
    LEFT - 44
  }" y="${middle}" text-anchor="end">${row.name}</text>`;
  const bars = row.bars.map(({ style, ratio }, index) =>
    drawBar(style, ratio, y + index * (BAR + BETWEEN))
  );
  return [name, ...bars].join("\n");
}

function drawBar(style: string, ratio: number, y: number): string {
  const [from, to] = ratio >= 1 ? [x(1), x(ratio)] : [x(ratio), x(1)];
  const [at, anchor] = ratio >= 1 ? [to + 6, "start"] : [from - 6, "end"];
  return [
    `<rect class="${style}" x="${from.toFixed(1)}" y="${y}" ` +
    `width="${(to - from).toFixed(1)}" height="${BAR}" rx="2"/>`,
    `<text class="number" x="${at.toFixed(1)}" y="${y + BAR - 2}" text-anchor="${anchor}">` +
    `${ratio.toFixed(ratio < 10 ? 2 : 1)}</text>`,
  ].join("\n");
}

/** Where a ratio is on the axis. */
function x(ratio: number): number {
  const share = Math.log(Math.min(Math.max(ratio, LEAST), MOST) / LEAST) / Math.log(MOST / LEAST);
  return LEFT + share * (RIGHT - LEFT);
}
