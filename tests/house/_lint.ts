import plugin from "../lint/mod.ts";

/** Lints `source` as the file at `path` with our own rules, and gives what they say. */
export function lint(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source).map(({ id, message }) => `${id}: ${message}`);
}

/** Lints as {@linkcode lint}, and gives what the rules say to do instead. */
export function lintHints(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source).map(({ hint }) => hint ?? "none");
}
