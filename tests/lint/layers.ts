import { type Layer, layerOf, LAYERS, reachOf, repositoryPath, roomOf } from "./layer_map.ts";

/** The one file in loop/ that imports the layers above it, to give the loop its asyncio methods. */
const COMPOSITION_ROOT = "loop/deno_event_loop.ts";

/** The clients of engines, each in the one file that speaks to its engine: an entry point of its own. */
const CLIENTS: Readonly<Record<string, readonly string[]>> = {
  "executor/queue/bullmq.ts": ["bullmq", "ioredis"],
  "executor/queue/nats.ts": ["@nats-io/transport-node"],
};

/** Everything the composition root may import. */
const BELOW_COMPOSITION_ROOT: readonly Layer[] = ["loop", "transports", "subprocess", "executor"];

/** Who may import the composition root. Anybody else would close an import cycle; loop/ may name its type. */
const ABOVE_COMPOSITION_ROOT =
  /^(loop\/(policy|mod)\.ts|mod\.ts|simulation\/.*|transports\/native\/.*)$/;

/**
 * Keeps imports pointing down the layers and the rooms inside of them, and private files
 * (`_name.ts`) inside their layer.
 */
export const layers: Deno.lint.Rule = {
  create(context) {
    const importer = repositoryPath(context.filename);
    const check = (source: Deno.lint.Node | null, typesOnly: boolean) => {
      if (source?.type !== "Literal" || typeof source.value !== "string") return;
      const found = complaint(importer, source.value, typesOnly);
      if (found !== undefined) context.report({ node: source, ...found });
    };
    return {
      ImportDeclaration: (node) => check(node.source, isTypeImport(node)),
      ExportNamedDeclaration: (node) => check(node.source, node.exportKind === "type"),
      ExportAllDeclaration: (node) => check(node.source, node.exportKind === "type"),
      ImportExpression: (node) => check(node.source, false),
    };
  },
};

/** Whether nothing of the import is left at run time. */
function isTypeImport(node: Deno.lint.ImportDeclaration): boolean {
  return node.importKind === "type" || (node.specifiers.length > 0 && node.specifiers.every(
    (each) => each.type === "ImportSpecifier" && each.importKind === "type",
  ));
}

/** What is wrong, and what to do instead. */
interface Complaint {
  message: string;
  hint: string;
}

/** Says what is wrong with `importer` importing `specifier`, if anything is. */
function complaint(
  importer: string,
  specifier: string,
  typesOnly: boolean,
): Complaint | undefined {
  const isPublished = importer === "mod.ts" || layerOf(importer) !== undefined;
  if (!specifier.startsWith(".")) {
    if (!isPublished || specifier.startsWith("node:")) return undefined;
    if (CLIENTS[importer]?.includes(specifier)) return undefined;
    return {
      message:
        `"${specifier}" is a dependency: the package needs nothing but Deno and its "node:" modules`,
      hint: "Write it here, or put what needs it under tests/, examples/ or bench/",
    };
  }
  const { pathname } = new URL(specifier, `file:///${importer}`);
  const imported = pathname.slice(1);
  return privacyComplaint(importer, imported) ??
    (isPublished ? layerComplaint(importer, imported, typesOnly) : undefined) ??
    roomComplaint(importer, imported, typesOnly);
}

function privacyComplaint(importer: string, imported: string): Complaint | undefined {
  if (!baseName(imported).startsWith("_")) return undefined;
  // A suite runs on several backends, each with tests in a folder of its own.
  if (imported.startsWith("tests/") && importer.startsWith("tests/")) return undefined;
  const layer = layerOf(imported);
  const home = layer ?? folder(imported);
  if (importer.startsWith(`${home}/`) || importer.startsWith(`tests/${home}/`)) return undefined;
  return {
    message: `"${imported}" is private to "${home}/" and its tests`,
    hint: "Drop the underscore from its name if others need it, or test it through what is public",
  };
}

function layerComplaint(
  importer: string,
  imported: string,
  typesOnly: boolean,
): Complaint | undefined {
  const mayName = typesOnly && layerOf(importer) === "loop";
  if (imported === COMPOSITION_ROOT && !mayName && !ABOVE_COMPOSITION_ROOT.test(importer)) {
    return {
      message:
        `"${imported}" is the composition root: only the policy, simulation/, transports/native/ and mod.ts import it`,
      hint: "Take the loop as EventLoop or PlatformLoop",
    };
  }
  const from = layerOf(importer);
  const to = layerOf(imported);
  const allowed = from === undefined || importer === COMPOSITION_ROOT
    ? BELOW_COMPOSITION_ROOT
    : [from, ...LAYERS[from]];
  if (to !== undefined && allowed.includes(to)) return undefined;
  return {
    message: `"${imported}" is out of reach: "${importer}" may import only ${list(allowed)}`,
    hint: "Move what is needed down, or declare what is needed as an interface down there",
  };
}

function roomComplaint(
  importer: string,
  imported: string,
  typesOnly: boolean,
): Complaint | undefined {
  const room = roomOf(importer);
  if (room === undefined || layerOf(importer) !== layerOf(imported)) return undefined;
  const allowed = reachOf(room, typesOnly);
  if (allowed.includes(roomOf(imported) ?? imported)) return undefined;
  const what = typesOnly ? "types" : "values";
  return {
    message: `"${imported}" is out of reach: "${room}" may import ${what} only of ${
      allowed.join(", ")
    }`,
    hint:
      "Move what is needed down or take it as a callback; the rooms stand in tests/lint/layer_map.ts",
  };
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
