import { describe } from "../../loop/values/describe.ts";
/** Checks the path of a Unix socket for `action`. */
export function checkPath(path: unknown, action: string): asserts path is string {
  if (typeof path === "string" && path !== "") return;
  const state = path === "" ? "the path is empty" : `expected a path, got ${describe(path)}`;
  throw new TypeError(`Cannot ${action}: ${state}`);
}
