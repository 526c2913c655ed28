/**
 * Stands in for `jsr:@std/assert` where only npm can be reached: the same code from npm, typed here.
 *
 * @module
 */

// @ts-types="./mod.d.ts"
export * from "npm:deno-std@1.4.0/assert/mod.js";
