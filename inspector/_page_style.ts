/** How the page looks, in light and dark. */
export const style = `
:root {
  color-scheme: light dark;
  --back: #f7f7f5; --panel: #ffffff; --line: #e2e1dc; --text: #1d1e20; --soft: #6a6c72;
  --wait: #1f6fb5; --run: #b86a00; --ready: #7a6a00; --bad: #c22f3d; --good: #2c7d4f;
  --pick: #e8f0fa; --hover: #f1f1ee; --bar: #1f6fb5; --barback: #e8e7e2;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
  --sans: system-ui, "Segoe UI", "Inter", "DejaVu Sans", sans-serif;
}
:root[data-theme="dark"] {
  --back: #14161a; --panel: #1b1e23; --line: #2d3139; --text: #e6e7ea; --soft: #9297a1;
  --wait: #74b4f0; --run: #f0b357; --ready: #d9cb63; --bad: #ff7b85; --good: #6fcf97;
  --pick: #243447; --hover: #22262c; --bar: #5a9fe0; --barback: #2a2e36;
}
* { box-sizing: border-box; }
html, body { height: 100%; margin: 0; }
body { display: flex; flex-direction: column; background: var(--back); color: var(--text);
  font: 13px/1.45 var(--sans); }
header { display: flex; align-items: center; gap: 22px; padding: 10px 16px; background: var(--panel);
  border-bottom: 1px solid var(--line); flex-wrap: wrap; }
h1 { margin: 0; font-size: 14px; font-weight: 650; display: flex; align-items: center; gap: 8px; }
h1 small { color: var(--soft); font-weight: 400; font-size: 12px; }
#dot { width: 9px; height: 9px; border-radius: 50%; background: var(--good); }
#dot.late { background: var(--run); } #dot.gone { background: var(--bad); }
.figure { display: flex; flex-direction: column; min-width: 58px; }
.figure b { font: 600 15px/1.2 var(--mono); font-variant-numeric: tabular-nums; }
.figure span { color: var(--soft); font-size: 11px; }
.spark { display: flex; gap: 8px; align-items: center; }
.spark canvas { width: 96px; height: 28px; }
.grow { flex: 1; }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); padding: 3px 10px;
  border-radius: 6px; cursor: pointer; }
button:hover { background: var(--hover); }
button.danger { color: var(--bad); border-color: currentColor; }
:focus-visible { outline: 2px solid var(--bar); outline-offset: -1px; }
nav { display: flex; gap: 2px; padding: 0 12px; background: var(--panel); border-bottom: 1px solid var(--line); }
nav button { border: 0; border-radius: 0; padding: 8px 12px; color: var(--soft); border-bottom: 2px solid transparent; }
nav button[aria-selected="true"] { color: var(--text); border-color: var(--bar); font-weight: 600; }
nav i { font: 600 11px/1 var(--mono); padding: 2px 6px; border-radius: 9px; background: var(--barback);
  margin-left: 6px; font-style: normal; }
nav i.bad { background: var(--bad); color: var(--panel); }
main { flex: 1; min-height: 0; display: flex; }
section { flex: 1; min-width: 0; display: flex; flex-direction: column; }
.tools { display: flex; gap: 10px; padding: 8px 16px; align-items: center; color: var(--soft); }
input, select { font: inherit; color: var(--text); background: var(--panel); border: 1px solid var(--line);
  border-radius: 6px; padding: 4px 8px; }
input { width: 260px; }
.head, .row { display: grid; align-items: center; column-gap: 14px; padding: 0 16px; white-space: nowrap; }
.head { color: var(--soft); font-size: 11px; height: 24px; border-bottom: 1px solid var(--line);
  overflow: hidden; }
.list { flex: 1; overflow: auto; position: relative; background: var(--panel); outline-offset: -2px; }
.list > .space { position: relative; }
.row { position: absolute; left: 0; right: 0; height: 26px; border-bottom: 1px solid transparent; }
.row:hover { background: var(--hover); } .row.picked { background: var(--pick); }
.row > * { overflow: hidden; text-overflow: ellipsis; }
.num { text-align: right; font-family: var(--mono); font-variant-numeric: tabular-nums; color: var(--soft); }
.name { font-weight: 600; } .name .tree { color: var(--line); font-family: var(--mono); font-weight: 400; white-space: pre; }
.wait { color: var(--wait); font-family: var(--mono); font-size: 12px; }
.running, .ready, .new { font-family: var(--mono); font-size: 12px; }
.running { color: var(--run); } .ready { color: var(--ready); } .new, .soft { color: var(--soft); }
.cancelling, .failed, .bad { color: var(--bad); } .finished { color: var(--good); } .cancelled { color: var(--run); }
aside { width: 360px; flex: none; border-left: 1px solid var(--line); background: var(--panel); overflow: auto; padding: 14px 16px; }
aside h2 { margin: 0 0 2px; font-size: 15px; overflow-wrap: anywhere; }
aside dl { margin: 12px 0; display: grid; grid-template-columns: 96px 1fr; gap: 5px 10px; }
aside dt { color: var(--soft); } aside dd { margin: 0; overflow-wrap: anywhere; }
aside code { font: 12px/1.5 var(--mono); }
aside a { color: var(--wait); text-decoration: none; cursor: pointer; } aside a:hover { text-decoration: underline; }
.empty { color: var(--soft); padding: 40px 16px; text-align: center; }
.warning { padding: 10px 16px; border-bottom: 1px solid var(--line); display: grid;
  grid-template-columns: 110px 1fr; gap: 14px; }
.warning b { color: var(--bad); font-weight: 600; } .warning a { color: var(--wait); cursor: pointer; margin-left: 8px; }
.scroll { flex: 1; overflow: auto; background: var(--panel); }
th:first-child, td:first-child { padding-left: 16px; }
h3 { margin: 0; padding: 12px 16px 6px; font-size: 12px; color: var(--soft); font-weight: 600; }
table { border-collapse: collapse; width: 100%; } th { text-align: left; font-weight: 400; color: var(--soft); font-size: 11px; }
th, td { padding: 4px 12px;  border-bottom: 1px solid var(--line); white-space: nowrap; }
td.num, th.num { text-align: right; } td.flag { color: var(--bad); font-weight: 600; }
.meter { height: 6px; width: 120px; background: var(--barback); border-radius: 3px; overflow: hidden; }
.meter i { display: block; height: 100%; background: var(--bar); }
canvas.lanes { flex: 1; width: 100%; min-height: 0; background: var(--panel); }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 5px 0 12px; }
#silence { background: var(--bad); color: #fff; padding: 7px 16px; display: none; }
pre.trace { margin: 0; font: 12px/1.5 var(--mono); }
#drop { border: 1px dashed var(--line); border-radius: 8px; margin: 16px; padding: 28px; text-align: center; color: var(--soft); }
@media (max-width: 900px) { aside { position: absolute; right: 0; top: 0; bottom: 0; width: min(380px, 100%); box-shadow: -8px 0 24px #0003; } main { position: relative; } }
@media (prefers-reduced-motion: no-preference) { #dot.live { animation: pulse 2s infinite; } @keyframes pulse { 50% { opacity: .45; } } }
`;
