/**
 * What a running program waits for, in a browser and in a terminal.
 *
 * ```ts
 * import { run } from "@gyre/asyncio";
 * import { startInspector } from "@gyre/asyncio/inspector";
 *
 * await run(async () => {
 *   await using inspector = await startInspector({ port: 0, print: () => {} });
 *   inspector.url; // open it in a browser
 * });
 * ```
 *
 * From another terminal, with the URL that the program has printed:
 * `deno run --allow-net=127.0.0.1 jsr:@gyre/asyncio/inspector pstree <url>`; there are `ps`, `pstree`
 * and `top`.
 *
 * @module
 */
export { Inspector, type InspectorOptions, startInspector } from "./deno_inspector.ts";
import { runTerminal } from "./deno_terminal.ts";

if (import.meta.main) await runTerminal();
