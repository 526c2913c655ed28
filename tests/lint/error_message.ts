import { layerOf, repositoryPath } from "./layer_map.ts";

/** Stands for a part of a message that is known only at run time. */
const HOLE = "\0";

/** Each demand on a message: what it looks like when it is not met, and what to say then. */
const DEMANDS: readonly { broken: RegExp; hint: string }[] = [
  { broken: /^(?!Cannot |Assertion failed)/, hint: 'Begin with "Cannot "' },
  { broken: /\.$/, hint: "End without a full stop" },
  { broken: /\w'(t|re|ve|ll|d|m)\b/, hint: "Write contractions out" },
  { broken: /(^|[^\w])'|'([^\w]|$)/, hint: "Put strings in double quotes" },
];

/** Keeps error messages in one form: `Cannot <action> <object>: <current state>`. */
export const errorMessage: Deno.lint.Rule = {
  create(context) {
    if (layerOf(repositoryPath(context.filename)) === undefined) return {};
    return {
      NewExpression(node) {
        const argument = messageArgument(node);
        const message = argument && constantText(argument);
        if (argument === undefined || message === undefined) return;
        for (const { broken, hint } of DEMANDS) {
          if (!broken.test(message)) continue;
          const form = "An error message has the form `Cannot <action> <object>: <current state>`";
          context.report({ node: argument, message: form, hint });
        }
      },
    };
  },
};

/** Gives the message that `new SomeError(…)` is given, if it is given one. */
function messageArgument(node: Deno.lint.NewExpression): Deno.lint.Node | undefined {
  const { callee } = node;
  if (callee.type !== "Identifier" || !callee.name.endsWith("Error")) return undefined;
  return node.arguments[callee.name === "AggregateError" ? 1 : 0];
}

/** Gives the text of a string, template or sum of them, with holes; nothing for other expressions. */
function constantText(node: Deno.lint.Node): string | undefined {
  if (node.type === "Literal") return typeof node.value === "string" ? node.value : undefined;
  if (node.type === "TemplateLiteral") return node.quasis.map((part) => part.cooked).join(HOLE);
  if (node.type !== "BinaryExpression" || node.operator !== "+") return undefined;
  const sides = [constantText(node.left), constantText(node.right)];
  if (sides.every((side) => side === undefined)) return undefined;
  return sides.map((side) => side ?? HOLE).join("");
}
