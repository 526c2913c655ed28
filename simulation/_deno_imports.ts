import * as modules from "node:module";
import { followModule, inLifeOf, isMade, replaceBuiltin } from "./_deno_modules.ts";
import { whenPromisesRest } from "./_deno_turn.ts";
import { type World, worlds } from "./_world.ts";

/** What a hook is told of an import. */
interface ImportContext {
  readonly parentURL?: string;
  /** Has `import` or `require`. */
  readonly conditions?: readonly string[];
  readonly importAttributes?: ImportAttributes;
}

/** What a hook says where a module is. */
interface Resolved {
  readonly url: string;
  readonly shortCircuit?: boolean;
}

/** `registerHooks` is missing in the types of Deno, and before Deno 2.9 altogether. */
interface Hooks {
  registerHooks?(hooks: {
    resolve(
      specifier: string,
      context: ImportContext,
      next: (specifier: string, context: ImportContext) => Resolved,
    ): Resolved;
  }): { deregister(): void };
}

/** Turns of the host after which a module that has begun is taken for one that waits for its world. */
const LONGEST_CODE = 10;

/**
 * Modules that a simulation was the first to ask for, and what these ask for: the host tells of the
 * latter outside of all.
 */
const simulated: Set<string> = new Set();

/**
 * Replaces modules of Node that a program imports in a simulation, and lets its time stand still while
 * the host loads modules for it. Returns what ends that.
 *
 * `import()` is no function that could be replaced. The host says that it begins, in the context of
 * the caller; a second import of the same module ends with it, or later.
 */
export function replaceImports(): () => void {
  const hooks = (modules as Hooks).registerHooks?.({
    resolve(specifier, context, next) {
      if (isMade(specifier)) return { url: specifier, shortCircuit: true };
      const resolved = next(specifier, context);
      const { parentURL = "", conditions, importAttributes } = context;
      if (isMade(parentURL) || conditions?.includes("require")) return resolved;
      const world = isCalled() ? worlds.getStore() : undefined;
      if (world === undefined && !simulated.has(parentURL)) return resolved;
      const url = replaceBuiltin(resolved.url) ?? inLifeOf(parentURL, resolved.url);
      simulated.add(url);
      if (world !== undefined) {
        // Not within the import that has just begun.
        const release = world.clock.hold();
        queueMicrotask(() => {
          follow(world, url, importAttributes);
          release();
        });
      }
      return url === resolved.url ? resolved : { url, shortCircuit: true };
    },
  });
  return () => hooks?.deregister();
}

/** Lets time stand still until the module at `url` is there, or waits for something itself. */
async function follow({ clock }: World, url: string, attributes?: ImportAttributes): Promise<void> {
  const release = clock.hold();
  const follower = followModule(url, attributes, () => afterTurns(LONGEST_CODE, release));
  try {
    await import(follower.url);
  } catch {
    // It is told to who has imported it.
  } finally {
    follower.forget();
    release();
  }
}

function afterTurns(count: number, work: () => void): void {
  if (count === 0) work();
  else whenPromisesRest(() => afterTurns(count - 1, work));
}

/** Whether the hook that asks was called for an `import()`: where a module names another nobody calls. */
function isCalled(): boolean {
  const { stackTraceLimit, prepareStackTrace } = Error as ErrorConstructor & {
    prepareStackTrace?: unknown;
  };
  Error.stackTraceLimit = DEEPEST;
  Reflect.set(Error, "prepareStackTrace", undefined);
  const { stack = "" } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  Reflect.set(Error, "prepareStackTrace", prepareStackTrace);
  return !stack.slice(stack.lastIndexOf("\n")).includes("node:module");
}

/** The hooks take fewer frames. */
const DEEPEST = 12;
