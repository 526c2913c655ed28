/**
 * The rules of this repository that Deno's own linter does not have. deno.json loads them, so `deno lint` checks them.
 *
 * @module
 */

import { errorMessage } from "./error_message.ts";
import { filePath } from "./file_path.ts";
import { layers } from "./layers.ts";
import { seam } from "./seam.ts";

const plugin: Deno.lint.Plugin = {
  name: "gyre",
  rules: { "error-message": errorMessage, "file-path": filePath, layers, seam },
};

export default plugin;
