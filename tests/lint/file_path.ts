import { repositoryPath } from "./layer_map.ts";

/** The one file that makes paths of URLs. */
const HOME = "loop/platform/deno_system.ts";

/**
 * Finds paths of files that are wrong elsewhere: `pathname` of a file URL keeps `%20`, and has a slash
 * before the drive. And keeps the question for the system in one place.
 */
export const filePath: Deno.lint.Rule = {
  create(context) {
    const path = repositoryPath(context.filename);
    if (path === HOME) return {};
    return {
      MemberExpression(node) {
        const text = context.sourceCode.getText(node);
        if (text === "Deno.build") {
          context.report({
            node,
            message: `The system is asked for in ${HOME} alone`,
            hint: "Take `isWindows()`, `isLinux()` or `systemName()`",
          });
        }
        const isAssigned = node.parent.type === "AssignmentExpression" && node.parent.left === node;
        if (
          isAssigned || node.computed || context.sourceCode.getText(node.property) !== "pathname"
        ) return;
        context.report({
          node,
          message: "`pathname` is no path of a file on every system",
          hint: "Take `filePath(url)`, or `const { pathname } = url` for what is no file",
        });
      },
    };
  },
};
