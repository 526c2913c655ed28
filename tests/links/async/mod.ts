/**
 * Stands in for `jsr:@std/async` where only npm can be reached: the same code from npm, typed here.
 *
 * @module
 */

// One line per file, since the async/mod.js of npm:deno-std@1.4.0 imports a file it does not have.
// @ts-types="./abortable.d.ts"
export { abortable } from "npm:deno-std@1.4.0/async/abortable.js";
// @ts-types="./deadline.d.ts"
export { deadline } from "npm:deno-std@1.4.0/async/deadline.js";
// @ts-types="./delay.d.ts"
export { delay } from "npm:deno-std@1.4.0/async/delay.js";
