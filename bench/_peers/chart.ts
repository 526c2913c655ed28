import type { Row } from "./report.ts";
import { ratioTo } from "./report.ts";

const WIDTH = 760;
/** Height of a row, and of the bar in it. */
const ROW = 22;
const BAR = 14;
/** Where the first row begins, and how far rows of another kind stand apart. */
const TOP = 88;
const GAP = 10;
/** From where to where the axis goes. */
const LEFT = 290;
const RIGHT = WIDTH - 64;
/** The lines across the chart. */
const TICKS = [0.25, 0.5, 1, 2, 4, 8, 16];
/** The ratios at the ends of the axis; longer bars are cut there, their number stands. */
const LEAST = 0.2;
const MOST = 20;

const STYLE = `
  svg { font: 12px system-ui, sans-serif; --paper: #ffffff; --ink: #1f2328; --faint: #d1d9e0;
    --soft: #59636e; --more: #1a7f72; --less: #bc4c1f; }
  @media (prefers-color-scheme: dark) { svg { --paper: #0d1117; --ink: #e6edf3; --faint: #30363d;
    --soft: #9198a1; --more: #3fb5a3; --less: #f0883e; } }
  .paper { fill: var(--paper); }
  text { fill: var(--ink); }
  .title { font-size: 14px; font-weight: 600; }
  .soft { fill: var(--soft); }
  .number { paint-order: stroke; stroke: var(--paper); stroke-width: 5px; stroke-linejoin: round; }
  line { stroke: var(--faint); }
  .one { stroke: var(--soft); }
  .more { fill: var(--more); }
  .less { fill: var(--less); }
`;

/** One row of the chart. */
interface Bar {
  readonly kind: string;
  readonly name: string;
  readonly ratio: number;
}

/**
 * Draws, for each row that has uvloop in it, how much more that needs than this package: to the
 * right of 1 where it needs more, to the left where it needs less. The axis is logarithmic, so that
 * twice and half are equally long.
 */
export function drawChart(rows: readonly Row[]): string {
  const bars = barsOf(rows);
  let y = TOP;
  const lines = bars.map((bar, index) => {
    if (index > 0 && bars[index - 1]?.kind !== bar.kind) y += GAP;
    const drawn = drawBar(bar, y);
    y += ROW;
    return drawn;
  });
  const height = y + 14;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">
<style>${STYLE}</style>
<rect class="paper" width="100%" height="100%"/>
<text class="title" x="16" y="26">What uvloop needs for the same work, divided by what this package needs</text>
<text class="soft" x="${x(1) - 10}" y="52" text-anchor="end">uvloop needs less ←</text>
<text class="soft" x="${x(1) + 10}" y="52">→ this package needs less</text>
${TICKS.map((tick) => drawTick(tick, y + 4)).join("\n")}
${lines.join("\n")}
</svg>
`;
}

function barsOf(rows: readonly Row[]): Bar[] {
  return rows.flatMap(({ workload, metric, samples }) => {
    const theirs = samples.get("uvloop");
    const ours = samples.get("ours");
    if (theirs === undefined || ours === undefined) return [];
    const kind = metric === "" ? "echo" : workload;
    return [{ kind, name: metric === "" ? workload : metric, ratio: ratioTo(theirs, ours) }];
  });
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

function drawBar({ name, ratio }: Bar, y: number): string {
  const [from, to] = ratio >= 1 ? [x(1), x(ratio)] : [x(ratio), x(1)];
  const [at, anchor] = ratio >= 1 ? [to + 6, "start"] : [from - 6, "end"];
  const text = y + BAR / 2 + 4;
  return [
    `<text class="number" x="${LEFT - 44}" y="${text}" text-anchor="end">${name}</text>`,
    `<rect class="${ratio >= 1 ? "more" : "less"}" x="${from.toFixed(1)}" y="${y}" ` +
    `width="${(to - from).toFixed(1)}" height="${BAR}" rx="2"/>`,
    `<text class="number" x="${at.toFixed(1)}" y="${text}" text-anchor="${anchor}">` +
    `${ratio.toFixed(ratio < 10 ? 2 : 1)}</text>`,
  ].join("\n");
}

/** Where a ratio is on the axis. */
function x(ratio: number): number {
  const share = Math.log(Math.min(Math.max(ratio, LEAST), MOST) / LEAST) / Math.log(MOST / LEAST);
  return LEFT + share * (RIGHT - LEFT);
}
