import { layerOf, repositoryPath } from "./layer_map.ts";

/** What only the files that implement the platform over Deno may name. */
const PLATFORM_NAMES: ReadonlySet<string> = new Set([
  "Date",
  "Deno",
  "Worker",
  "performance",
  "setImmediate",
  "setInterval",
  "setTimeout",
]);

/** What to take in their place: what the platform has of them already. */
const REMEDIES: Readonly<Record<string, string>> = {
  Date: "Take the time from `loop.time()`, or from `platform.clock`",
  Worker: "Start it by `platform.workers` (loop/platform/worker_platform.ts)",
  performance: "Take the time from `loop.time()`, or from `platform.clock`",
  setImmediate: "Take `loop.callSoon()`",
  setInterval: "Take `loop.callLater()`, each time anew",
  setTimeout: "Take `loop.callLater()`, or `sleep()`",
  "Math.random": "Take `platform.random`",
};

/** What to do about the rest. */
const NEW_PART =
  "Take it from the platform (loop/platform/platform.ts), or declare it there and implement it in a file named deno_*.ts";

/** The files that implement the platform over Deno. */
const SEAM_FILE = /\/_?(deno|native)_[^/]*\.ts$/;

/** TypeScript nodes that hold a value. Every other one holds a type, which is gone at run time. */
const VALUE_HOLDERS: ReadonlySet<string> = new Set([
  "TSAsExpression",
  "TSNonNullExpression",
  "TSSatisfiesExpression",
  "TSTypeAssertion",
]);

/** Keeps time, randomness, workers and Deno itself behind the platform, so that simulation can take its place. */
export const seam: Deno.lint.Rule = {
  create(context) {
    const path = repositoryPath(context.filename);
    if (layerOf(path) === undefined || SEAM_FILE.test(path)) return {};
    const report = (node: Deno.lint.Node, name: string) =>
      context.report({
        node,
        message: `\`${name}\` belongs behind the platform, in a file named deno_*.ts`,
        hint: REMEDIES[name] ?? NEW_PART,
      });
    return {
      Identifier(node) {
        if (PLATFORM_NAMES.has(node.name) && isGlobalValue(node)) report(node, node.name);
      },
      MemberExpression(node) {
        if (context.sourceCode.getText(node) === "Math.random") report(node, "Math.random");
      },
    };
  },
};

/** Tells a use of the global value from a property, a key or a type that has its name. */
function isGlobalValue(node: Deno.lint.Identifier): boolean {
  const parent = node.parent;
  if (parent.type === "MemberExpression" && parent.property === node && !parent.computed) {
    return parent.object.type === "Identifier" && parent.object.name === "globalThis";
  }
  const isKey = "key" in parent && parent.key === node;
  const isLocalName = parent.type === "ImportSpecifier" && parent.local === node;
  const isType = parent.type.startsWith("TS") && !VALUE_HOLDERS.has(parent.type);
  return !isKey && !isLocalName && !isType;
}
