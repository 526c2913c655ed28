import { script } from "./_page_script.ts";
import { style } from "./_page_style.ts";

/** The panels, in their order, and what is written beside their names. */
const PANELS: readonly [name: string, title: string, badge: boolean][] = [
  ["tasks", "Tasks", true],
  ["timeline", "Timeline", false],
  ["connections", "Connections", true],
  ["processes", "Processes", false],
  ["ended", "Ended", false],
  ["warnings", "Warnings", true],
  ["trace", "Trace", false],
];

const tabs = PANELS.map(([name, title, badge]) =>
  `<button id="tab-${name}" role="tab">${title}${badge ? `<i id="n-${name}">0</i>` : ""}</button>`
).join("");

const figure = (id: string, label: string): string =>
  `<div class="figure"><b id="f-${id}">0</b><span>${label}</span></div>`;

/** The whole page. It loads nothing. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Loop</title>
<link rel="icon" href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='6' fill='none' stroke='%231f6fb5' stroke-width='3' stroke-dasharray='28 10'/></svg>">
<script>
try { document.documentElement.dataset.theme = localStorage.getItem("theme") ?? ""; } catch { /* Not kept. */ }
if (!document.documentElement.dataset.theme) {
  document.documentElement.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
</script>
<style>${style}</style>
</head>
<body>
<header>
<h1><span id="dot"></span><span id="title">Loop</span><small id="pid"></small></h1>
${figure("tasks", "tasks")}${figure("timers", "timers")}${figure("ready", "ready")}
<div class="spark">${figure("rate", "callbacks")}<canvas id="s-rate"></canvas></div>
<div class="spark">${figure("lag", "timers late")}<canvas id="s-lag"></canvas></div>
<span class="grow"></span>
<button id="theme" title="Light or dark (t)">Theme</button>
</header>
<div id="silence" role="status"></div>
<nav role="tablist">${tabs}</nav>
<main>
<section id="panel-tasks">
<div class="tools"><input id="filter" type="search" placeholder="Filter by name or wait  ( / )" aria-label="Filter">
<label>Sort <select id="sort" aria-label="Sort"><option value="tree">as a tree</option><option value="age">by age</option>
<option value="busy">by time in steps</option><option value="longest">by longest step</option><option value="waiting">by what is awaited</option><option value="name">by name</option></select></label>
<span id="shown"></span></div>
<div class="head" id="taskhead"><span>task</span><span>waits for</span><span class="num">age</span><span class="num">in steps</span><span class="num">longest</span><span class="num">steps</span></div>
<div class="empty" id="notasks" style="display:none">No task</div>
</section>
<section id="panel-timeline"><div class="tools legend">The last minute, the busiest first <i style="background:var(--run)"></i>runs <i style="background:var(--barback)"></i>waits <i style="background:var(--bad)"></i>is cancelled</div><canvas class="lanes" id="lanes"></canvas></section>
<section id="panel-connections"><div class="scroll" id="connections"></div></section>
<section id="panel-processes"><div class="scroll" id="processes"></div></section>
<section id="panel-ended"><div class="scroll" id="ended"></div></section>
<section id="panel-warnings"><div class="scroll" id="warnings"></div></section>
<section id="panel-trace"><div class="tools"><input id="file" type="file" aria-label="Open a file"><input id="tracefilter" type="search" placeholder="Filter events" aria-label="Filter events"><span id="tracename"></span></div>
<div id="drop">Drop the trace of a simulation here (<code>String(trace)</code> in a file), or the JSON of a snapshot.</div></section>
<aside id="detail" style="display:none"></aside>
</main>
<script>${script}</script>
</body>
</html>
`;
