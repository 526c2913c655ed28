/**
 * What a program of a simulation imports.
 *
 * *Theory of operation.* A named import of a module of Node is the host's own function, which no patch
 * of a property can replace. So what is imported *in* a simulation gets, in place of such a module, one
 * whose exports look at the properties of the original each time. What was imported before does not.
 *
 * A module whose address ends with the name of a life imports others with the same: so each life of a
 * host has modules of its own. Those of JSR and of the package itself are shared.
 *
 * @module
 */
import process from "node:process";
import type { Patch } from "./_patch.ts";

/**
 * Modules made here. They are addresses with all in them: a hook that gives the text of a module would
 * keep the host at work for as long as it is there.
 */
const made: Set<string> = new Set();

/** What they find here, as no address of the package is allowed to each of them. */
const KEY = Symbol.for("@gyre/asyncio/simulation");

/** Called when the code of a module begins, by number. */
const followed: Map<number, () => void> = new Map();
let lastNumber = 0;

/** The keys that are replaced, by object. */
const replaced: WeakMap<object, Set<string>> = new WeakMap();

/** Notes which properties `patches` replace. */
export function noteReplaced(patches: readonly Patch[]): void {
  for (const { target, key } of patches) {
    // Methods of timers have symbols.
    if (typeof key !== "string") continue;
    const keys = replaced.get(target) ?? new Set();
    replaced.set(target, keys.add(key));
  }
}

/** Whether the module at `url` is made here. */
export function isMade(url: string): boolean {
  return made.has(url);
}

function make(lines: readonly string[]): string {
  Reflect.set(globalThis, KEY, { begin, exportOf });
  const url = `data:text/javascript,${encodeURIComponent(lines.join("\n"))}`;
  made.add(url);
  return url;
}

const FIND = `const { begin, exportOf } = globalThis[Symbol.for(${
  JSON.stringify(KEY.description)
})];`;

/** Returns what stands for the module of Node at `url`; `null` if nothing has to. */
export function replaceBuiltin(url: string): string | null {
  if (!url.startsWith("node:")) return null;
  const target = process.getBuiltinModule(url) as object | undefined;
  const keys = target && replaced.get(target);
  if (keys === undefined) return null;
  const names = [...keys].filter((key) => /^\w+$/.test(key));
  return make([
    FIND,
    `import original from "${url}";`,
    `export * from "${url}";`,
    "export default original;",
    ...names.map((key) => `export const ${key} = exportOf(original, "${key}");`),
  ]);
}

/** A function, or a class. */
type Callable = (...args: unknown[]) => unknown;

/** Returns what calls the property of `target` called `key`, whatever that is then. */
function exportOf(target: object, key: string): unknown {
  const original: unknown = Reflect.get(target, key);
  if (typeof original !== "function") return original;
  const current = () => Reflect.get(target, key) as Callable;
  return new Proxy(original, {
    apply: (_, self, args) => Reflect.apply(current(), self, args),
    construct: (_, args, newTarget) => Reflect.construct(current(), args, newTarget),
  });
}

/** Returns a module that is there no sooner than the one at `url`, and calls `begun` before its code. */
export function followModule(
  url: string,
  attributes: ImportAttributes | undefined,
  begun: () => void,
): { url: string; forget: () => void } {
  const number = ++lastNumber;
  followed.set(number, begun);
  const beginning = make([FIND, `begin(${number});`]);
  const following = make([
    `import "${beginning}";`,
    `import ${JSON.stringify(url)} with ${JSON.stringify(attributes ?? {})};`,
  ]);
  const forget = () => {
    followed.delete(number);
    made.delete(beginning);
    made.delete(following);
  };
  return { url: following, forget };
}

/** The code of a module begins. */
function begin(number: number): void {
  followed.get(number)?.();
}

/** The name of a life at the end of an address; that of data has it behind a `#`. */
const LIFE = /[?&#]life=([^&#]*)$/;

/** Returns the address of the module at `url` for one life alone. */
export function withLife(url: string, life: string): string {
  if (url.startsWith("data:")) return `${url}#life=${life}`;
  return `${url}${url.includes("?") ? "&" : "?"}life=${life}`;
}

/** Returns the address of what the module at `parent` imports from `url`: one of the same life. */
export function inLifeOf(parent: string, url: string): string {
  const [, life] = LIFE.exec(parent) ?? [];
  if (life === undefined || LIFE.test(url) || isShared(url)) return url;
  return withLife(url, life);
}

const PACKAGE = new URL("../", import.meta.url).href;
const LAYERS = /^(mod\.ts|(executor|inspector|loop|simulation|subprocess|transports)\/)/;

function isShared(url: string): boolean {
  if (!/^(file|data):/.test(url)) return true;
  return url.startsWith(PACKAGE) && LAYERS.test(url.slice(PACKAGE.length));
}
