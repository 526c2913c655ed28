import {
  doingOf,
  formatSnapshot,
  headline,
  milliseconds,
  type Paint,
  paintIn,
} from "../loop/inspection/format_snapshot.ts";
import type { LoopSnapshot, TaskSnapshot } from "../loop/inspection/snapshot.ts";
import { messageOf } from "../loop/values/describe.ts";

const USAGE = `Usage: deno run --allow-net=127.0.0.1 jsr:@gyre/asyncio/inspector <command> <url>

  ps      the tasks, one a line, with what each waits for
  pstree  the tasks as a tree: whom they await, and their groups
  top     the busiest tasks, again and again, until Ctrl-C

<url> is what the program has printed: "Inspector: http://127.0.0.1:…"`;

/** Lines that `top` shows where nothing says how many there are. */
const LINES = 24;
/** Milliseconds between two looks of `top`. */
const INTERVAL = 1000;

/** What is told of a task: widths of columns, and their texts. */
const COLUMNS: readonly [title: string, width: number, text: (task: TaskSnapshot) => string][] = [
  ["ID", 6, (task) => String(task.id)],
  ["AGE", 8, (task) => task.age === null ? "" : milliseconds(task.age)],
  ["BUSY", 8, (task) => task.busy === 0 ? "" : milliseconds(task.busy)],
  ["STEPS", 8, (task) => task.steps === 0 ? "" : String(task.steps)],
];

/** Runs the command that the arguments of the program name. */
export async function runTerminal(): Promise<void> {
  const [command, url] = Deno.args;
  if (url === undefined || !URL.canParse(url) || !["ps", "pstree", "top"].includes(command ?? "")) {
    console.error(USAGE);
    Deno.exit(2);
  }
  const colors = !Deno.noColor && Deno.stdout.isTerminal();
  try {
    if (command === "pstree") return console.log(formatSnapshot(await ask(url), colors));
    if (command === "ps") return console.log(psOf(await ask(url), paintIn(colors)));
    await showTop(url, colors);
  } catch (error) {
    console.error(messageOf(error));
    Deno.exit(1);
  }
}

/** Asks a running program. */
async function ask(url: string): Promise<LoopSnapshot> {
  const place = new URL(url);
  place.pathname = "/snapshot";
  const response = await fetch(place);
  if (response.ok) return await response.json();
  throw new Error((await response.text()).trim());
}

/** The tasks, one a line. */
export function psOf(snapshot: LoopSnapshot, paint: Paint): string {
  return [headline(snapshot), ...linesOf(snapshot.tasks, paint)].join("\n");
}

/** The busiest tasks since the snapshot `before`. */
export function topOf(
  snapshot: LoopSnapshot,
  before: LoopSnapshot | null,
  rows: number,
  paint: Paint,
): string {
  const spent = new Map(before?.tasks.map((task) => [task.id, task.busy]));
  const busy = (task: TaskSnapshot) => task.busy - (spent.get(task.id) ?? 0);
  const tasks = snapshot.tasks.toSorted((a, b) => busy(b) - busy(a)).slice(0, rows - 3);
  const seconds = before === null ? 0 : snapshot.time - before.time;
  const share = seconds === 0 ? 0 : 100 * (snapshot.busy - (before?.busy ?? 0)) / seconds;
  const first = `${headline(snapshot)}, steps take ${Math.round(share)} % of the time`;
  return [first, ...linesOf(tasks, paint)].join("\n");
}

function linesOf(tasks: readonly TaskSnapshot[], paint: Paint): string[] {
  const width = Math.min(Math.max(4, ...tasks.slice(0, 1000).map(({ name }) => name.length)), 30);
  const head = [...COLUMNS.map(([title, size]) => title.padStart(size)), "TASK".padEnd(width)];
  return [
    paint("dim", [...head, "WAITS FOR"].join("  ")),
    ...tasks.map((task) =>
      [
        ...COLUMNS.map(([, size, text]) => text(task).padStart(size)),
        paint("name", task.name.padEnd(width)),
        paint(task.state === "waiting" ? "wait" : "busy", doingOf(task)),
      ].join("  ")
    ),
  ];
}

/** Shows the busiest tasks until the program or this one ends. */
async function showTop(url: string, colors: boolean): Promise<never> {
  const paint = paintIn(colors);
  for (let before: LoopSnapshot | null = null;;) {
    const snapshot = await ask(url);
    const rows = Deno.stdout.isTerminal() ? Deno.consoleSize().rows : LINES;
    const clear = colors ? "\x1b[H\x1b[J" : "";
    console.log(clear + topOf(snapshot, before, rows, paint));
    before = snapshot;
    await new Promise((resolve) => setTimeout(resolve, INTERVAL));
  }
}
