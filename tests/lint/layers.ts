import { type Layer, layerOf, LAYERS, repositoryPath } from "./layer_map.ts";

/** The one file in loop/ that imports the layers above it, to give the loop its asyncio methods. */
const COMPOSITION_ROOT = "loop/deno_event_loop.ts";

/** Everything the composition root may import. */
const BELOW_COMPOSITION_ROOT: readonly Layer[] = ["loop", "transports", "subprocess", "executor"];

/** Who may import the composition root. Anybody else would close an import cycle. */
const ABOVE_COMPOSITION_ROOT = /^(loop\/(policy|runner|mod)\.ts|mod\.ts|simulation\/.*)$/;

/** Keeps imports pointing down the layers, and private files (`_name.ts`) inside their folder. */
export const layers: Deno.lint.Rule = {
  create(context) {
    const importer = repositoryPath(context.filename);
    const check = (source: Deno.lint.Node | null) => {
      if (source?.type !== "Literal" || typeof source.value !== "string") return;
      const message = complaint(importer, source.value);
      if (message !== undefined) context.report({ node: source, message });
    };
    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
    };
  },
};

/** Says what is wrong with `importer` importing `specifier`, if anything is. */
function complaint(importer: string, specifier: string): string | undefined {
  const isPublished = importer === "mod.ts" || layerOf(importer) !== undefined;
  if (!specifier.startsWith(".")) {
    if (!isPublished || specifier.startsWith("node:")) return undefined;
    return `"${specifier}" is a dependency: the package needs nothing but Deno and its "node:" modules`;
  }
  const imported = new URL(specifier, `file:///${importer}`).pathname.slice(1);
  return privacyComplaint(importer, imported) ??
    (isPublished ? layerComplaint(importer, imported) : undefined);
}

function privacyComplaint(importer: string, imported: string): string | undefined {
  if (!baseName(imported).startsWith("_")) return undefined;
  const home = folder(imported);
  // A suite runs on several backends, each with tests in a folder of its own.
  if (home.startsWith("tests/") && importer.startsWith("tests/")) return undefined;
  if ([home, `tests/${home}`].includes(folder(importer))) return undefined;
  return `"${imported}" is private to "${home}/" and its tests`;
}

function layerComplaint(importer: string, imported: string): string | undefined {
  if (imported === COMPOSITION_ROOT && !ABOVE_COMPOSITION_ROOT.test(importer)) {
    return `"${imported}" is the composition root: only the policy, the runner, simulation/ and mod.ts import it`;
  }
  const from = layerOf(importer);
  const to = layerOf(imported);
  const allowed = from === undefined || importer === COMPOSITION_ROOT
    ? BELOW_COMPOSITION_ROOT
    : [from, ...LAYERS[from]];
  if (to !== undefined && allowed.includes(to)) return undefined;
  return `"${imported}" is out of reach: "${importer}" may import only ${list(allowed)}`;
}

function list(allowed: readonly Layer[]): string {
  return allowed.map((layer) => `${layer}/`).join(", ");
}

function folder(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
