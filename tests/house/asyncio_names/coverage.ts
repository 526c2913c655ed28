/**
 * Which of asyncio's names are here. A name is taken to be here in camelCase, unless a table below
 * says otherwise. ARCHITECTURE.md has the list: `deno task names` writes it there.
 *
 * @module
 */
import cpython from "./cpython.json" with { type: "json" };

/** A name that has another one here. */
interface Renamed {
  /** What has to be exported, or has to be a method of the loop. */
  readonly name: string;
  /** How it is used, in Markdown. Defaults to the name. */
  readonly use?: string;
}

/** What is here under another name: asyncio's name, and ours. */
export const RENAMED: Readonly<Record<string, Renamed>> = {
  AbstractEventLoop: { name: "PlatformLoop" },
  AbstractEventLoopPolicy: { name: "EventLoopPolicy" },
  AbstractServer: { name: "Server" },
  BaseEventLoop: { name: "EventLoop", use: "`EventLoop`, which schedules and does no I/O" },
  EventLoop: { name: "DenoEventLoop" },
  SelectorEventLoop: { name: "DenoEventLoop" },
  create_eager_task_factory: { name: "createTask", use: "`createTask(body, { eager: true })`" },
  eager_task_factory: { name: "createTask", use: "`createTask(body, { eager: true })`" },
  iscoroutine: { name: "isCoroutine" },
  isfuture: { name: "isFuture" },
  wrap_future: { name: "ensureFuture", use: "`ensureFuture(promise)`" },
};

const CHILD_WATCHERS = "Deno watches children itself; gone from Python 3.14 as well";
const HOOKS = "hooks for loops and tasks written in C";

/** What is not here, and why. */
export const MISSING: Readonly<Record<string, string>> = {
  AbstractChildWatcher: CHILD_WATCHERS,
  FastChildWatcher: CHILD_WATCHERS,
  MultiLoopChildWatcher: CHILD_WATCHERS,
  PidfdChildWatcher: CHILD_WATCHERS,
  SafeChildWatcher: CHILD_WATCHERS,
  ThreadedChildWatcher: CHILD_WATCHERS,
  get_child_watcher: CHILD_WATCHERS,
  set_child_watcher: CHILD_WATCHERS,
  _enter_task: HOOKS,
  _get_running_loop: HOOKS,
  _leave_task: HOOKS,
  _register_task: HOOKS,
  _set_running_loop: HOOKS,
  _unregister_task: HOOKS,
  iscoroutinefunction: "a generator function that is one looks like any other",
  shutdown_asyncgens: "JavaScript has no hook that lists the generators that were abandoned",
};

/** asyncio's names and where they went. */
interface Coverage {
  /** asyncio's names that are here in camelCase. */
  readonly here: readonly string[];
  readonly renamed: readonly string[];
  readonly missing: readonly string[];
}

function coverageOf(names: readonly string[]): Coverage {
  const renamed = names.filter((name) => name in RENAMED);
  const missing = names.filter((name) => name in MISSING);
  const here = names.filter((name) => !(name in RENAMED) && !(name in MISSING));
  return { here, renamed, missing };
}

/** The coverage of `asyncio.__all__`. */
export const MODULE: Coverage = coverageOf(cpython.module);
/** The coverage of the methods of `asyncio.AbstractEventLoop`. */
export const LOOP: Coverage = coverageOf(cpython.loop);

/** Gives asyncio's name in the casing of JavaScript. */
export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** Gives the part of ARCHITECTURE.md between its two marks. */
export function coverageMarkdown(): string {
  return [
    `Of ${cpython.module.length} names in \`asyncio.__all__\` of CPython 3.13,`,
    `${MODULE.here.length} are here in camelCase: ${listOf(MODULE.here)}.`,
    "",
    `Of ${cpython.loop.length} methods of its event loop, ${LOOP.here.length} are methods of`,
    `\`DenoEventLoop\`: ${listOf(LOOP.here)}.`,
    "",
    "| asyncio | here |",
    "| --- | --- |",
    ...rows([...MODULE.renamed, ...LOOP.renamed], useOf),
    "",
    "| asyncio | not here, because |",
    "| --- | --- |",
    ...rows([...MODULE.missing, ...LOOP.missing], (name) => MISSING[name] ?? ""),
  ].join("\n");
}

function useOf(name: string): string {
  const renamed = RENAMED[name];
  return renamed?.use ?? `\`${renamed?.name}\``;
}

function listOf(names: readonly string[]): string {
  return names.map((name) => `\`${camelCase(name)}\``).join(", ");
}

/** Gives a row for each different text, with all the names that it is about. */
function rows(names: readonly string[], textOf: (name: string) => string): string[] {
  return Map.groupBy(names, textOf).entries().map(([text, group]) => {
    return `| ${group.map((name) => `\`${name}\``).join(", ")} | ${text} |`;
  }).toArray();
}
