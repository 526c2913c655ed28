import * as modules from "node:module";
import { clearTimeout, setTimeout } from "node:timers";
import { type World, worlds } from "./_world.ts";

/**
 * Real milliseconds after which time goes on although a module is not there: its code itself may
 * wait for simulated time.
 */
const LONGEST_IMPORT = 5000;

/** What a hook is told of an import. */
interface ImportContext {
  readonly importAttributes?: ImportAttributes;
}

/** What a hook returns. */
interface Resolved {
  readonly url: string;
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

/**
 * Lets the time of a simulation stand still while the host loads a module for it. Returns what
 * ends that.
 *
 * `import()` is no function that could be replaced. The host says that it begins, in the context of
 * the caller; a second import of the same module ends with it, or later.
 */
export function holdTimeForImports(): () => void {
  let isOurs = false;
  const follow = async (world: World, url: string, attributes?: ImportAttributes) => {
    const release = world.clock.hold();
    const limit = setTimeout(release, LONGEST_IMPORT);
    try {
      isOurs = true;
      const loading = import(url, { with: { ...attributes } });
      isOurs = false;
      await loading;
    } catch {
      // It is told to who has imported it.
    } finally {
      isOurs = false;
      clearTimeout(limit);
      release();
    }
  };
  const hooks = (modules as Hooks).registerHooks?.({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const world = worlds.getStore();
      if (world !== undefined && !isOurs) {
        // Not within the import that has just begun.
        const release = world.clock.hold();
        queueMicrotask(() => {
          worlds.run(undefined, () => follow(world, resolved.url, context.importAttributes));
          release();
        });
      }
      return resolved;
    },
  });
  return () => hooks?.deregister();
}
