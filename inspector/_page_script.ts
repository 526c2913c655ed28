/** What the page does. It is written for browsers, without a build and without anything from elsewhere. */
export const script = String.raw`
"use strict";
const $ = (id) => document.getElementById(id);
const el = (tag, props, ...children) => {
  const node = document.createElement(tag);
  for (const key in props) {
    if (key === "class") node.className = props[key];
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), props[key]);
    else node.setAttribute(key, props[key]);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};
const token = new URLSearchParams(location.search).get("token");
const query = (path, more) => path + "?token=" + encodeURIComponent(token) + (more ?? "");

// ---- what there is ----
const LISTS = ["tasks", "futures", "queues", "transports", "servers", "processes", "executors"];
const state = { head: {}, lists: {}, at: 0 };
for (const list of LISTS) state[list] = new Map();
const rates = { time: 0, iterations: 0, callbacks: 0, busy: 0 };
const sparks = { lag: [], rate: [] };
const lanes = new Map();
const traffic = new Map();
let picked = null;
let panel = "tasks";
let dirty = true;
let offline = false;

function apply(message) {
  if (message.whole) for (const list of LISTS) state[list].clear();
  for (const list of LISTS) {
    for (const member of message.set[list] ?? []) state[list].set(member.id, member);
    for (const id of message.gone[list] ?? []) state[list].delete(id);
  }
  Object.assign(state.lists, message.lists);
  state.head = message.head;
  state.at = performance.now();
  if (state.head.time !== undefined) follow();
  dirty = true;
}

/** Keeps what only the past shows: rates, and what each task did. */
function follow() {
  const head = state.head;
  const seconds = head.time - rates.time;
  if (rates.time > 0 && seconds > 0) {
    const rate = (head.callbacks - rates.callbacks) / seconds;
    push(sparks.rate, rate, 120);
    push(sparks.lag, head.lag === null ? 0 : head.lag.last, 120);
    state.rate = rate;
  }
  rates.time = head.time; rates.callbacks = head.callbacks; rates.iterations = head.iterations;
  for (const task of state.tasks.values()) {
    let lane = lanes.get(task.id);
    // Of very many tasks, those alone that do something.
    if (lane === undefined && lanes.size > 400 && task.busy === 0) continue;
    if (lane === undefined) lanes.set(task.id, lane = { name: task.name, busy: task.busy, spans: [], end: null });
    const share = seconds > 0 ? Math.min(1, (task.busy - lane.busy) / seconds) : 0;
    lane.busy = task.busy;
    push(lane.spans, { time: head.time, share, cancelling: task.cancelling > 0 }, 240);
  }
  for (const [id, lane] of lanes) {
    if (state.tasks.has(id)) continue;
    lane.end ??= head.time;
    if (head.time - lane.end > 60) lanes.delete(id);
  }
  for (const each of state.transports.values()) {
    const before = traffic.get(each.id);
    const rate = { bytesIn: each.bytesIn, bytesOut: each.bytesOut, in: 0, out: 0 };
    if (before !== undefined && seconds > 0) {
      rate.in = (each.bytesIn - before.bytesIn) / seconds;
      rate.out = (each.bytesOut - before.bytesOut) / seconds;
    }
    traffic.set(each.id, rate);
  }
  for (const id of traffic.keys()) if (!state.transports.has(id)) traffic.delete(id);
}
function push(list, item, most) { list.push(item); if (list.length > most) list.shift(); }

// ---- words ----
function secs(s) {
  if (s === null || s === undefined) return "";
  if (s < 0.001) return s === 0 ? "0" : (s * 1e6).toFixed(0) + " \u00b5s";
  if (s < 1) return (s * 1e3).toFixed(s < 0.01 ? 1 : 0) + " ms";
  if (s < 60) return s.toFixed(s < 10 ? 1 : 0) + " s";
  if (s < 3600) return Math.floor(s / 60) + " min " + Math.floor(s % 60) + " s";
  return Math.floor(s / 3600) + " h " + Math.floor(s % 3600 / 60) + " min";
}
function bytes(n) {
  if (n < 1000) return Math.round(n) + " B";
  for (const unit of ["kB", "MB", "GB"]) { n /= 1000; if (n < 1000) return n.toFixed(n < 10 ? 1 : 0) + " " + unit; }
  return n.toFixed(0) + " TB";
}
function number(n) { return n >= 10000 ? (n / 1000).toFixed(n < 100000 ? 1 : 0) + "k" : String(Math.round(n)); }
const ageOf = (each) => each.since === null ? null : Math.max(0, state.head.time - each.since);
function doing(task) {
  if (task.state === "waiting") return task.waitsFor.join(" and ");
  return task.state === "new" ? "not begun" : task.state === "ready" ? "about to run" : "running";
}

// ---- a list of any length ----
const ROW = 26;
class VirtualList {
  constructor(columns, draw) {
    this.rows = []; this.pool = []; this.draw = draw; this.columns = columns;
    this.space = el("div", { class: "space" });
    this.node = el("div", { class: "list", tabindex: "0", role: "listbox" }, this.space);
    this.node.addEventListener("scroll", () => this.paint());
    new ResizeObserver(() => this.paint()).observe(this.node);
  }
  show(rows) {
    this.rows = rows;
    this.space.style.height = Math.min(rows.length * ROW, 15000000) + "px";
    this.paint();
  }
  paint() {
    const first = Math.max(0, Math.floor(this.node.scrollTop / ROW) - 4);
    const last = Math.min(this.rows.length, first + Math.ceil(this.node.clientHeight / ROW) + 9);
    let used = 0;
    for (let index = first; index < last; index += 1) {
      let row = this.pool[used];
      if (row === undefined) {
        row = el("div", { class: "row", role: "option" });
        row.style.gridTemplateColumns = this.columns;
        this.pool.push(row);
        this.space.append(row);
      }
      used += 1;
      row.style.display = "";
      row.style.top = index * ROW + "px";
      this.draw(row, this.rows[index], index);
    }
    for (; used < this.pool.length; used += 1) this.pool[used].style.display = "none";
  }
  reveal(index) {
    const top = index * ROW;
    if (top < this.node.scrollTop) this.node.scrollTop = top;
    else if (top + ROW > this.node.scrollTop + this.node.clientHeight) {
      this.node.scrollTop = top + ROW - this.node.clientHeight;
    }
  }
}
/** Sets the cells of a row, which are made once. */
function cells(row, parts) {
  while (row.children.length < parts.length) row.append(el("span", {}));
  parts.forEach((part, index) => {
    const cell = row.children[index];
    if (cell.className !== part[1]) cell.className = part[1];
    if (part[2] !== undefined) {
      cell.replaceChildren(el("span", { class: "tree" }, part[2]), part[0]);
    } else if (cell.textContent !== part[0]) cell.textContent = part[0];
    cell.title = part[0];
  });
}

// ---- tasks ----
const COLUMNS = "minmax(150px,1fr) minmax(200px,2.2fr) 66px 66px 66px 54px";
let sort = "tree";
let filter = "";
const taskList = new VirtualList(COLUMNS, (row, entry) => {
  const task = entry.task;
  const kind = task.cancelling > 0 ? "cancelling" : task.state === "waiting" ? "wait" : task.state;
  cells(row, [
    [task.name, "name", entry.stem],
    [(task.cancelling > 0 ? "cancelling, " : "") + doing(task), kind === "cancelling" ? "wait cancelling" : kind],
    [secs(ageOf(task)), "num"],
    [task.busy > 0 ? secs(task.busy) : "", "num"],
    [task.longest > 0 ? secs(task.longest) : "", "num"],
    [task.steps > 0 ? number(task.steps) : "", "num"],
  ]);
  row.dataset.id = task.id;
  row.setAttribute("aria-selected", task.id === picked);
  row.classList.toggle("picked", task.id === picked);
});
taskList.node.setAttribute("aria-label", "Tasks");
taskList.node.addEventListener("click", (event) => {
  const row = event.target.closest(".row");
  if (row !== null) pick(Number(row.dataset.id));
});

function matches(task) {
  if (filter === "") return true;
  return (task.name + " " + doing(task) + " " + (task.where ?? "") + " " + (task.created ?? ""))
    .toLowerCase().includes(filter);
}
function flatten() {
  const tasks = [...state.tasks.values()];
  if (sort !== "tree" || filter !== "") {
    const rows = tasks.filter(matches);
    const key = { age: (t) => -(ageOf(t) ?? 0), busy: (t) => -t.busy, longest: (t) => -t.longest }[sort];
    if (key !== undefined) rows.sort((a, b) => key(a) - key(b));
    if (sort === "waiting") rows.sort((a, b) => doing(a) < doing(b) ? -1 : doing(a) > doing(b) ? 1 : 0);
    if (sort === "name") rows.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
    return rows.map((task) => ({ task, stem: "" }));
  }
  const groups = new Map();
  for (const task of tasks) if (task.group !== null) groups.set(task.group, [...groups.get(task.group) ?? [], task]);
  const seen = new Set();
  const passed = new Set();
  const rows = [];
  const children = (task) => {
    const found = new Set();
    const open = [...task.awaits];
    for (const id of open) {
      const child = state.tasks.get(id);
      if (child !== undefined) found.add(child);
      else if (!passed.has(id)) { passed.add(id); open.push(...state.futures.get(id)?.awaits ?? []); }
    }
    for (const member of groups.get(task.id) ?? []) found.add(member);
    return [...found];
  };
  for (const roots of [tasks.filter((t) => t.awaitedBy.length === 0 && t.group === null), tasks]) {
    const open = roots.filter((t) => !seen.has(t.id)).reverse().map((task) => ({ task, indent: "", stem: "", depth: 0 }));
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (seen.has(place.task.id)) continue;
      seen.add(place.task.id);
      rows.push(place);
      const inner = children(place.task).filter((t) => !seen.has(t.id));
      for (let index = inner.length - 1; index >= 0; index -= 1) {
        const last = index === inner.length - 1;
        const deep = place.depth > 24;
        open.push({
          task: inner[index], depth: place.depth + 1,
          stem: place.indent + (last ? "\u2514\u2500 " : "\u251c\u2500 "),
          indent: deep ? place.indent : place.indent + (last ? "   " : "\u2502  "),
        });
      }
    }
  }
  return rows;
}
function drawTasks() {
  const rows = flatten();
  taskList.show(rows);
  $("shown").textContent = rows.length === state.tasks.size ? rows.length + " tasks" : rows.length + " of " + state.tasks.size + " tasks";
  $("notasks").style.display = rows.length === 0 ? "" : "none";
}
function pick(id) { picked = id; dirty = true; draw(); }
function move(step) {
  const rows = taskList.rows;
  if (rows.length === 0) return;
  const now = rows.findIndex((row) => row.task.id === picked);
  const index = Math.max(0, Math.min(rows.length - 1, now + step));
  taskList.reveal(index);
  pick(rows[index].task.id);
}
function link(id) {
  const task = state.tasks.get(id);
  if (task !== undefined) return el("a", { tabindex: "0", role: "button", onclick: () => { show("tasks"); pick(id); } }, task.name);
  const future = state.futures.get(id);
  return el("span", {}, future === undefined ? "#" + id : future.what);
}
/** What is awaited, through futures that only stand between. */
function links(ids, side) {
  const out = []; const open = [...ids]; const met = new Set();
  for (const id of open) {
    if (met.has(id) || out.length > 12) continue;
    met.add(id);
    const future = state.tasks.has(id) ? undefined : state.futures.get(id);
    if (future !== undefined && future[side].length > 0) open.push(...future[side]);
    else { if (out.length > 0) out.push(", "); out.push(link(id)); }
  }
  return out.length === 0 ? [el("span", { class: "soft" }, "nobody")] : out;
}
function drawPick() {
  const aside = $("detail");
  const task = state.tasks.get(picked);
  aside.style.display = picked === null || panel !== "tasks" ? "none" : "";
  if (picked === null) return;
  if (task === undefined) {
    const ended = (state.lists.ended ?? []).find((each) => each.id === picked);
    aside.replaceChildren(el("h2", {}, ended?.name ?? "Task"), el("p", { class: ended?.state ?? "soft" },
      ended === undefined ? "It has ended." : "It has ended: " + ended.state + (ended.error === null ? "" : ", " + ended.error)));
    return;
  }
  const rows = [];
  const add = (term, ...parts) => rows.push(el("dt", {}, term), el("dd", {}, ...parts));
  add("waits for", ...(task.state === "waiting" ? task.waitsFor.flatMap((wait, i) => i === 0 ? [el("code", { class: "wait" }, wait)] : [el("br", {}), el("code", { class: "wait" }, wait)]) : [doing(task)]));
  add("where", task.where === null ? el("span", { class: "soft" }, state.head.debug ? "unknown" : "known in debug mode") : el("code", {}, task.where));
  add("awaits", ...(task.awaits.length === 0 ? [el("span", { class: "soft" }, "no task")] : links(task.awaits, "awaits")));
  add("awaited by", ...links(task.awaitedBy, "awaitedBy"));
  if (task.group !== null) add("group of", link(task.group));
  if (task.parent !== null) add("created by", link(task.parent));
  add("created", task.created === null ? el("span", { class: "soft" }, state.head.debug ? "unknown" : "known in debug mode") : el("code", {}, task.created));
  add("body", task.body ?? "not begun");
  add("age", ageOf(task) === null ? "from before the inspector" : secs(ageOf(task)));
  add("steps", number(task.steps) + (task.steps > 0 ? ", " + secs(task.busy) + " in all, longest " + secs(task.longest) : ""));
  if (task.cancelling > 0) add("cancelling", String(task.cancelling));
  const key = JSON.stringify([task, state.head.debug]);
  if (aside.dataset.key === key && aside.dataset.id === String(task.id)) {
    return;
  }
  aside.dataset.key = key; aside.dataset.id = task.id;
  aside.replaceChildren(
    el("h2", {}, task.name), el("div", { class: "soft" }, "task #" + task.id),
    el("dl", {}, ...rows),
    state.head.control ? el("button", { class: "danger", id: "cancel", onclick: cancel }, "Cancel task") : null ?? "",
    el("p", { class: "soft", id: "answer" }, state.head.control ? "" : "Started with { control: true } tasks can be cancelled here."),
  );
}
async function cancel() {
  if (!state.head.control || picked === null) return;
  const response = await fetch(query("cancel", "&task=" + picked), { method: "POST" });
  const said = await response.text();
  if ($("answer") !== null) $("answer").textContent = response.ok ? "Asked to cancel." : said;
}

// ---- the other panels ----
function table(heads, rows, none) {
  if (rows.length === 0) return el("div", { class: "empty" }, none);
  return el("table", {}, el("thead", {}, el("tr", {}, ...heads.map((h) => el("th", { class: h[1] ?? "" }, h[0])))),
    el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map((cell) => cell instanceof Array ? el("td", { class: cell[1] }, cell[0]) : el("td", {}, cell))))));
}
const num = (text) => [text, "num"];
function drawConnections() {
  const most = 500;
  const all = [...state.transports.values()];
  const rows = all.slice(0, most).map((each) => {
    const rate = traffic.get(each.id) ?? { in: 0, out: 0 };
    const paused = [each.readingPaused ? "reading" : "", each.writingPaused ? "writing" : ""].filter(Boolean).join(", ");
    return [[each.what, "name"], each.kind, each.state, num(bytes(each.bytesIn)), num(bytes(rate.in) + "/s"), num(bytes(each.bytesOut)), num(bytes(rate.out) + "/s"),
      num(each.buffered > 0 ? bytes(each.buffered) : ""), [paused === "" ? "" : paused + " paused", "flag"], num(secs(ageOf(each)))];
  });
  const servers = [...state.servers.values()].map((each) => [[each.what, "name"], each.state, num(number(each.connections)), num(number(each.accepted)), num(each.handshakes > 0 ? number(each.handshakes) : ""), num(secs(ageOf(each)))]);
  $("connections").replaceChildren(
    el("h3", {}, "Servers"), table([["server"], ["state"], ["open", "num"], ["accepted", "num"], ["handshakes", "num"], ["age", "num"]], servers, "No server"),
    el("h3", {}, "Connections and pipes" + (all.length > most ? " (the first " + most + " of " + all.length + ")" : "")),
    table([["peer"], ["over"], ["state"], ["in", "num"], ["", "num"], ["out", "num"], ["", "num"], ["buffered", "num"], ["paused"], ["age", "num"]], rows, "No connection"));
}
function drawProcesses() {
  const processes = [...state.processes.values()].map((each) => [[each.what, "name"], each.state, num(each.returncode === null ? "" : String(each.returncode)), num(String(each.pipes)), num(secs(ageOf(each)))]);
  const executors = [...state.executors.values()].map((each) => {
    const share = each.maxWorkers > 0 ? 100 * each.running / each.maxWorkers : 0;
    const bar = el("i", {}); bar.style.width = share + "%";
    return [[each.what, "name"], each.state, el("div", { class: "meter", title: each.running + " of " + each.maxWorkers }, bar), num(each.running + " of " + each.maxWorkers), num(String(each.queued))];
  });
  const queues = [...state.queues.values()].map((each) => [[each.what, "name"], num(number(each.size)), num(each.maxSize > 0 ? number(each.maxSize) : "\u221e"), num(number(each.getters)), num(number(each.putters)), num(number(each.unfinished))]);
  $("processes").replaceChildren(
    el("h3", {}, "Child processes"), table([["process"], ["state"], ["code", "num"], ["pipes", "num"], ["age", "num"]], processes, "No child process"),
    el("h3", {}, "Executors"), table([["executor"], ["state"], ["busy"], ["running", "num"], ["queued", "num"]], executors, "No executor was used"),
    el("h3", {}, "Queues"), table([["queue"], ["items", "num"], ["limit", "num"], ["getters", "num"], ["putters", "num"], ["unfinished", "num"]], queues, "No queue"));
}
function drawEnded() {
  const rows = [...state.lists.ended ?? []].reverse().map((each) => [[each.name, "name"], [each.state + (each.error === null ? "" : ": " + each.error), each.state], num(secs(state.head.time - each.at) + " ago"), num(each.age === null ? "" : secs(each.age)), num(number(each.steps)), num(secs(each.busy)), num(secs(each.longest))]);
  $("ended").replaceChildren(el("h3", {}, number(state.head.endedCount ?? 0) + " tasks have ended since the inspector began"),
    table([["task"], ["how"], ["when", "num"], ["lived", "num"], ["steps", "num"], ["in steps", "num"], ["longest", "num"]], rows, "No task has ended yet"));
}
const KINDS = { circle: "circle", stuck: "deadlock", slow: "slow step", busy: "busy task", queue: "queue grows", paused: "paused", unset: "never set", unretrieved: "lost error" };
function drawWarnings() {
  const list = state.lists.warnings ?? [];
  if (list.length === 0) return $("warnings").replaceChildren(el("div", { class: "empty" }, "Nothing looks wrong."));
  $("warnings").replaceChildren(...list.map((each) => el("div", { class: "warning", "data-kind": each.kind }, el("b", {}, KINDS[each.kind] ?? each.kind),
    el("div", {}, each.text, ...each.tasks.slice(0, 6).map((id) => el("a", { role: "button", tabindex: "0", onclick: () => { show("tasks"); filter = ""; $("filter").value = ""; drawTasks(); pick(id); const i = taskList.rows.findIndex((r) => r.task.id === id); if (i >= 0) taskList.reveal(i); } }, "show " + (state.tasks.get(id)?.name ?? "#" + id)))))));
}
function color(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
function fit(canvas) {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== width * ratio || canvas.height !== height * ratio) { canvas.width = width * ratio; canvas.height = height * ratio; }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return [context, width, height];
}
let laneTop = 0;
function drawTimeline() {
  const [context, width, height] = fit($("lanes"));
  const SPAN = 60, LEFT = 190, LANE = 20, TOP = 24;
  const now = state.head.time ?? 0;
  const x = (time) => LEFT + (width - LEFT - 12) * (1 - (now - time) / SPAN);
  context.font = "11px " + color("--sans");
  context.textBaseline = "middle";
  for (let ago = 0; ago <= SPAN; ago += 10) {
    context.fillStyle = color("--line"); context.fillRect(x(now - ago), TOP - 6, 1, height);
    context.fillStyle = color("--soft"); context.fillText(ago === 0 ? "now" : "-" + ago + " s", x(now - ago) - (ago === 0 ? 22 : 12), 10);
  }
  const all = [...lanes].sort((a, b) => (a[1].end !== null) - (b[1].end !== null) || b[1].busy - a[1].busy || a[0] - b[0]);
  const most = Math.max(0, all.length * LANE + TOP - height + 12);
  laneTop = Math.max(0, Math.min(laneTop, most));
  const first = Math.floor(laneTop / LANE);
  const [wait, run, bad, text] = ["--barback", "--run", "--bad", "--text"].map(color);
  for (let index = first; index < all.length; index += 1) {
    const top = TOP + index * LANE - laneTop;
    if (top > height) break;
    if (top < TOP - LANE) continue;
    const lane = all[index][1];
    context.fillStyle = lane.end === null ? text : color("--soft");
    context.fillText(lane.name.length > 26 ? lane.name.slice(0, 25) + "\u2026" : lane.name, 16, top + 9);
    let before = null;
    for (const span of lane.spans) {
      const from = x(before === null ? span.time - 0.25 : before), to = x(span.time);
      before = span.time;
      if (to < LEFT) continue;
      const start = Math.floor(Math.max(from, LEFT)), wide = Math.max(Math.ceil(to) - start, 1);
      context.fillStyle = span.cancelling ? bad : wait;
      context.fillRect(start, top + 3, wide, 12);
      if (span.share > 0.002) {
        const tall = Math.max(2, 12 * Math.sqrt(span.share));
        context.fillStyle = run;
        context.fillRect(start, top + 15 - tall, wide, tall);
      }
    }
  }
}
function spark(canvas, values, style, least) {
  const [context, width, height] = fit(canvas);
  const most = Math.max(least, ...values);
  context.beginPath();
  values.forEach((value, index) => {
    const px = width * (index + 120 - values.length) / 119, py = height - 2 - (height - 4) * value / most;
    if (index === 0) context.moveTo(px, py); else context.lineTo(px, py);
  });
  context.strokeStyle = color(style); context.lineWidth = 1.5; context.stroke();
}

// ---- a file: the trace of a simulation, or a snapshot ----
let trace = [];
const traceList = new VirtualList("110px 120px 1fr", (row, line) => cells(row, [[line.time, "num"], [line.host, "name"], [line.event, "wait"]]));
function openFile(name, text) {
  if (text.trimStart().startsWith("{")) {
    const snapshot = JSON.parse(text);
    offline = true;
    feed?.close();
    const set = {};
    for (const list of LISTS) set[list] = (snapshot[list] ?? []).map((each) => ({ ...each, since: each.age === null || each.age === undefined ? null : snapshot.time - each.age }));
    apply({ whole: true, head: { ...snapshot, title: name, control: false }, set, gone: {}, lists: { ended: snapshot.ended, slow: snapshot.slow, warnings: [] } });
    return show("tasks");
  }
  trace = text.split("\n").filter((line) => line !== "").map((line) => {
    const [time, host, ...rest] = line.split(" ");
    return { time: Number(time).toFixed(6), host, event: rest.join(" ") };
  });
  $("tracename").textContent = name + ", " + trace.length + " events";
  show("trace");
  drawTrace();
}
function drawTrace() {
  const word = $("tracefilter").value.toLowerCase();
  const rows = word === "" ? trace : trace.filter((line) => (line.host + " " + line.event).toLowerCase().includes(word));
  $("drop").style.display = trace.length === 0 ? "" : "none";
  traceList.node.style.display = trace.length === 0 ? "none" : "";
  traceList.show(rows);
}
async function take(file) { openFile(file.name, await file.text()); }
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => { event.preventDefault(); const file = event.dataTransfer.files[0]; if (file) take(file); });

// ---- drawing ----
const PANELS = ["tasks", "timeline", "connections", "processes", "ended", "warnings", "trace"];
function show(name) {
  panel = name;
  for (const each of PANELS) {
    $("panel-" + each).style.display = each === name ? "" : "none";
    $("tab-" + each).setAttribute("aria-selected", String(each === name));
  }
  dirty = true;
  drawPick();
  draw();
}
function draw() {
  if (!dirty) return;
  dirty = false;
  const head = state.head;
  $("title").textContent = head.title ?? "Loop";
  $("pid").textContent = head.pid === undefined ? "" : "process " + head.pid + (head.debug ? ", debug mode" : "");
  $("f-tasks").textContent = number(state.tasks.size);
  $("f-timers").textContent = number(head.timerCount ?? 0);
  $("f-ready").textContent = number(head.ready ?? 0);
  $("f-rate").textContent = number(state.rate ?? 0) + "/s";
  $("f-lag").textContent = head.lag ? secs(head.lag.last) : "";
  spark($("s-rate"), sparks.rate, "--bar", 10);
  spark($("s-lag"), sparks.lag, "--run", 0.005);
  const warnings = (state.lists.warnings ?? []).length;
  const badge = $("n-warnings");
  badge.textContent = warnings; badge.className = warnings > 0 ? "bad" : "";
  $("n-tasks").textContent = number(state.tasks.size);
  $("n-connections").textContent = number(state.transports.size);
  document.title = (warnings > 0 ? "(" + warnings + ") " : "") + (head.title ?? "Loop");
  if (panel === "tasks") { drawTasks(); drawPick(); }
  else if (panel === "timeline") drawTimeline();
  else if (panel === "connections") drawConnections();
  else if (panel === "processes") drawProcesses();
  else if (panel === "ended") drawEnded();
  else if (panel === "warnings") drawWarnings();
  else drawTrace();
}

// ---- keys ----
addEventListener("keydown", (event) => {
  const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
  if (event.key === "Escape") { if (typing) event.target.blur(); else pick(null); return; }
  if (event.key === "Enter" && event.target.getAttribute?.("role") === "button") return event.target.click();
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const tab = Number(event.key);
  if (tab >= 1 && tab <= PANELS.length) return show(PANELS[tab - 1]);
  const act = { "/": () => { show("tasks"); $("filter").focus(); }, t: toggle, ArrowDown: () => move(1), j: () => move(1), ArrowUp: () => move(-1), k: () => move(-1),
    PageDown: () => move(20), PageUp: () => move(-20), Home: () => move(-1e9), End: () => move(1e9), c: cancel }[event.key];
  if (act === undefined || (panel !== "tasks" && event.key !== "/" && event.key !== "t")) return;
  event.preventDefault();
  act();
});
function toggle() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* Not kept. */ }
  dirty = true; draw();
}

// ---- the connection ----
let feed;
function connect() {
  feed = new EventSource(query("events"));
  feed.onmessage = (event) => { if (!offline) { apply(JSON.parse(event.data)); requestAnimationFrame(draw); } };
}
setInterval(() => {
  const silent = offline ? 0 : (performance.now() - state.at) / 1000;
  const gone = feed !== undefined && feed.readyState !== 1;
  $("dot").className = offline ? "late" : gone && silent > 1 ? "gone" : silent > 1.5 ? "late" : "live";
  const banner = $("silence");
  const text = offline ? "" : gone && silent > 2 ? "The program has ended, or its inspector was closed." :
    silent > 2.5 ? "The program has not answered for " + Math.floor(silent) + " s: something runs without a pause." : "";
  banner.textContent = text;
  banner.style.display = text === "" ? "none" : "block";
}, 500);

$("taskhead").style.gridTemplateColumns = COLUMNS;
$("panel-tasks").append(taskList.node);
$("panel-trace").append(traceList.node);
for (const each of PANELS) $("tab-" + each).addEventListener("click", () => show(each));
$("filter").addEventListener("input", () => { filter = $("filter").value.toLowerCase(); dirty = true; taskList.node.scrollTop = 0; draw(); });
$("sort").addEventListener("change", () => { sort = $("sort").value; dirty = true; draw(); });
$("theme").addEventListener("click", toggle);
$("lanes").addEventListener("wheel", (event) => { laneTop += event.deltaY; dirty = true; draw(); }, { passive: true });
$("tracefilter").addEventListener("input", drawTrace);
$("file").addEventListener("change", () => { if ($("file").files[0]) take($("file").files[0]); });
addEventListener("resize", () => { dirty = true; draw(); });
show("tasks");
connect();
`;
